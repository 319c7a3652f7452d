#include "tests/unit/ctl/daemon.h"
#include "tests/unit/ctl/program.h"
#include "tests/unit/ctl/suites.h"

#include "base/mem.h"

#include <string.h>

#define LIST                                                                                       \
	"{\"revocations\":[{\"id\":7,\"sub\":\"a\\u001bb\",\"expires\":9}],\"count\":1,\"max\":5}"

static const struct {
	const char *words[8];
	const char *path;
	int status;
	const char *body;
	int code;
	const char *out, *err; /* are in stdout and stderr */
} ROWS[] = {
	{{"revoke", "list"}, "/api/v1/revocations", 200, LIST, 0,
		"7 sub=\"a\\u001Bb\" expires=9\n1 in force, at most 5\n", ""},
	{{"revoke", "list", "-o", "json"}, "/api/v1/revocations", 200, LIST, 0, "\"max\": 5", ""},
	{{"revoke", "list"}, "/api/v1/revocations", 200, "[]", 1, "", "not a JSON object"},
	{{"revoke", "list"}, "/api/v1/revocations", 500, LIST, 1, "", "HTTP status 500"},
	{{"revoke", "list", "-o", "xml"}, "/", 200, "", 2, "", "-o takes text or json"},
	{{"revoke", "add", "--sub", "alice", "--issued-before", "now", "--ttl", "1h"},
		"/api/v1/revocations", 201, "{\"id\":8,\"expires\":99}", 0,
		"revoked: id 8, until 99\n", ""},
	{{"revoke", "add", "--sub", "alice"}, "/api/v1/revocations", 507,
		"{\"error\":\"there are 5 already\"}", 1, "", "there are 5 already"},
	{{"revoke", "add", "--sub", "alice"}, "/api/v1/revocations", 500, "", 1, "",
		"identityd refused"},
	{{"revoke", "add", "--ttl", "-1h"}, "/", 201, "", 2, "", "no duration"},
	{{"revoke", "add", "--issued-before", "yesterday"}, "/", 201, "", 2, "", "is no time"},
	{{"revoke", "add", "x"}, "/", 201, "", 2, "", "one argument too many"},
	{{"revoke", "add", "--sub", "\xff"}, "/", 201, "", 2, "", "not UTF-8"},
	{{"revoke", "remove", "8"}, "/api/v1/revocations/remove", 200, "{\"id\":8}", 0, "", ""},
	{{"revoke", "remove", "8"}, "/api/v1/revocations/remove", 404,
		"{\"error\":\"there is no revocation with this id\"}", 1, "", "with this id"},
	{{"revoke", "remove"}, "/", 200, "", 2, "", "one id is needed"},
	{{"revoke", "remove", "x"}, "/", 200, "", 2, "", "one id is needed"},
	{{"revoke", "remove", "now"}, "/", 200, "", 2, "", "one id is needed"},
};

START_TEST(answers)
{
	/* Goal: what the daemon says comes out, and a refusal is an exit code and a sentence. */
	struct daemon *d = daemon_start(ROWS[_i].path, ROWS[_i].status, ROWS[_i].body);
	const char *arguments[16] = {0};
	struct program_result r;
	size_t n = 0;

	for (; n < ARRAY_SIZE(ROWS[_i].words) && ROWS[_i].words[n]; n++)
		arguments[n] = ROWS[_i].words[n];
	arguments[n++] = "--socket";
	arguments[n++] = daemon_socket(d);
	program_run(arguments, &r);
	daemon_stop(d);
	ck_assert_msg(r.code == ROWS[_i].code, "exit %d, stderr: %s", r.code, r.err);
	ck_assert_msg(strstr(r.out, ROWS[_i].out), "stdout: %s", r.out);
	ck_assert_msg(strstr(r.err, ROWS[_i].err), "stderr: %s", r.err);
	ck_assert_int_eq(*ROWS[_i].err != '\0', *r.err != '\0');
}
END_TEST

START_TEST(nobody)
{
	/* Goal: without a daemon the exit code says so. */
	struct program_result r;

	PROGRAM_RUN(&r, "revoke", "add", "--sub", "x", "--socket", "/nonexistent/s");
	ck_assert_int_eq(r.code, 3);
	PROGRAM_RUN(&r, "revoke", "list", "--socket", "/nonexistent/s");
	ck_assert_int_eq(r.code, 3);
}
END_TEST

Suite *suite_revoke(void)
{
	Suite *s = suite_create("ctl/revoke");
	TCase *tc = tcase_create("revoke");

	tcase_add_loop_test(tc, answers, 0, ARRAY_SIZE(ROWS));
	tcase_add_test(tc, nobody);
	suite_add_tcase(s, tc);
	return s;
}
