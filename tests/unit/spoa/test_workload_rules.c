/* Whom the operator knows by their addresses. */
#include "tests/unit/spoa/suites.h"

#include "spoa/workload_rules.h"
#include "tests/unit/spoa/help.h"

#include <errno.h>
#include <stdio.h>

#define HEAD                                                                                       \
	HELP_HEAD HELP_ONE "workloads:\n"                                                          \
			   "  ranges: [10.0.0.0/8, 'fd00::/16']\n"                                 \
			   "  entries:\n"

static struct base_cidr address(const char *text)
{
	struct base_cidr to;

	ck_assert_int_eq(base_cidr_parse(text, &to), 0);
	return to;
}

static const struct {
	const char *address, *labels, *pod; /* labels NULL: nobody */
} FOUND[] = {
	{"10.1.2.3", "k8s:n=1;", "one"},
	{"::ffff:10.1.2.3", "k8s:n=1;", "one"},
	{"10.1.2.4", "k8s:n=24;", NULL},
	{"10.1.3.4", "k8s:n=8;", NULL},
	{"fd00::1", "k8s:n=1;", "one"},
	{"fd00::2", NULL, NULL},
	{"11.1.2.3", NULL, NULL},
};

START_TEST(longest)
{
	/* Goal: the longest network counts, in whatever order they are written. */
	struct spoa_config *config = help_config(
		HEAD "    - {addresses: 10.0.0.0/8, labels: [n=8]}\n"
		     "    - {addresses: [10.1.2.3, 'fd00::1'], labels: [n=1], pod: one}\n"
		     "    - {addresses: 10.1.2.0/24, labels: [n=24]}\n");
	struct base_cidr asked = address(FOUND[_i].address);
	const struct spoa_workload_entry *entry =
		spoa_workload_rules_find(&config->workloads, asked.bytes);

	ck_assert_int_eq(entry != NULL, FOUND[_i].labels != NULL);
	if (entry) {
		ck_assert_str_eq(entry->labels, FOUND[_i].labels);
		ck_assert_pstr_eq(entry->pod, FOUND[_i].pod);
	}
	spoa_config_unref(config);
}
END_TEST

START_TEST(ranges)
{
	/* Goal: in a range or not, by both families. */
	struct spoa_config *config = help_config(HEAD "    []\n");
	static const char *const IN[] = {"10.0.0.0", "10.255.255.255", "fd00::", "::ffff:10.0.0.1"};
	static const char *const OUT[] = {"9.255.255.255", "11.0.0.0", "fd01::", "::"};

	for (size_t i = 0; i < ARRAY_SIZE(IN); i++) {
		ck_assert(spoa_workload_rules_in_range(&config->workloads, address(IN[i]).bytes));
		ck_assert(!spoa_workload_rules_in_range(&config->workloads, address(OUT[i]).bytes));
	}
	spoa_config_unref(config);
}
END_TEST

static const char *const BAD[] = {"'reserved:host'", "'k8s:a=b;c'", "[a=b, 'oidc:a=c']"};

START_TEST(bad_labels)
{
	/* Goal: labels that Cilium could not have are a mistake of the file. */
	struct spoa_config *config = NULL;
	struct base_diag diag;
	char text[1024];

	snprintf(text, sizeof(text), HEAD "    - {addresses: 10.0.0.1, labels: %s}\n", BAD[_i]);
	base_diag_init(&diag, "f");
	ck_assert_int_eq(spoa_config_new(help_conf(text), NULL, &diag, &config), -EINVAL);
	ck_assert_uint_eq(diag.n_found, 1);
	ck_assert_ptr_null(config);
	base_diag_done(&diag);
}
END_TEST

Suite *suite_workload_rules(void)
{
	Suite *suite = suite_create("spoa/workload_rules");
	TCase *tc = tcase_create("rules");

	tcase_add_loop_test(tc, longest, 0, ARRAY_SIZE(FOUND));
	tcase_add_test(tc, ranges);
	tcase_add_loop_test(tc, bad_labels, 0, ARRAY_SIZE(BAD));
	suite_add_tcase(suite, tc);
	return suite;
}
