#include "tests/unit/ctl/program.h"
#include "tests/unit/ctl/suites.h"

#include <string.h>

START_TEST(plan)
{
	/* Goal: the plan names every map and the keys to set, and grows with what is asked. */
	struct program_result small, big;

	PROGRAM_RUN(&small, "map", "plan", "--connections", "1000", "--identities", "10");
	PROGRAM_RUN(&big, "map", "plan", "--connections", "100000", "--identities", "10");
	ck_assert_int_eq(small.code, 0);
	ck_assert_int_eq(big.code, 0);
	ck_assert_ptr_nonnull(strstr(small.out, "bpf.max_flows: 1000\nbpf.max_identities: 10\n"));
	ck_assert_ptr_nonnull(strstr(small.out, "policy"));
	ck_assert_ptr_nonnull(strstr(small.out, " MiB\n"));
	ck_assert_str_ne(strstr(small.out, "in all"), strstr(big.out, "in all"));
}
END_TEST

static const char *const wrong[][6] = {
	{"map", "plan"},
	{"map", "plan", "--connections", "5"},
	{"map", "plan", "--connections", "0", "--identities", "5"},
	{"map", "plan", "--connections", "-1", "--identities", "5"},
	{"map", "list", "--connections", "5"},
	{"map", "list", "flows"},
	{"map", "get"},
	{"map", "export", "events"},
	{"map", "export", "nothing"},
	{"map", "export", "flows", "stats"},
};

START_TEST(usage)
{
	/* Goal: a wrong command line is exit code 2 and no output. */
	const char *arguments[7] = {0};
	struct program_result r;

	memcpy(arguments, wrong[_i], sizeof(wrong[_i]));
	program_run(arguments, &r);
	ck_assert_int_eq(r.code, 2);
	ck_assert_str_eq(r.out, "");
}
END_TEST

START_TEST(no_maps)
{
	/* Goal: where there are no pins it says so, with what to do, and fails. */
	static const char *const commands[] = {"list", "export"};
	struct program_result r;

	for (size_t i = 0; i < 2; i++) {
		PROGRAM_RUN(&r, "map", commands[i], "--path", "/tmp/there/is/none");
		ck_assert_int_eq(r.code, 1);
		ck_assert_ptr_nonnull(strstr(r.err, "run identityd-setup first"));
	}
}
END_TEST

Suite *suite_map(void)
{
	Suite *s = suite_create("ctl/map");
	TCase *tc = tcase_create("map");

	tcase_add_test(tc, plan);
	tcase_add_loop_test(tc, usage, 0, sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(tc, no_maps);
	suite_add_tcase(s, tc);
	return s;
}
