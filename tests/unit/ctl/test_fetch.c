#include "tests/unit/ctl/daemon.h"
#include "tests/unit/ctl/program.h"
#include "tests/unit/ctl/suites.h"

#include <string.h>

START_TEST(unreachable)
{
	/* Goal: no daemon is exit 3, says the socket and the kernel's reason, prints nothing. */
	struct program_result r;

	PROGRAM_RUN(&r, "status", "--socket", "/nonexistent/admin.sock");
	ck_assert_int_eq(r.code, 3);
	ck_assert_str_eq(r.out, "");
	ck_assert_str_eq(r.err, "identityctl status: identityd does not answer on "
				"/nonexistent/admin.sock: no connection to the server: "
				"No such file or directory\n");
	PROGRAM_RUN(&r, "metrics", "--socket", "/nonexistent/admin.sock");
	ck_assert_int_eq(r.code, 3);
}
END_TEST

START_TEST(other_status)
{
	/* Goal: an answer that is not 200 is exit 1 and names the status. */
	struct daemon *d = daemon_start("/metrics", 503, "later");
	struct program_result r;

	PROGRAM_RUN(&r, "metrics", "--socket", daemon_socket(d));
	ck_assert_int_eq(r.code, 1);
	ck_assert_str_eq(r.out, "");
	ck_assert_str_eq(r.err,
		"identityctl metrics: identityd answered GET /metrics with HTTP status 503\n");
	PROGRAM_RUN(&r, "status", "--socket", daemon_socket(d));
	ck_assert_int_eq(r.code, 1);
	ck_assert_ptr_nonnull(strstr(r.err, "404"));
	daemon_stop(d);
}
END_TEST

Suite *suite_fetch(void)
{
	Suite *s = suite_create("ctl/fetch");
	TCase *tc = tcase_create("fetch");

	tcase_add_test(tc, unreachable);
	tcase_add_test(tc, other_status);
	suite_add_tcase(s, tc);
	return s;
}
