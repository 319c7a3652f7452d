#include "tests/unit/ctl/program.h"
#include "tests/unit/ctl/suites.h"

#include "base/clock.h"
#include "base/mem.h"
#include "ctl/trace.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FLOW(time, more) "{\"flow\":{\"verdict\":\"FORWARDED\"," more "},\"time\":\"" time "\"}\n"
#define PAIR(src, sport, dst, dport)                                                               \
	"\"IP\":{\"source\":\"" src "\",\"destination\":\"" dst                                    \
	"\"},\"l4\":{\"TCP\":{\"source_port\":" sport ",\"destination_port\":" dport "}}"
#define REQID(id)                                                                                  \
	"\"l7\":{\"http\":{\"headers\":[{\"key\":\"X-Request-Id\",\"value\":\"" id "\"}]}}"
#define TRACE(id)  "\"trace_context\":{\"parent\":{\"trace_id\":\"" id "\"}}"
#define SOURCE(id) "\"source\":{\"identity\":" id "}"

static const char HAPROXY[] =
	"192.0.2.1:4000 [25/Nov/2026:17:05:00.100] front reqid=r-1x via=- to=-\n"
	"192.0.2.1:4000 [25/Nov/2026:17:05:00.101] front \"/r-1\" reqid=r-3 via=- to=- {x "
	"reqid=r-1 y}\n"
	"192.0.2.1:4000 [25/Nov/2026:17:05:00.200] front reqid=r-1 via=10.0.0.2:5000 "
	"to=10.0.0.3:80\n";
static const char AUDIT[] = FLOW("2026-11-25T17:05:00.150Z", REQID("r-2"))
	FLOW("2026-11-25T17:05:00.250Z", PAIR("192.0.2.1", "4000", "192.0.2.9", "443") "," REQID(
						 "r-1") "," TRACE("aa") "," SOURCE("300"));
static const char HUBBLE[] = "rubbish\n" FLOW("2026-11-25T17:05:00.300Z",
	PAIR("10.0.0.2", "5000", "10.0.0.3", "80") "," SOURCE("300")) /* backend connection */
	FLOW("2026-11-25T17:05:00.350Z",
		PAIR("10.0.0.3", "80", "10.0.0.2", "5000") "," SOURCE("4"))      /* its answer */
	FLOW("2026-11-25T17:05:00.400Z", TRACE("aa"))                            /* trace id */
	FLOW("2026-11-25T17:05:00.050Z", REQID("r-1"))                           /* request id */
	FLOW("2026-11-25T18:05:00Z", PAIR("10.0.0.2", "5000", "10.0.0.3", "80")) /* an hour later */
	FLOW("2026-11-25T17:05:00Z", PAIR("10.0.0.2", "5001", "10.0.0.3", "80")); /* another port */

static void setup(void)
{
	setenv("TZ", "UTC", 1);
}

static void teardown(void)
{
	program_files_done();
}

START_TEST(story)
{
	/* Goal: what belongs to the request, from all three, in the order of time, and nothing else. */
	const char *haproxy = program_file(HAPROXY), *audit = program_file(AUDIT);
	static const char *const PARTS[] = {"2026-11-25T17:05:00.050Z  hubble",
		"found by the request id",
		"2026-11-25T17:05:00.200Z  haproxy    192.0.2.1:4000 [25/Nov", "reqid=r-1 via",
		"2026-11-25T17:05:00.250Z  identityd  allow", "id=300",
		"2026-11-25T17:05:00.300Z  hubble", "found by the backend connection\n",
		"2026-11-25T17:05:00.350Z  hubble",
		"found by the backend connection; its source has ANOTHER identity\n",
		"2026-11-25T17:05:00.400Z  hubble", "found by the trace id\n"};
	struct program_result r;
	const char *at;

	PROGRAM_RUN(&r, "trace", "r-1", "--haproxy-log", haproxy, "--audit", audit, "--hubble",
		program_file("\n"), "--hubble", program_file(HUBBLE));
	ck_assert_msg(r.code == 0, "%s", r.err);
	at = r.out;
	for (size_t i = 0; i < sizeof(PARTS) / sizeof(PARTS[0]); i++) {
		at = strstr(at, PARTS[i]);
		ck_assert_msg(at != NULL, "%s is not there in its place:\n%s", PARTS[i], r.out);
	}
	ck_assert_ptr_null(strstr(r.out, "r-1x"));
	ck_assert_ptr_null(strstr(r.out, "r-3")); /* the id in a caller's text */
	ck_assert_ptr_null(strstr(r.out, "18:05"));
	ck_assert_ptr_null(strstr(r.out, "5001"));
}
END_TEST

