#include "tests/unit/net/suites.h"

#include "base/mem.h"
#include "net/outcome.h"

#include <errno.h>
#include <string.h>

static struct net_transfer *transfer_make(void)
{
	struct net_request request = {
		.url = "https://idp.test/", .timeout_ms = 1000, .max_bytes = 10};
	struct net_transfer *t = NULL;

	ck_assert_int_eq(net_transfer_global(), 0);
	ck_assert_int_eq(net_transfer_new(&request, &t), 0);
	ck_assert_int_eq(net_transfer_start(t), 0);
	return t;
}

static const struct {
	CURLcode code;
	int stopped;
	const char *detail;
	int error;
	const char *why;
} ENDS[] = {
	{CURLE_OPERATION_TIMEDOUT, 0, "after 3 ms", -ETIMEDOUT,
		"the server did not answer in time: after 3 ms"},
	{CURLE_COULDNT_RESOLVE_HOST, 0, "", -EHOSTUNREACH, "the host name does not resolve"},
	{CURLE_COULDNT_CONNECT, 0, "x", -ECONNREFUSED, "no connection to the server: x"},
	{CURLE_OUT_OF_MEMORY, 0, "", -ENOMEM, "out of memory"},
	{CURLE_HTTP2, 0, "", -EIO, "the request failed: Error in the HTTP2 framing layer"},
	{CURLE_HTTP2, 0, "a\033[31m\n\xc3\xa9", -EIO, "the request failed: a?[31m???"},
	{CURLE_WRITE_ERROR, -EMSGSIZE, "text of libcurl", -EMSGSIZE,
		"the answer is larger than allowed"},
	{CURLE_WRITE_ERROR, -ENOMEM, "", -ENOMEM, "out of memory"},
};

START_TEST(ends)
{
	/* Goal: every way libcurl may end becomes an errno and a printable sentence, no body. */
	cleanup(net_transfer) struct net_transfer *t = transfer_make();

	t->stopped = ENDS[_i].stopped;
	snprintf(t->detail, sizeof(t->detail), "%s", ENDS[_i].detail);
	net_outcome_end(t, ENDS[_i].code);
	ck_assert_int_eq(t->answer->error, ENDS[_i].error);
	ck_assert_str_eq(t->answer->why, ENDS[_i].why);
	ck_assert_ptr_null(t->answer->body);
	ck_assert_uint_eq(t->answer->body_len, 0);
}
END_TEST

START_TEST(long_detail)
{
	/* Goal: a detail that is too long is cut, not written past the answer. */
	cleanup(net_transfer) struct net_transfer *t = transfer_make();

	memset(t->detail, 'y', sizeof(t->detail) - 1);
	net_outcome_end(t, CURLE_RECV_ERROR);
	ck_assert_uint_eq(strlen(t->answer->why), sizeof(t->answer->why) - 1);
	ck_assert_int_eq(t->answer->error, -ECONNRESET);
}
END_TEST

START_TEST(fails)
{
	/* Goal: what we end ourselves says so, an unexpected errno included. */
	static const struct {
		int error;
		const char *why;
	} ROWS[] = {
		{-ETIMEDOUT, "the time was over before the request could be sent"},
		{-ENOMEM, "out of memory"},
		{-EINVAL, "the request could not be made: Invalid argument"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		cleanup(net_transfer) struct net_transfer *t = transfer_make();

		net_outcome_fail(t, ROWS[i].error);
		ck_assert_int_eq(t->answer->error, ROWS[i].error);
		ck_assert_str_eq(t->answer->why, ROWS[i].why);
	}
}
END_TEST

Suite *suite_outcome(void)
{
	Suite *s = suite_create("net/outcome");
	TCase *tc = tcase_create("outcome");

	tcase_add_loop_test(tc, ends, 0, ARRAY_SIZE(ENDS));
	tcase_add_test(tc, long_detail);
	tcase_add_test(tc, fails);
	suite_add_tcase(s, tc);
	return s;
}
