#include "tests/unit/spoa/suites.h"

#include "spoa/metrics.h"
#include "spoa/slots.h"
#include "tests/unit/spoa/help.h"

#include <stdio.h>

static const struct {
	const char *metric, *label;
} ROWS[] = {
#define X(suffix, metric, label, help) {metric, label},
	SPOA_COUNTERS(X)
#undef X
};

static char corp[] = "corp", home[] = "home";
static char *names[] = {corp, home};

static char *render(struct spoa_metrics *const *sets, size_t n)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(f);
	spoa_metrics_write(f, sets, n, names, ARRAY_SIZE(names));
	spoa_metrics_one(f, SPOA_FAMILY_UPTIME, 0.5);
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
	ck_assert_uint_eq(
		times(text,
			"# TYPE identityd_uptime_seconds gauge\nidentityd_uptime_seconds 0.5\n"),
		1);
	free(text);
}
END_TEST

START_TEST(decisions)
{
	/* Every reason is written once, under its verdict; of a provider only those that it had. */
	struct spoa_metrics a = {0};
	struct spoa_metrics *sets[] = {&a};
	char *text;

	for (unsigned r = 0; r < BASE_REASON_COUNT; r++)
		for (unsigned i = 0; i < r; i++)
			spoa_metrics_decision(&a, 0, (enum base_reason)r);
	spoa_metrics_decision(&a, 2, BASE_REASON_NO_ROLE);
	text = render(sets, 1);
	for (unsigned r = 0; r < BASE_REASON_COUNT; r++) {
		char line[200];
		int status = base_reason_status((enum base_reason)r);

		snprintf(line, sizeof(line),
			"\nidentityd_decisions_total{verdict=\"%s\",reason=\"%s\",provider=\"\"} "
			"%u\n",
			status == 200   ? "allow"
			: status == 503 ? "error"
					: "deny",
			base_reason_word((enum base_reason)r), r);
		ck_assert_msg(times(text, line) == 1, "%s", line);
	}
	ck_assert_uint_eq(times(text, "provider=\"home\""), 2);
	ck_assert_uint_eq(
		times(text, "{verdict=\"deny\",reason=\"no_role\",provider=\"home\"} 1\n"), 1);
	ck_assert_uint_eq(
		times(text, "{verdict=\"allow\",reason=\"ok\",provider=\"corp\"} 0\n"), 1);
	ck_assert_uint_eq(
		spoa_metrics_decisions(sets, 1, BASE_REASON_NO_ROLE), BASE_REASON_NO_ROLE + 1u);
	free(text);
}
END_TEST

START_TEST(histogram)
{
	/* A bucket holds what took at most its bound; sums and counts go over all sets. */
	struct spoa_metrics a = {0}, b = {0};
	struct spoa_metrics *sets[] = {&a, &b};
	char *text;

	for (unsigned i = 0; i + 1 < SPOA_HISTOGRAM_BUCKETS; i++) {
		ck_assert_uint_eq(spoa_histogram_bucket(spoa_histogram_bound(i)), i);
		ck_assert_uint_eq(spoa_histogram_bucket(spoa_histogram_bound(i) + 1), i + 1);
	}
	ck_assert_uint_eq(spoa_histogram_bucket(0), 0);
	ck_assert_uint_eq(spoa_histogram_bucket(UINT64_MAX), SPOA_HISTOGRAM_BUCKETS - 1);
	spoa_histogram_observe(&a.frame, 512, 3);
	spoa_histogram_observe(&b.frame, 513, 1);
	spoa_histogram_observe(&b.frame, 5 * UINT64_C(1000000000), 1);
	text = render(sets, 2);
	ck_assert_uint_eq(times(text, "# TYPE identityd_frame_seconds histogram\n"), 1);
	ck_assert_uint_eq(times(text, "identityd_frame_seconds_bucket{le=\"5.12e-07\"} 3\n"), 1);
	ck_assert_uint_eq(times(text, "identityd_frame_seconds_bucket{le=\"1.024e-06\"} 4\n"), 1);
	ck_assert_uint_eq(times(text, "identityd_frame_seconds_bucket{le=\"2.14748365\"} 4\n"), 1);
	ck_assert_uint_eq(times(text, "identityd_frame_seconds_bucket{le=\"+Inf\"} 5\n"), 1);
	ck_assert_uint_eq(times(text, "identityd_frame_seconds_sum 5.000002049\n"), 1);
	ck_assert_uint_eq(times(text, "identityd_frame_seconds_count 5\n"), 1);
	ck_assert_uint_eq(times(text, "identityd_decide_seconds_count 0\n"), 1);
	free(text);
}
END_TEST

