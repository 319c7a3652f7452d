#include "tests/unit/net/suites.h"
#include "tests/unit/net/fail.h"

#include "base/mem.h"
#include "net/transfer.h"

#include <errno.h>
#include <time.h>

static const struct {
	const char *url;
	bool allow_http;
	long timeout_ms;
	int rc;
} URLS[] = {
	{"https://idp.test/keys", false, 1, 0},
	{"HTTPS://idp.test/keys", false, 1, 0},
	{"http://127.0.0.1/keys", true, 1, 0},
	{"https://idp.test/keys", true, 1, 0},
	{"http://127.0.0.1/keys", false, 1, -EINVAL},
	{"file:///etc/passwd", true, 1, -EINVAL},
	{"ftp://idp.test/keys", true, 1, -EINVAL},
	{"gopher://idp.test/keys", true, 1, -EINVAL},
	{"httpsx://idp.test/", true, 1, -EINVAL},
	{"idp.test/keys", true, 1, -EINVAL},
	{"//idp.test/keys", true, 1, -EINVAL},
	{"https://", false, 1, -EINVAL},
	{"https://user:secret@idp.test/", false, 1, -EINVAL},
	{"https://idp.test/\nX: y", false, 1, -EINVAL},
	{"", true, 1, -EINVAL},
	{NULL, true, 1, -EINVAL},
	{"https://idp.test/keys", false, 0, -EINVAL},
	{"https://idp.test/keys", false, -5, -EINVAL},
};

START_TEST(urls)
{
	/* Goal: only https, and http where the operator said so, ever becomes a transfer. */
	struct net_request request = {
		.url = URLS[_i].url,
		.allow_http = URLS[_i].allow_http,
		.timeout_ms = URLS[_i].timeout_ms,
	};
	cleanup(net_transfer) struct net_transfer *t = NULL;

	ck_assert_int_eq(net_transfer_new(&request, &t), URLS[_i].rc);
	ck_assert_int_eq(t != NULL, URLS[_i].rc == 0);
}
END_TEST

START_TEST(copies)
{
	/* Goal: the request's text may go away as soon as the transfer is made. */
	char url[] = "https://idp.test/", ca[] = "/tmp/ca.pem";
	int owner;
	struct net_request request = {
		.url = url, .ca_file = ca, .timeout_ms = 1, .owner = &owner, .max_bytes = 7};
	cleanup(net_transfer) struct net_transfer *t = NULL;

	ck_assert_int_eq(net_transfer_new(&request, &t), 0);
	url[0] = ca[0] = 'X';
	ck_assert_str_eq(t->url, "https://idp.test/");
	ck_assert_str_eq(t->ca_file, "/tmp/ca.pem");
	ck_assert_ptr_eq(t->answer->owner, &owner);
	ck_assert_str_eq(t->answer->body, "");
	ck_assert_uint_eq(t->max_bytes, 7);
}
END_TEST

START_TEST(too_late)
{
	/* Goal: a transfer whose time is over does not start. */
	struct net_request request = {.url = "https://idp.test/", .timeout_ms = 1};
	struct timespec two_ms = {.tv_nsec = 2000000};
	cleanup(net_transfer) struct net_transfer *t = NULL;

	ck_assert_int_eq(net_transfer_new(&request, &t), 0);
	nanosleep(&two_ms, NULL);
	ck_assert_int_eq(net_transfer_start(t), -ETIMEDOUT);
}
END_TEST

START_TEST(no_memory)
{
	/* Goal: each allocation that fails is -ENOMEM and leaves nothing behind. */
	struct net_request request = {
		.url = "https://idp.test/", .ca_file = "/tmp/ca.pem", .timeout_ms = 1000};
	int n = 0;

	for (;; n++) {
		cleanup(net_transfer) struct net_transfer *t = NULL;
		int rc;

		fail_at(n);
		rc = net_transfer_new(&request, &t);
		fail_at(-1);
		if (!rc)
			break;
		ck_assert_int_eq(rc, -ENOMEM);
		ck_assert_ptr_null(t);
	}
	ck_assert_int_eq(n, 5); /* transfer, url, ca_file, answer, body */
}
END_TEST

Suite *suite_transfer(void)
{
	Suite *s = suite_create("net/transfer");
	TCase *tc = tcase_create("transfer");

	tcase_add_loop_test(tc, urls, 0, ARRAY_SIZE(URLS));
	tcase_add_test(tc, copies);
	tcase_add_test(tc, too_late);
	tcase_add_test(tc, no_memory);
	suite_add_tcase(s, tc);
	return s;
}
