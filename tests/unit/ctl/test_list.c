#include "tests/unit/ctl/daemon.h"
#include "tests/unit/ctl/program.h"
#include "tests/unit/ctl/suites.h"

#include "base/mem.h"

#include <string.h>

#define IDENTITIES                                                                                 \
	"{\"identities\":[{\"id\":300,\"provenance\":\"local\",\"role\":\"r\\u001b\","             \
	"\"labels\":\"k8s:a=b;\"}]}"
#define FLOWS                                                                                      \
	"{\"matched\":7,\"flows\":[{\"client\":\"192.0.2.1:4\",\"local\":\"192.0.2.9:80\","        \
	"\"identity\":300,"                                                                        \
	"\"expires_in_s\":null,\"shared\":true,\"revoked\":false}]}"
#define DECISIONS "{\"next\":2,\"lost\":0,\"decisions\":[" DENIED "," ALLOWED "]}"
#define DENIED                                                                                     \
	"{\"time\":\"2026-11-25T17:03:05.123456789Z\",\"flow\":{\"verdict\":\"DROPPED\","          \
	"\"IP\":{\"source\":\"192.0.2.1\",\"destination\":\"2001:db8::1\"},\"l4\":{\"TCP\":{"      \
	"\"source_port\":4000,\"destination_port\":443}},\"l7\":{\"http\":{\"method\":\"GET\","    \
	"\"url\":\"http://h/\\u001b\",\"headers\":[{\"key\":\"X-Identityd-Reason\",\"value\":"     \
	"\"no_token\"}]}}}}"
#define ALLOWED                                                                                    \
	"{\"time\":\"2026-11-25T17:03:06Z\",\"flow\":{\"verdict\":\"FORWARDED\",\"source\":{"      \
	"\"identity\":300,"                                                                        \
	"\"labels\":[\"k8s:a=b\"]}}}"

static const struct {
	const char *words[8];
	const char *path;
	int status;
	const char *body;
	int code;
	const char *out, *err; /* are in stdout and stderr */
} ROWS[] = {
	{{"identity", "list"}, "/api/v1/identities", 200, IDENTITIES, 0,
		"300       local  r?    k8s:a=b;\n", ""},
	{{"identity", "list", "-o", "json"}, "/api/v1/identities", 200, IDENTITIES, 0, "r\\u001B",
		""},
	{{"provider", "list"}, "/api/v1/providers", 200,
		"{\"providers\":[{\"name\":\"p\",\"state\":\"fresh\",\"keys\":2}]}", 0,
		"p         fresh  2", ""},
	{{"flow", "list"}, "/api/v1/flows?identity=0&limit=1000", 200, FLOWS, 0,
		"192.0.2.1:4  192.0.2.9:80  300       -           shared\n1 of 7\n", ""},
	{{"flow", "list", "--identity", "300", "--limit=5"}, "/api/v1/flows?identity=300&limit=5",
		200, FLOWS, 0, "1 of 7\n", ""},
	{{"policy", "test", "--role", "r", "--service", "s"}, "/api/v1/policy/explain", 200,
		"{\"verdict\":\"allow\",\"reason\":\"ok\",\"policy\":\"ns/p:1\"}", 0,
		"allow: ok, by ns/p:1\n", ""},
	{{"policy", "test", "--role", "r", "--service", "s"}, "/api/v1/policy/explain", 200,
		"{\"verdict\":\"deny\",\"reason\":\"policy_denied\"}", 1,
		"deny: policy_denied, by -\n", ""},
	{{"policy", "test", "--role", "r", "--service", "s"}, "/api/v1/policy/explain", 400,
		"{\"error\":\"no such role\"}", 1, "", "no such role"},
	{{"tail", "--no-follow"}, "/api/v1/decisions?after=0&limit=10", 200, DECISIONS, 0,
		"17:03:05.123 deny  no_token 192.0.2.1:4000 -> [2001:db8::1]:443 GET http://h/?\n",
		""},
	{{"tail", "--no-follow", "--identity", "300", "--lines", "5"},
		"/api/v1/decisions?after=0&limit=5", 200, DECISIONS, 0,
		"allow - - -> - id=300 k8s:a=b\n", ""},
	{{"tail", "--no-follow", "--label=a=b", "-o", "json"}, "/api/v1/decisions?after=0&limit=10",
		200, DECISIONS, 0,
		"{\"time\":\"2026-11-25T17:03:06Z\",\"flow\":{\"verdict\":\"FORWARDED\"", ""},
	{{"tail", "--no-follow", "--verdict=error"}, "/api/v1/decisions?after=0&limit=10", 200,
		DECISIONS, 0, "", ""},
	{{"reload"}, "/api/v1/reload", 200, "{\"generation\":4}", 0, "generation: 4\n", ""},
	{{"reload"}, "/api/v1/reload", 409, "{\"error\":\"3:1: unknown key\"}", 1, "",
		"identityctl reload: 3:1: unknown key"},
	{{"drain"}, "/api/v1/drain", 202, "{\"draining\":true}", 0, "", ""},
	{{"log-level", "debug"}, "/api/v1/log-level", 200, "{\"level\":\"debug\"}", 0, "", ""},
	{{"observe", "--for", "10m", "--why", "w"}, "/api/v1/observe", 200, "{\"seconds\":600}", 0,
		"seconds: 600\n", ""},
};

START_TEST(answers)
{
	/* Goal: what the daemon says comes out clean, and a refusal is an exit code and a sentence. */
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
	ck_assert_ptr_null(strchr(r.out, '\033'));
}
END_TEST

START_TEST(filtered)
{
	/* Goal: what a filter does not want is not shown. */
	struct daemon *d = daemon_start("/api/v1/decisions?after=0&limit=10", 200, DECISIONS);
	struct program_result r;

	PROGRAM_RUN(&r, "tail", "--no-follow", "--verdict", "allow", "--socket", daemon_socket(d));
	daemon_stop(d);
	ck_assert_int_eq(r.code, 0);
	ck_assert_ptr_null(strstr(r.out, "deny"));
	ck_assert_ptr_nonnull(strstr(r.out, "allow"));
}
END_TEST

Suite *suite_list(void)
{
	Suite *s = suite_create("ctl/list");
	TCase *tc = tcase_create("list");

	tcase_add_loop_test(tc, answers, 0, ARRAY_SIZE(ROWS));
	tcase_add_test(tc, filtered);
	suite_add_tcase(s, tc);
	return s;
}