START_TEST(errors)
{
	/* SPOP errors are counted by status and by whose; the normal end is none. */
	struct spoa_metrics a = {0};
	struct spoa_metrics *sets[] = {&a};
	char *text;

	spoa_metrics_spop_error(&a, false, SPOP_STATUS_NORMAL);
	spoa_metrics_spop_error(&a, false, SPOP_STATUS_TOO_BIG);
	spoa_metrics_spop_error(&a, true, SPOP_STATUS_UNKNOWN);
	spoa_metrics_spop_error(&a, true, UINT32_MAX);
	text = render(sets, 1);
	ck_assert_uint_eq(times(text, "\nidentityd_spop_errors_total{"), 2);
	ck_assert_uint_eq(times(text, "{by=\"agent\",status=\"frame is too big\"} 1\n"), 1);
	ck_assert_uint_eq(times(text, "{by=\"peer\",status=\"unknown error\"} 2\n"), 1);
	free(text);
}
END_TEST

START_TEST(rows_of_providers)
{
	/* A provider keeps its row over reloads; too many names share the last row. */
	struct token_provider rules[100];
	struct spoa_provider providers[100];
	struct conf conf = {.n_providers = 2};
	struct spoa_config config = {.conf = &conf, .rules = rules, .providers = providers};
	struct spoa_slots slots = {0};
	char text[100][8];

	memset(rules, 0, sizeof(rules));
	memset(providers, 0, sizeof(providers));
	for (int i = 0; i < 100; i++) {
		snprintf(text[i], sizeof(text[i]), "p%d", i);
		rules[i].name = text[i];
	}
	spoa_slots_assign(&slots, &config);
	ck_assert_uint_eq(providers[0].slot, 1);
	ck_assert_uint_eq(providers[1].slot, 2);
	rules[0].name = text[7];
	spoa_slots_assign(&slots, &config);
	ck_assert_uint_eq(providers[0].slot, 3);
	ck_assert_uint_eq(providers[1].slot, 2);
	conf.n_providers = 100;
	spoa_slots_assign(&slots, &config);
	ck_assert_uint_eq(providers[99].slot, SPOA_SLOT_OTHER);
	ck_assert_uint_eq(slots.n, SPOA_SLOTS - 2);
	spoa_slots_done(&slots);
}
END_TEST

START_TEST(table)
{
	/* Every row has a name of its own with a proper end, a type and a meaning. */
	char *text = NULL, *line, *rest = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	unsigned n = 0;

	ck_assert_ptr_nonnull(f);
	spoa_metrics_table(f);
	ck_assert_int_eq(fclose(f), 0);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), n++) {
		char name[100], type[16];
		size_t len;

		ck_assert_int_eq(sscanf(line, "%99s %15s", name, type), 2);
		ck_assert_msg(strrchr(line, '\t')[1], "%s means nothing", name);
		len = strlen(name);
		ck_assert_msg(
			!strcmp(type, "counter") == (len > 6 && !strcmp(name + len - 6, "_total")),
			"%s is a %s", name, type);
	}
	ck_assert_uint_gt(n, SPOA_FAMILIES_N);
	free(text);
}
END_TEST

Suite *suite_metrics(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tc = tcase_create("metrics");

	tcase_add_test(tc, rows);
	tcase_add_test(tc, decisions);
	tcase_add_test(tc, histogram);
	tcase_add_test(tc, errors);
	tcase_add_test(tc, rows_of_providers);
	tcase_add_test(tc, table);
	suite_add_tcase(suite, tc);
	return suite;
}
