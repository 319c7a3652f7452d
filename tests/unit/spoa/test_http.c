#include "tests/unit/spoa/suites.h"

#include "base/clock.h"
#include "spoa/http.h"
#include "tests/unit/spoa/help.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct ev_loop *loop;
static struct spoa_http *http;
static char dir[64];
static struct sockaddr_un sun;
static unsigned n_rendered;
static char posted[64], posted_type[64];

static void good(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	ck_assert_ptr_eq(arg, &n_rendered);
	ck_assert_uint_eq(answer->status, 200);
	ck_assert_uint_eq(request->body.n, 0);
	n_rendered++;
	answer->body = strdup("the body\n");
}

static void bad(void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	(void)arg;
	(void)request;
	answer->status = 503;
	answer->cache_control = "public, max-age=60";
	answer->content_type = "text/y-test";
	answer->body = strdup("not now\n");
}

static void none(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	(void)arg;
	(void)request;
	answer->status = 201;
}

static void post(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	(void)arg;
	n_rendered++;
	snprintf(posted, sizeof(posted), "%.*s", SPAN_ARG(request->body));
	snprintf(posted_type, sizeof(posted_type), "%s", request->content_type);
	answer->body = strdup("taken\n");
}

static const struct spoa_http_route ROUTES[] = {
	{"GET", "/good", "text/x-test", good, 0, false},
	{"GET", "/bad", "text/plain", bad, 0, false},
	{"GET", "/none", "text/plain", none, 0, false},
	{"POST", "/post", "text/plain", post, 16, false},
};

static void serve(unsigned idle_s, unsigned life_s)
{
	const struct spoa_http_options options = {
		.routes = ROUTES,
		.n_routes = ARRAY_SIZE(ROUTES),
		.arg = &n_rendered,
		.connections = 4,
		.idle_s = idle_s,
		.life_s = life_s,
	};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	help_mkdir(dir);
	sun.sun_family = AF_UNIX;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/admin.sock", dir);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	loop = ev_loop_new(EVFLAG_AUTO);
	n_rendered = 0;
	ck_assert_int_eq(spoa_http_new(loop, fd, &options, &http), 0);
}

static void setup(void)
{
	serve(3, 0);
}

static void teardown(void)
{
	spoa_http_free(http);
	spoa_http_free(NULL);
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
	{HEAD("GET /post"), "HTTP/1.1 405 "},
	{HEAD("HEAD /post"), "HTTP/1.1 405 "},
	{HEAD("OPTIONS *"), "HTTP/1.1 404 "},
	{HEAD("GET /goo"), "HTTP/1.1 404 "},
	{HEAD("GET //good"), "HTTP/1.1 404 "},
	{"POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 17\r\nConnection: close\r\n\r\n",
		"HTTP/1.1 413 "},
	{"POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
		"HTTP/1.1 4"},
	{"POST /good HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody",
		"HTTP/1.1 405 "},
	{"PUT /good HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nbody", "HTTP/1.1 405 "},
};

START_TEST(others)
{
	/* What is not GET is refused, what is no route is not found, and the next one is served. */
	const char *text = ask(OTHERS[_i].request);

	ck_assert_msg(!strncmp(text, OTHERS[_i].status, strlen(OTHERS[_i].status)), "%s", text);
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

START_TEST(own_words)
{
	/* A handler may choose status, type and how long the answer may be kept. */
	const char *text = ask(HEAD("GET /bad"));

	ck_assert_ptr_nonnull(strstr(text, "Content-Type: text/y-test\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "Cache-Control: public, max-age=60\r\n"));
}
END_TEST

START_TEST(body)
{
	/* A POST's body arrives whole, up to exactly the route's limit, in one piece or in many. */
	const char *text = ask("POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n"
			       "Content-Type: text/z\r\nConnection: close\r\n\r\n0123456789abcdef");

	ck_assert_int_eq(strncmp(text, "HTTP/1.1 200 ", 13), 0);
	ck_assert_str_eq(posted, "0123456789abcdef");
	ck_assert_str_eq(posted_type, "text/z");
	text = ask("POST /post HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
		   "Connection: close\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
	ck_assert_int_eq(strncmp(text, "HTTP/1.1 200 ", 13), 0);
	ck_assert_str_eq(posted, "abcdefg");
	ck_assert_str_eq(posted_type, "");
	text = ask("POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
		   "Connection: close\r\n\r\n");
	ck_assert_int_eq(strncmp(text, "HTTP/1.1 200 ", 13), 0);
	ck_assert_str_eq(posted, "");
	ck_assert_uint_eq(n_rendered, 3);
	/* Unannounced, a byte too much ends the connection and reaches nobody. */
	ask("POST /post HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
	    "Connection: close\r\n\r\n11\r\n0123456789abcdefg\r\n0\r\n\r\n");
	ck_assert_uint_eq(n_rendered, 3);
}
END_TEST

static int connected(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

START_TEST(life)
{
	/* A request of one byte after the other ends with its connection's life, idle or not. */
	struct base_now begun, now;
	char c;
	int fd;

	teardown();
	serve(10, 1);
	fd = connected();
	base_clock_now(&begun);
	for (;;) {
		if (send(fd, "G", 1, MSG_NOSIGNAL) < 0 || recv(fd, &c, 1, 0) == 0)
			break;
		ev_run(loop, EVRUN_NOWAIT);
		usleep(50000);
		base_clock_now(&now);
		ck_assert_uint_lt(now.mono_ns - begun.mono_ns, 5 * (uint64_t)NS_PER_S);
	}
	close(fd);
	base_clock_now(&now);
	ck_assert_uint_ge(now.mono_ns - begun.mono_ns, (uint64_t)NS_PER_S);
	ck_assert_int_eq(strncmp(ask(HEAD("GET /good")), "HTTP/1.1 200 ", 13), 0);
}
END_TEST

START_TEST(crowd)
{
	/* More connections than allowed are turned away; those that are there go on. */
	static const char REST[] = "od HTTP/1.1\r\nHost: x\r\n\r\n";
	int fds[10]; /* 4 that are let in, and some of the 8 that the kernel keeps */
	bool served = false;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = connected();
		ev_run(loop, EVRUN_NOWAIT);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		(void)!send(fds[i], "GET /go", 7, MSG_NOSIGNAL);
	for (int i = 0; i < 10; i++)
		ev_run(loop, EVRUN_NOWAIT);
	(void)!send(fds[0], REST, strlen(REST), MSG_NOSIGNAL);
	for (int i = 0; i < 100 && !n_rendered; i++) {
		ev_run(loop, EVRUN_NOWAIT);
		usleep(1000);
	}
	ck_assert_uint_eq(n_rendered, 1);
	ck_assert_int_ne(strncmp(ask(HEAD("GET /good")), "HTTP/1.1 200 ", 13), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	for (int i = 0; i < 50 && !served; i++)
		served = !strncmp(ask(HEAD("GET /good")), "HTTP/1.1 200 ", 13);
	ck_assert(served);
}
END_TEST

Suite *suite_http(void)
{
	Suite *suite = suite_create("http");
	TCase *tc = tcase_create("http");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, get);
	tcase_add_loop_test(tc, others, 0, ARRAY_SIZE(OTHERS));
	tcase_add_test(tc, own_words);
	tcase_add_test(tc, body);
	tcase_add_test(tc, life);
	tcase_add_test(tc, crowd);
	tcase_add_test(tc, noise);
	suite_add_tcase(suite, tc);
	return suite;
}
