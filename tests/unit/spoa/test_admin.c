#include "tests/unit/spoa/suites.h"

#include "spoa/admin.h"
#include "tests/unit/spoa/help.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct ev_loop *loop;
static struct spoa_admin *admin;
static char dir[64];
static struct sockaddr_un sun;
static unsigned n_rendered;

static char *good(void *arg, unsigned *ret_status)
{
	ck_assert_ptr_eq(arg, &n_rendered);
	ck_assert_uint_eq(*ret_status, 200);
	n_rendered++;
	return strdup("the body\n");
}

static char *bad(void *arg, unsigned *ret_status)
{
	(void)arg;
	*ret_status = 503;
	return strdup("not now\n");
}

static char *none(void *arg, unsigned *ret_status)
{
	(void)arg;
	(void)ret_status;
	return NULL;
}

static const struct spoa_admin_route ROUTES[] = {
	{"/good", "text/x-test", good},
	{"/bad", "text/plain", bad},
	{"/none", "text/plain", none},
};

static void setup(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	help_mkdir(dir);
	sun.sun_family = AF_UNIX;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/admin.sock", dir);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	loop = ev_loop_new(EVFLAG_AUTO);
	n_rendered = 0;
	ck_assert_int_eq(
		spoa_admin_new(loop, fd, ROUTES, ARRAY_SIZE(ROUTES), &n_rendered, &admin), 0);
}

static void teardown(void)
{
	spoa_admin_free(admin);
	spoa_admin_free(NULL);
	ev_loop_destroy(loop);
	help_rmdir(dir);
}

/* The whole answer to this request; lives until the next call. */
static const char *ask(const char *request)
{
	static char text[8192];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t n = 0;

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_gt(send(fd, request, strlen(request), MSG_NOSIGNAL), 0);
	for (int quiet = 0; quiet < 20;) {
		ssize_t got;

		ev_run(loop, EVRUN_NOWAIT);
		got = recv(fd, text + n, sizeof(text) - 1 - n, 0);
		if (got == 0)
			break;
		quiet = got > 0 ? 0 : quiet + 1;
		n += got > 0 ? (size_t)got : 0;
		if (got < 0)
			usleep(2000);
	}
	text[n] = '\0';
	close(fd);
	ev_run(loop, EVRUN_NOWAIT);
	return text;
}

#define HEAD(line) line " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

START_TEST(get)
{
	/* GET of a route is its body with its type; HEAD is the same without the body. */
	const char *text = ask(HEAD("GET /good"));

	ck_assert_int_eq(strncmp(text, "HTTP/1.1 200 ", 13), 0);
	ck_assert_ptr_nonnull(strstr(text, "Content-Type: text/x-test\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "Cache-Control: no-store\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\n\r\nthe body\n"));
	text = ask(HEAD("HEAD /good"));
	ck_assert_int_eq(strncmp(text, "HTTP/1.1 200 ", 13), 0);
	ck_assert_ptr_nonnull(strstr(text, "Content-Length: 9\r\n"));
	ck_assert_ptr_null(strstr(text, "the body"));
	ck_assert_uint_eq(n_rendered, 2);
}
END_TEST

static const struct {
	const char *request, *status;
} OTHERS[] = {
	{HEAD("GET /bad"), "HTTP/1.1 503 "},
	{HEAD("GET /none"), "HTTP/1.1 500 "},
	{HEAD("GET /"), "HTTP/1.1 404 "},
	{HEAD("GET /good/"), "HTTP/1.1 404 "},
	{HEAD("GET /../good"), "HTTP/1.1 404 "},
	{HEAD("DELETE /good"), "HTTP/1.1 405 "},
	{HEAD("OPTIONS *"), "HTTP/1.1 405 "},
	{"POST /good HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody",
		"HTTP/1.1 405 "},
	{"PUT /good HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nbody", "HTTP/1.1 405 "},
};

START_TEST(others)
{
	/* What is not GET is refused, what is no route is not found, and the next one is served. */
	const char *text = ask(OTHERS[_i].request);

	ck_assert_msg(!strncmp(text, OTHERS[_i].status, 13), "%s", text);
	ck_assert_uint_eq(n_rendered, 0);
	text = ask(HEAD("GET /good"));
	ck_assert_int_eq(strncmp(text, "HTTP/1.1 200 ", 13), 0);
}
END_TEST

START_TEST(noise)
{
	/* What is not HTTP, or an endless header, does no harm. */
	char *huge = calloc(1, 60000);

	memset(huge, 'x', 59999);
	memcpy(huge, "GET /good HTTP/1.1\r\nX: ", 23);
	ask("\001\002\003\r\n\r\n");
	ask("\r\n\r\n\r\n");
	ask(huge);
	ck_assert_uint_eq(n_rendered, 0);
	ck_assert_int_eq(strncmp(ask(HEAD("GET /good")), "HTTP/1.1 200 ", 13), 0);
	free(huge);
}
END_TEST

Suite *suite_admin(void)
{
	Suite *suite = suite_create("admin");
	TCase *tc = tcase_create("admin");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, get);
	tcase_add_loop_test(tc, others, 0, ARRAY_SIZE(OTHERS));
	tcase_add_test(tc, noise);
	suite_add_tcase(suite, tc);
	return suite;
}
