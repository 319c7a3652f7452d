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
	{"http://127.0.0.1/keys", false, 1, 0},
	{"http://[::1]:8080/keys", false, 1, 0},
	{"http://LocalHost/keys", false, 1, 0},
	{"http://127.0.0.1.evil.test/keys", false, 1, -EINVAL},
	{"http://localhost.evil.test/keys", false, 1, -EINVAL},
	{"http://10.0.0.1/keys", false, 1, -EINVAL},
	{"http://idp.test/keys", false, 1, -EINVAL},
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

static int with(struct net_request request)
{
	cleanup(net_transfer) struct net_transfer *t = NULL;

	request.url = request.url ? request.url : "https://idp.test/";
	request.timeout_ms = 1;
	return net_transfer_new(&request, &t);
}

START_TEST(parts)
{
	/* Goal: no line breaks in headers, no network that is none, no http through a proxy. */
	static const char *const GOOD[] = {"Accept: a", "X: y"};
	static const char *const BAD[] = {"Accept: a", "X: y\r\nZ: 1"};
	static const char *const NETS[] = {"10.0.0.0/8", "fd00::/8"};
	static const char *const NO_NETS[] = {"10.0.0.0/8", "inside"};
	static const char *const PROXY = "http://127.0.0.1:3128";

	ck_assert_int_eq(with((struct net_request){.headers = GOOD, .n_headers = 2}), 0);
	ck_assert_int_eq(with((struct net_request){.headers = BAD, .n_headers = 2}), -EINVAL);
	ck_assert_int_eq(with((struct net_request){.networks = NETS, .n_networks = 2}), 0);
	ck_assert_int_eq(with((struct net_request){.networks = NO_NETS, .n_networks = 2}), -EINVAL);
	ck_assert_int_eq(with((struct net_request){.proxy = PROXY}), 0);
	ck_assert_int_eq(
		with((struct net_request){.proxy = PROXY, .url = "http://127.0.0.1/"}), -EINVAL);
	ck_assert_int_eq(with((struct net_request){.post = "a=b"}), 0);
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
	tcase_add_test(tc, parts);
	tcase_add_test(tc, too_late);
	tcase_add_test(tc, no_memory);
	suite_add_tcase(s, tc);
	return s;
}
