#include "tests/unit/spoa/suites.h"

#include "spoa/metrics.h"
#include "tests/unit/spoa/help.h"

#include <stdio.h>

static const struct {
	const char *metric, *label;
} ROWS[] = {
#define X(suffix, metric, label, help) {metric, label},
	SPOA_COUNTERS(X)
#undef X
};

static char *render(struct spoa_metrics *const *sets, size_t n)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(f);
	spoa_metrics_write(f, sets, n);
	spoa_metrics_gauge(f, "identityd_x", "An x", 0.5);
	ck_assert_int_eq(fclose(f), 0);
	return text;
}

static unsigned times(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

START_TEST(rows)
{
	/* Every row of the table is written once, with the sum over all sets. */
	struct spoa_metrics a = {0}, b = {0};
	struct spoa_metrics *sets[] = {&a, &b};
	char *text;

	for (unsigned c = 0; c < SPOA_COUNTERS_N; c++) {
		spoa_metrics_add(&a, (enum spoa_counter)c, c);
		spoa_metrics_add(&b, (enum spoa_counter)c, 1000);
	}
	text = render(sets, 2);
	for (unsigned c = 0; c < SPOA_COUNTERS_N; c++) {
		char line[200];

		snprintf(line, sizeof(line), "\n%s%s%s%s %u\n", ROWS[c].metric,
			*ROWS[c].label ? "{" : "", ROWS[c].label, *ROWS[c].label ? "}" : "",
			c + 1000);
		ck_assert_msg(times(text, line) == 1, "%s", line);
		snprintf(line, sizeof(line), "# TYPE %s counter\n", ROWS[c].metric);
		ck_assert_msg(times(text, line) == 1, "%s", line);
		snprintf(line, sizeof(line), "# HELP %s ", ROWS[c].metric);
		ck_assert_msg(times(text, line) == 1, "%s", line);
		ck_assert_uint_eq(spoa_metrics_sum(sets, 2, (enum spoa_counter)c), c + 1000);
	}
	ck_assert_uint_eq(times(text, "# TYPE identityd_x gauge\nidentityd_x 0.5\n"), 1);
	free(text);
}
END_TEST

START_TEST(decisions)
{
	/* Every reason is written once, under its verdict. */
	struct spoa_metrics a = {0};
	struct spoa_metrics *sets[] = {&a};
	char *text;

	for (unsigned r = 0; r < BASE_REASON_COUNT; r++)
		for (unsigned i = 0; i < r; i++)
			spoa_metrics_decision(&a, (enum base_reason)r);
	text = render(sets, 1);
	for (unsigned r = 0; r < BASE_REASON_COUNT; r++) {
		char line[200];
		int status = base_reason_status((enum base_reason)r);

		snprintf(line, sizeof(line),
			"\nidentityd_decisions_total{verdict=\"%s\",reason=\"%s\"} %u\n",
			status == 200   ? "allow"
			: status == 503 ? "error"
					: "deny",
			base_reason_word((enum base_reason)r), r);
		ck_assert_msg(times(text, line) == 1, "%s", line);
	}
	free(text);
}
END_TEST

Suite *suite_metrics(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tc = tcase_create("metrics");

	tcase_add_test(tc, rows);
	tcase_add_test(tc, decisions);
	suite_add_tcase(suite, tc);
	return suite;
}
