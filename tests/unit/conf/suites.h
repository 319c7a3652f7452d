/* One suite per source file of conf/. */
#ifndef TESTS_UNIT_CONF_SUITES_H
#define TESTS_UNIT_CONF_SUITES_H

#include <check.h>

Suite *suite_bind(void);
Suite *suite_check(void);
Suite *suite_check_reach(void);
Suite *suite_check_workload(void);
Suite *suite_check_etcd(void);
Suite *suite_describe(void);
Suite *suite_field(void);
Suite *suite_keys(void);
Suite *suite_load(void);
Suite *suite_near(void);
Suite *suite_place(void);
Suite *suite_profile(void);
Suite *suite_reload(void);
Suite *suite_scalar(void);
Suite *suite_spoe(void);
Suite *suite_text(void);
Suite *suite_url(void);
Suite *suite_value(void);
Suite *suite_why(void);
Suite *suite_yaml(void);

struct suite_test {
	const TTest *test;
	int n; /* how often, with _i from 0 */
};
#define ONE(test)                                                                                  \
	{                                                                                          \
		test, 1                                                                            \
	}
#define EACH(test, table)                                                                          \
	{                                                                                          \
		test, (int)(sizeof(table) / sizeof((table)[0]))                                    \
	}

/* A suite of one case, from a list of ONE and EACH. */
#define SUITE(name, ...)                                                                           \
	Suite *suite_##name(void)                                                                  \
	{                                                                                          \
		const struct suite_test tests[] = {__VA_ARGS__};                                   \
		Suite *suite = suite_create("conf/" #name);                                        \
		TCase *tc = tcase_create(#name);                                                   \
		tcase_set_timeout(tc, 120);                                                        \
		for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)                      \
			tcase_add_loop_test(tc, tests[i].test, 0, tests[i].n);                     \
		suite_add_tcase(suite, tc);                                                        \
		return suite;                                                                      \
	}

#endif