START_TEST(other_formats)
{
	/* Goal: a log format of one's own has the id as a word; what is beyond 1 MiB of a line is cut. */
	static const char SHORT[] = "[25/Nov/2026:17:05:00.200] short \"r-1\"\nr-12";
	const size_t n = 2 << 20;
	cleanup(free) char *text = malloc(n);
	struct program_result r;

	memset(text, 'x', n);
	memcpy(text + n - 6, " r-1\n", 6);
	PROGRAM_RUN(&r, "trace", "r-1", "--haproxy-log", program_file(text));
	ck_assert_int_eq(r.code, 1);
	memcpy(text + n - sizeof(SHORT) - 1, "\n", 1);
	memcpy(text + n - sizeof(SHORT), SHORT, sizeof(SHORT));
	PROGRAM_RUN(&r, "trace", "r-1", "--haproxy-log", program_file(text));
	ck_assert_msg(r.code == 0, "%s", r.err);
	ck_assert_ptr_nonnull(strstr(r.out, "short"));
	ck_assert_ptr_null(strstr(r.out, "r-12"));
}
END_TEST

START_TEST(nothing)
{
	/* Goal: an unknown id and a missing file are exit code 1, and said. */
	struct program_result r;

	PROGRAM_RUN(&r, "trace", "r-9", "--audit", program_file(AUDIT));
	ck_assert_int_eq(r.code, 1);
	ck_assert_ptr_nonnull(strstr(r.err, "nothing is known of r-9"));
	PROGRAM_RUN(&r, "trace", "r-9", "--audit", "/nonexistent/f");
	ck_assert_int_eq(r.code, 1);
	ck_assert_ptr_nonnull(strstr(r.err, "/nonexistent/f: No such file"));
}
END_TEST

START_TEST(times)
{
	/* Goal: both kinds of time, with any decimals; what is none is 0. */
	static const int64_t AT = INT64_C(1795626300) * NS_PER_S;

	tzset();
	ck_assert_int_eq(ctl_trace_flow_time("2026-11-25T17:05:00Z"), AT);
	ck_assert_int_eq(ctl_trace_flow_time("2026-11-25T17:05:00.000000001Z"), AT + 1);
	ck_assert_int_eq(ctl_trace_flow_time("2026-11-25T17:05:00.12Z"), AT + 120000000);
	ck_assert_int_eq(ctl_trace_flow_time("yesterday"), 0);
	ck_assert_int_eq(ctl_trace_flow_time("9999-11-25T17:05:00Z"), 0);
	ck_assert_int_eq(ctl_trace_flow_time("2262-04-11T23:47:16Z"), 0);
	ck_assert_int_eq(ctl_trace_flow_time("1969-12-31T23:59:59Z"), 0);
	ck_assert_int_eq(ctl_trace_haproxy_time("[25/Nov/9999:17:05:00.120]"), 0);
	ck_assert_int_eq(ctl_trace_flow_time(NULL), 0);
	ck_assert_int_eq(
		ctl_trace_haproxy_time("x [y] [25/Nov/2026:17:05:00.120] z"), AT + 120000000);
	ck_assert_int_eq(ctl_trace_haproxy_time("x [25/Nov/2026] z"), 0);
}
END_TEST

Suite *suite_trace(void)
{
	Suite *s = suite_create("ctl/trace");
	TCase *tc = tcase_create("trace");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, story);
	tcase_add_test(tc, other_formats);
	tcase_add_test(tc, nothing);
	tcase_add_test(tc, times);
	suite_add_tcase(s, tc);
	return s;
}
