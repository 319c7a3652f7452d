#include "tests/unit/ctl/daemon.h"
#include "tests/unit/ctl/program.h"
#include "tests/unit/ctl/suites.h"

START_TEST(as_is)
{
	/* Goal: metrics come out as they are, but for what a terminal would act on. */
	struct daemon *d = daemon_start("/metrics", 200,
		"# HELP a b\n# TYPE a counter\na{x=\"\xc3\xa9\"} 1\nb{y=\"\033[31m\"} 2\n");
	struct program_result r;

	PROGRAM_RUN(&r, "metrics", "--socket", daemon_socket(d));
	daemon_stop(d);
	ck_assert_int_eq(r.code, 0);
	ck_assert_str_eq(r.err, "");
	ck_assert_str_eq(
		r.out, "# HELP a b\n# TYPE a counter\na{x=\"\xc3\xa9\"} 1\nb{y=\"?[31m\"} 2\n");
}
END_TEST

Suite *suite_metrics(void)
{
	Suite *s = suite_create("ctl/metrics");
	TCase *tc = tcase_create("metrics");

	tcase_add_test(tc, as_is);
	suite_add_tcase(s, tc);
	return s;
}
