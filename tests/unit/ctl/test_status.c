#include "tests/unit/ctl/daemon.h"
#include "tests/unit/ctl/program.h"
#include "tests/unit/ctl/suites.h"

#include "base/mem.h"

#include <string.h>

static const struct {
	const char *body;
	const char *format;
	int code;
	const char *out; /* is in stdout */
	const char *err; /* is in stderr */
} ROWS[] = {
	{"{\"version\":\"9\",\"ready\":true}", "text", 0, "identityd 9, up -, ready\n", ""},
	{"{\"ready\":false}", "text", 1, "!! NOT READY\n", ""},
	{"{\"bpf\":{\"state\":\"not_enforced\",\"why\":\"w\"}}", "text", 1, "!! NOT ENFORCED: w\n",
		""},
	{"{\"ready\":true}", "json", 0, "{\n  \"ready\": true\n}\n", ""},
	{"{\"ready\":false}", "json", 1, "{\n  \"ready\": false\n}\n", ""},
	{"{\"a\":\"\\u009b\\u001b\xc3\xa9\"}", "json", 0,
		"{\n  \"a\": \"\\u009B\\u001B\\u00E9\"\n}\n", ""},
	{"not json", "text", 1, "", "not a JSON object"},
	{"[]", "json", 1, "", "not a JSON object"},
	{"", "text", 1, "", "not a JSON object"},
	{"{\"ready\":true,\"ready\":false}", "text", 1, "", "not a JSON object"},
};

START_TEST(answers)
{
	/* Goal: the exit code says whether something is wrong, in both formats. */
	struct daemon *d = daemon_start("/api/v1/status", 200, ROWS[_i].body);
	struct program_result r;

	PROGRAM_RUN(&r, "status", "--socket", daemon_socket(d), "-o", ROWS[_i].format);
	daemon_stop(d);
	ck_assert_int_eq(r.code, ROWS[_i].code);
	ck_assert_msg(strstr(r.out, ROWS[_i].out), "stdout: %s", r.out);
	ck_assert_msg(strstr(r.err, ROWS[_i].err), "stderr: %s", r.err);
	if (!*ROWS[_i].out)
		ck_assert_str_eq(r.out, "");
	if (!*ROWS[_i].err)
		ck_assert_str_eq(r.err, "");
}
END_TEST

Suite *suite_status(void)
{
	Suite *s = suite_create("ctl/status");
	TCase *tc = tcase_create("status");

	tcase_add_loop_test(tc, answers, 0, ARRAY_SIZE(ROWS));
	suite_add_tcase(s, tc);
	return s;
}
