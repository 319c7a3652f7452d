#include "tests/unit/net/suites.h"
#include "tests/unit/net/cert.h"
#include "tests/unit/net/fail.h"
#include "tests/unit/net/server.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/net.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define RESOLVER_HANGS_MS 2500

static struct server *server;
static struct net *net;
static int woken;
static atomic_uint wakes;

/*
 * Stands in for the system's: "hang.test" is a name server that does not
 * answer, "inside.test" a name that somebody pointed at this machine.
 */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
	struct addrinfo **ret_list)
{
	static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	if (!strcmp(host, "hang.test"))
		poll(NULL, 0, RESOLVER_HANGS_MS);
	if (!strcmp(host, "inside.test") || !strcmp(host, "127.0.0.1"))
		return real("127.0.0.1", service, hints, ret_list);
	return EAI_NONAME;
}

static void on_wake(void *arg)
{
	/* Not Check's asserts: they belong to the main thread. */
	atomic_fetch_add(&wakes, 1);
	if (eventfd_write(*(int *)arg, 1))
		abort();
}

static uint64_t now_ms(void)
{
	struct base_now now;

	base_clock_now(&now);
	return now.mono_ns / NS_PER_MS;
}

static void set_up(void)
{
	atomic_store(&wakes, 0);
	woken = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	server = server_start(&(struct server_options){0});
	ck_assert_int_eq(net_new(on_wake, &woken, &net), 0);
}

static void tear_down(void)
{
	net_free(net);
	server_stop(server);
	close(woken);
}

/* The next answer, waited for as the daemon does; NULL after ms. */
static struct net_answer *next_answer(int ms)
{
	uint64_t until = now_ms() + ms;

	for (;;) {
		struct net_answer *answer = net_take(net);
		struct pollfd fd = {.fd = woken, .events = POLLIN};
		eventfd_t n;

		if (answer || now_ms() >= until)
			return answer;
		if (poll(&fd, 1, (int)(until - now_ms())) == 1)
			eventfd_read(woken, &n);
	}
}

static int submit_to(int port, const char *path, size_t max_bytes, long timeout_ms, void *owner)
{
	char url[200];
	struct net_request request = {
		.url = url,
		.allow_http = true,
		.max_bytes = max_bytes,
		.timeout_ms = timeout_ms,
		.owner = owner,
	};

	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", port, path);
	return net_submit(net, &request);
}

static struct net_answer *get(const char *path, size_t max_bytes, long timeout_ms)
{
	struct net_answer *answer;

	ck_assert_int_eq(submit_to(server_port(server), path, max_bytes, timeout_ms, &server), 0);
	answer = next_answer(10000);
	ck_assert_ptr_nonnull(answer);
	ck_assert_ptr_eq(answer->owner, &server);
	ck_assert_ptr_null(answer->next);
	return answer;
}

static const struct {
	const char *path;
	size_t max_bytes;
	long status;
	size_t body_len;
	const char *body; /* NULL: only its length counts */
} GOOD[] = {
	{"/ok", 100, 200, 5, "hello"},
	{"/ok", 5, 200, 5, "hello"},
	{"/empty", 0, 200, 0, ""},
	{"/missing", 100, 404, 2, "no"},
	{"/moved", 100, 302, 0, ""},
	{"/big", 1000, 200, 1000, NULL},
	{"/chunked", 1000, 200, 1000, NULL},
	{"/tagged", 10, 200, 1, "x"},
};

START_TEST(good)
{
	/* Goal: row 27: status and body arrive whole, up to exactly the ceiling; 3xx is not followed. */
	cleanup(net_answer) struct net_answer *answer =
		get(GOOD[_i].path, GOOD[_i].max_bytes, 5000);

	ck_assert_msg(!answer->error, "%s", answer->why);
	ck_assert_int_eq(answer->status, GOOD[_i].status);
	ck_assert_uint_eq(answer->body_len, GOOD[_i].body_len);
	ck_assert_uint_eq(strlen(answer->body), GOOD[_i].body_len);
	if (GOOD[_i].body)
		ck_assert_str_eq(answer->body, GOOD[_i].body);
	ck_assert_uint_eq(server_hits(server), 1);
	ck_assert_uint_eq(atomic_load(&wakes), 1);
	ck_assert_ptr_null(net_take(net));
}
END_TEST

static const struct {
	const char *path;
	size_t max_bytes;
	long timeout_ms;
	int error;
} BAD[] = {
	{"/ok", 4, 5000, -EMSGSIZE},
	{"/ok", 0, 5000, -EMSGSIZE},
	{"/big", 999, 5000, -EMSGSIZE},
	{"/chunked", 999, 5000, -EMSGSIZE},
	{"/endless", 100000, 5000, -EMSGSIZE},
	{"/headers", 100, 5000, -EMSGSIZE},
	{"/slow", 2000, 400, -ETIMEDOUT},
	{"/hang", 2000, 400, -ETIMEDOUT},
	{"/cut", 2000, 5000, -EIO},
	{"/close", 2000, 5000, -ECONNRESET},
	{"/noise", 2000, 5000, -EPROTO},
};

START_TEST(bad)
{
	/* Goal: a server that misbehaves costs its request an errno and a sentence, no more. */
	uint64_t start = now_ms();
	cleanup(net_answer) struct net_answer *answer =
		get(BAD[_i].path, BAD[_i].max_bytes, BAD[_i].timeout_ms);

	ck_assert_msg(answer->error == BAD[_i].error, "%s: %d %s", BAD[_i].path, answer->error,
		answer->why);
	ck_assert_str_ne(answer->why, "");
	ck_assert_ptr_null(answer->body);
	ck_assert_int_eq(answer->status, 0);
	if (BAD[_i].error == -ETIMEDOUT)
		ck_assert_uint_ge(now_ms() - start, 390);
	ck_assert_uint_le(now_ms() - start, 3000);
}
END_TEST

START_TEST(refused)
{
	/* Goal: nobody listening is ECONNREFUSED with the kernel's word for it. */
	cleanup(net_answer) struct net_answer *answer = NULL;

	ck_assert_int_eq(submit_to(server_closed_port(), "/ok", 10, 5000, NULL), 0);
	answer = next_answer(5000);
	ck_assert_ptr_nonnull(answer);
	ck_assert_int_eq(answer->error, -ECONNREFUSED);
	ck_assert_str_eq(answer->why, "no connection to the server: Connection refused");
}
END_TEST

START_TEST(bad_scheme)
{
	/* Goal: a URL that is not allowed is refused at submit, and nothing is sent or queued. */
	struct net_request request = {.url = "http://10.0.0.1/", .timeout_ms = 1000};

	ck_assert_int_eq(net_submit(net, &request), -EINVAL);
	request.url = "file:///etc/hostname";
	request.allow_http = true;
	ck_assert_int_eq(net_submit(net, &request), -EINVAL);
	ck_assert_ptr_null(next_answer(100));
}
END_TEST

START_TEST(parallel)
{
	/* Goal: fifty requests at once, more than there are slots, are answered once each. */
	int owners[50];
	bool seen[50] = {false};

	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(submit_to(server_port(server), "/ok", 10, 10000, &owners[i]), 0);
	for (int i = 0; i < 50; i++) {
		cleanup(net_answer) struct net_answer *answer = next_answer(10000);

		ck_assert_ptr_nonnull(answer);
		ck_assert_msg(!answer->error, "%s", answer->why);
		ck_assert_str_eq(answer->body, "hello");
		ck_assert(!seen[(int *)answer->owner - owners]);
		seen[(int *)answer->owner - owners] = true;
	}
	ck_assert_ptr_null(net_take(net));
	ck_assert_uint_eq(atomic_load(&wakes), 50);
}
END_TEST

static void *submit_many(void *arg)
{
	for (int i = 0; i < 20; i++)
		if (submit_to(server_port(server), "/ok", 10, 10000, arg))
			abort();
	return NULL;
}

START_TEST(many_threads)
{
	/* Goal: several threads may submit while another takes. */
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, submit_many, NULL), 0);
	for (int i = 0; i < 80; i++) {
		cleanup(net_answer) struct net_answer *answer = next_answer(10000);

		ck_assert_ptr_nonnull(answer);
		ck_assert_msg(!answer->error, "%s", answer->why);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

START_TEST(slots_taken)
{
	/* Goal: behind hanging servers a request waits no longer than its own time, and says so. */
	int hung, last;

	for (int i = 0; i < NET_ACTIVE_MAX; i++)
		ck_assert_int_eq(submit_to(server_port(server), "/hang", 10, 60000, &hung), 0);
	ck_assert_int_eq(submit_to(server_port(server), "/ok", 10, 300, &last), 0);

	cleanup(net_answer) struct net_answer *answer = next_answer(5000);

	ck_assert_ptr_nonnull(answer);
	ck_assert_ptr_eq(answer->owner, &last);
	ck_assert_int_eq(answer->error, -ETIMEDOUT);
	ck_assert_str_eq(answer->why, "the time was over before the request could be sent");
}
END_TEST

START_TEST(queue_full)
{
	/* Goal: the queue is bounded; room comes back only when an answer is taken. */
	int dead = server_closed_port();
	int mute = server_port(server);

	for (int i = 0; i < NET_REQUESTS_MAX - 1; i++)
		ck_assert_int_eq(submit_to(mute, "/hang", 10, 60000, NULL), 0);
	ck_assert_int_eq(submit_to(dead, "/ok", 10, 200, NULL), 0);
	ck_assert_int_eq(submit_to(mute, "/ok", 10, 60000, NULL), -EAGAIN);
	poll(NULL, 0, 600); /* the last one has been answered by now, and not taken */
	ck_assert_int_eq(submit_to(mute, "/ok", 10, 60000, NULL), -EAGAIN);
	net_answer_free(next_answer(5000));
	ck_assert_int_eq(submit_to(mute, "/ok", 10, 60000, NULL), 0);
}
END_TEST

START_TEST(free_while_hanging)
{
	/* Goal: net_free does not wait for servers that hang, nor for requests that wait. */
	uint64_t start;

	for (int i = 0; i < 60; i++)
		ck_assert_int_eq(submit_to(server_port(server), i % 2 ? "/hang" : "/slow", 10000,
					 60000, NULL),
			0);
	poll(NULL, 0, 100);
	start = now_ms();
	net_free(TAKE_PTR(net));
	ck_assert_uint_lt(now_ms() - start, 1000);
}
END_TEST

START_TEST(free_with_answers)
{
	/* Goal: answers that nobody took are freed (the leak checker sees it if not). */
	ck_assert_int_eq(submit_to(server_port(server), "/ok", 10, 5000, NULL), 0);
	for (int i = 0; i < 100 && !atomic_load(&wakes); i++)
		poll(NULL, 0, 50);
	ck_assert_uint_eq(atomic_load(&wakes), 1);
	net_free(TAKE_PTR(net));
	net_free(NULL);
	net_answer_free(NULL);
}
END_TEST

START_TEST(resolver_hangs)
{
	/* Goal: a name server that hangs delays neither its timeout, nor others, nor net_free. */
	struct net_request request = {
		.url = "https://hang.test/", .timeout_ms = 200, .max_bytes = 10};
	uint64_t start = now_ms();

	ck_assert_int_eq(net_submit(net, &request), 0);

	cleanup(net_answer) struct net_answer *late = next_answer(2000);

	ck_assert_ptr_nonnull(late);
	ck_assert_int_eq(late->error, -ETIMEDOUT);

	cleanup(net_answer) struct net_answer *other = get("/ok", 10, 2000);

	ck_assert_int_eq(other->status, 200);
	request.timeout_ms = 60000;
	ck_assert_int_eq(net_submit(net, &request), 0);
	poll(NULL, 0, 50);
	net_free(TAKE_PTR(net));
	ck_assert_uint_lt(now_ms() - start, 2000);
	poll(NULL, 0, RESOLVER_HANGS_MS); /* let libcurl's threads end: leak and race checkers */
}
END_TEST

START_TEST(unknown_host)
{
	/* Goal: a name that does not exist says so. */
	struct net_request request = {.url = "https://nowhere.test/", .timeout_ms = 5000};

	ck_assert_int_eq(net_submit(net, &request), 0);

	cleanup(net_answer) struct net_answer *answer = next_answer(5000);

	ck_assert_ptr_nonnull(answer);
	ck_assert_int_eq(answer->error, -EHOSTUNREACH);
}
END_TEST

START_TEST(what_is_sent)
{
	/* Goal: the request names us and carries no cookie, no credential, no encoding wish. */
	cleanup(net_answer) struct net_answer *answer = get("/user", 4096, 5000);

	ck_assert_int_eq(answer->status, 200);
	ck_assert_ptr_nonnull(strstr(answer->body, "User-Agent: identityd/"));
	ck_assert_ptr_null(strcasestr(answer->body, "cookie"));
	ck_assert_ptr_null(strcasestr(answer->body, "authorization"));
	ck_assert_ptr_null(strcasestr(answer->body, "accept-encoding"));
}
END_TEST

START_TEST(no_memory)
{
	/* Goal: without memory submit says so, and a body that finds none is an answer. */
	int n = 0;

	for (;; n++) {
		int rc;

		fail_at(n);
		rc = submit_to(server_port(server), "/chunked", 1000, 5000, NULL);
		if (!rc)
			break;
		ck_assert_int_eq(rc, -ENOMEM);
		ck_assert(fail_happened());
	}
	fail_at(-1);
	ck_assert_int_eq(n, 4); /* transfer, url, answer, body */
	net_answer_free(next_answer(5000));

	for (n = 0;; n++) {
		cleanup(net_answer) struct net_answer *answer = NULL;

		ck_assert_int_eq(submit_to(server_port(server), "/slow", 1000, 1000, NULL), 0);
		fail_at(n);
		answer = next_answer(5000);
		fail_at(-1);
		ck_assert_ptr_nonnull(answer);
		if (answer->error == -ETIMEDOUT)
			break;
		ck_assert_int_eq(answer->error, -ENOMEM);
	}
	ck_assert_int_ge(n, 1);
}
END_TEST

START_TEST(new_no_memory)
{
	/* Goal: net_new without memory says so and leaves nothing. */
	struct net *other = NULL;

	fail_at(0);
	ck_assert_int_eq(net_new(on_wake, &woken, &other), -ENOMEM);
	fail_at(-1);
	ck_assert_ptr_null(other);
}
END_TEST

static void stream(const char *path, size_t max_bytes, void *owner)
{
	char url[100];
	struct net_request request = {
		.url = url,
		.allow_http = true,
		.lines = true,
		.max_bytes = max_bytes,
		.timeout_ms = 5000,
		.owner = owner,
	};

	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", server_port(server), path);
	ck_assert_int_eq(net_submit(net, &request), 0);
}

static void expect_line(void *owner, bool more, const char *body)
{
	cleanup(net_answer) struct net_answer *answer = next_answer(10000);

	ck_assert_ptr_nonnull(answer);
	ck_assert_ptr_eq(answer->owner, owner);
	ck_assert_int_eq(answer->error, 0);
	ck_assert_int_eq(answer->status, 200);
	ck_assert_int_eq(answer->more, more);
	ck_assert_str_eq(answer->body, body);
	ck_assert_uint_eq(answer->body_len, strlen(body));
}

static void expect_end(void *owner, int error, long status)
{
	cleanup(net_answer) struct net_answer *answer = next_answer(10000);

	while (answer && answer->more) {
		net_answer_free(answer);
		answer = next_answer(10000);
	}
	ck_assert_ptr_nonnull(answer);
	ck_assert_ptr_eq(answer->owner, owner);
	ck_assert_int_eq(answer->error, error);
	ck_assert_int_eq(answer->status, status);
}

START_TEST(lines)
{
	/* Goal: each line of a stream is an answer, however it was cut on the way; empty ones are none. */
	stream("/lines", 11, &server);
	expect_line(&server, true, "first");
	expect_line(&server, true, "second line");
	expect_line(&server, true, "third");
	expect_line(&server, false, "rest");
}
END_TEST

START_TEST(lines_bad)
{
	/* Goal: a line above the ceiling, and one without an end, end the stream; an error is one body. */
	stream("/lines", 10, &server);
	expect_line(&server, true, "first");
	expect_end(&server, -EMSGSIZE, 0);
	stream("/endless", 1000, &server);
	expect_end(&server, -EMSGSIZE, 0);
	stream("/missing", 1000, &server);
	expect_end(&server, 0, 404);
}
END_TEST

START_TEST(lines_flood)
{
	/* Goal: a stream that nobody takes stands still at a bound, and goes on once somebody does. */
	struct net_answer *answer;
	unsigned before, after;
	size_t taken = 0;

	stream("/flood", 100, &server);
	before = atomic_load(&wakes);
	do {
		after = before;
		poll(NULL, 0, 300);
		before = atomic_load(&wakes);
	} while (before != after || after < NET_LINES_MAX);
	ck_assert_uint_lt(after, NET_LINES_MAX + 16384 / 16 + 1);
	while (taken < 3 * (size_t)after) {
		answer = next_answer(10000);
		ck_assert_ptr_nonnull(answer);
		ck_assert_str_eq(answer->body, "xxxxxxxxxxxxxxx");
		net_answer_free(answer);
		taken++;
	}
	net_cancel(net, &server);
	expect_end(&server, -ECANCELED, 0);
}
END_TEST

START_TEST(cancelled)
{
	/* Goal: what is cancelled ends soon, under way or waiting for a slot, and nothing else does. */
	int a, b;

	ck_assert_int_eq(submit_to(server_port(server), "/hang", 10, 60000, &a), 0);
	ck_assert_int_eq(submit_to(server_port(server), "/slow", 1000, 3000, &b), 0);
	stream("/hang", 100, &a);
	net_cancel(net, &a);
	net_cancel(net, &a);
	expect_end(&a, -ECANCELED, 0);
	expect_end(&a, -ECANCELED, 0);
	expect_end(&b, -ETIMEDOUT, 0);
}
END_TEST

START_TEST(cancelled_waiting)
{
	/* Goal: one that waits for a slot ends without getting one. */
	int a, b;

	for (int i = 0; i < NET_ACTIVE_MAX; i++)
		ck_assert_int_eq(submit_to(server_port(server), "/hang", 10, 60000, &a), 0);
	ck_assert_int_eq(submit_to(server_port(server), "/ok", 10, 60000, &b), 0);
	net_cancel(net, &b);
	expect_end(&b, -ECANCELED, 0);
}
END_TEST

static struct net_answer *get_tls(int port, const char *ca_file)
{
	char url[100];
	struct net_request request = {
		.url = url, .ca_file = ca_file, .max_bytes = 100, .timeout_ms = 5000};
	struct net_answer *answer;

	snprintf(url, sizeof(url), "https://127.0.0.1:%d/ok", port);
	ck_assert_int_eq(net_submit(net, &request), 0);
	answer = next_answer(10000);
	ck_assert_ptr_nonnull(answer);
	return answer;
}

static const struct {
	const char *name;
	bool give_ca;      /* trust the server's own certificate */
	bool for_loopback; /* the certificate is for the address we ask */
	int max_tls;
	int error;
} TLS[] = {
	{"trusted", true, true, 0, 0},
	{"tls 1.2", true, true, TLS1_2_VERSION, 0},
	{"not trusted", false, true, 0, -EKEYREJECTED},
	{"another's name", true, false, 0, -EKEYREJECTED},
	{"tls 1.1", true, true, TLS1_1_VERSION, -EPROTO},
};

START_TEST(tls)
{
	/* Goal: row 28: https holds only with a trusted certificate for that host over TLS 1.2 or later. */
	struct server_options options = {.max_tls = TLS[_i].max_tls};
	cleanup(net_answer) struct net_answer *answer = NULL;
	char ca_file[80];
	struct server *tls_server;

	snprintf(ca_file, sizeof(ca_file), "/tmp/unit_net.%d.pem", (int)getpid());
	cert_make(&options.key, &options.cert, TLS[_i].for_loopback);
	cert_write(options.cert, ca_file);
	tls_server = server_start(&options);
	answer = get_tls(server_port(tls_server), TLS[_i].give_ca ? ca_file : NULL);
	server_stop(tls_server);
	unlink(ca_file);
	EVP_PKEY_free(options.key);
	X509_free(options.cert);
	ck_assert_msg(answer->error == TLS[_i].error, "%s: %d %s", TLS[_i].name, answer->error,
		answer->why);
	if (!answer->error)
		ck_assert_str_eq(answer->body, "hello");
}
END_TEST

START_TEST(ca_missing)
{
	/* Goal: a CA file that is not there is an error that names it, never "trust all". */
	cleanup(net_answer) struct net_answer *answer =
		get_tls(server_port(server), "/nonexistent/ca.pem");

	ck_assert_int_eq(answer->error, -ENOENT);
	ck_assert_ptr_nonnull(strstr(answer->why, "/nonexistent/ca.pem"));
}
END_TEST

START_TEST(freshness)
{
	/* Goal: what the head says about keeping the answer arrives with it. */
	cleanup(net_answer) struct net_answer *tagged = get("/tagged", 10, 5000);
	cleanup(net_answer) struct net_answer *plain = get("/ok", 10, 5000);

	ck_assert_str_eq(tagged->etag, "\"v1\"");
	ck_assert_int_eq(tagged->max_age_s, 120);
	ck_assert_int_eq(tagged->age_s, 20);
	ck_assert_str_eq(plain->etag, "");
	ck_assert_int_eq(plain->max_age_s, -1);
}
END_TEST

static struct net_answer *ask(struct net_request request, const char *host, const char *path)
{
	char url[200];
	struct net_answer *answer;

	snprintf(url, sizeof(url), "http://%s:%d%s", host, server_port(server), path);
	request.url = url;
	request.timeout_ms = 5000;
	request.max_bytes = 4096;
	ck_assert_int_eq(net_submit(net, &request), 0);
	answer = next_answer(10000);
	ck_assert_ptr_nonnull(answer);
	return answer;
}

static const char *const LOOPBACK[] = {"127.0.0.0/8"};
static const char *const OTHER[] = {"10.0.0.0/8"};

static const struct {
	const char *host;
	struct net_request request;
	int error;
} PLACES[] = {
	{"127.0.0.1", {.allow_http = true}, 0},
	{"127.0.0.1", {0}, 0},
	{"inside.test", {.allow_http = true}, -EACCES},
	{"inside.test", {.allow_http = true, .networks = OTHER, .n_networks = 1}, -EACCES},
	{"inside.test", {.allow_http = true, .networks = LOOPBACK, .n_networks = 1}, 0},
};

START_TEST(places)
{
	/* Goal: row 26: a name that leads to this machine is asked only if its network is allowed. */
	cleanup(net_answer) struct net_answer *answer =
		ask(PLACES[_i].request, PLACES[_i].host, "/ok");

	ck_assert_msg(answer->error == PLACES[_i].error, "%d %s", answer->error, answer->why);
	ck_assert_uint_eq(server_connections(server), answer->error ? 0 : 1);
	if (answer->error)
		ck_assert_ptr_nonnull(strstr(answer->why, "networks"));
}
END_TEST

START_TEST(kept_connection)
{
	/* Goal: a connection that was kept serves the next request, not one with stricter rules. */
	struct net_request free_ = {.allow_http = true, .networks = LOOPBACK, .n_networks = 1};
	struct net_request strict = {.allow_http = true};
	cleanup(net_answer) struct net_answer *first = ask(free_, "inside.test", "/kept");
	cleanup(net_answer) struct net_answer *second = ask(free_, "inside.test", "/kept");
	cleanup(net_answer) struct net_answer *third = ask(strict, "inside.test", "/kept");

	ck_assert_msg(!first->error && !second->error, "%s %s", first->why, second->why);
	ck_assert_uint_eq(server_connections(server), 1);
	ck_assert_int_eq(third->error, -EACCES);
	ck_assert_uint_eq(server_hits(server), 2);
}
END_TEST

START_TEST(post)
{
	/* Goal: a POST carries its body and headers, and asks for no permission first. */
	static const char *const HEADERS[] = {
		"Content-Type: application/x-www-form-urlencoded", "Authorization: Basic eDp5"};
	struct net_request request = {.headers = HEADERS, .n_headers = 2, .post = "token=a&b=c"};
	cleanup(net_answer) struct net_answer *answer = ask(request, "127.0.0.1", "/kept");

	ck_assert_msg(!answer->error, "%s", answer->why);
	ck_assert_int_eq(strncmp(answer->body, "POST /kept ", 11), 0);
	ck_assert_ptr_nonnull(strstr(answer->body, "Authorization: Basic eDp5\r\n"));
	ck_assert_ptr_nonnull(
		strstr(answer->body, "Content-Type: application/x-www-form-urlencoded\r\n"));
	ck_assert_ptr_null(strcasestr(answer->body, "expect:"));
	ck_assert_ptr_nonnull(strstr(answer->body, "\r\n\r\ntoken=a&b=c"));
}
END_TEST

START_TEST(proxy)
{
	/* Goal: with a proxy it is asked for a tunnel, and hears no header that is for the server. */
	static const char *const HEADERS[] = {"Authorization: Bearer secret-word"};
	char url[64];
	struct net_request request = {
		.url = "https://idp.test/keys",
		.proxy = url,
		.headers = HEADERS,
		.n_headers = 1,
		.timeout_ms = 2000,
	};
	cleanup(net_answer) struct net_answer *answer = NULL;

	snprintf(url, sizeof(url), "http://127.0.0.1:%d", server_port(server));
	ck_assert_int_eq(net_submit(net, &request), 0);
	answer = next_answer(5000);
	ck_assert_ptr_nonnull(answer);
	ck_assert_int_ne(answer->error, 0); /* this one makes no tunnels */
	ck_assert_uint_eq(server_hits(server), 1);
	ck_assert_int_eq(strncmp(server_last_head(server), "CONNECT idp.test:443 ", 21), 0);
	ck_assert_ptr_null(strstr(server_last_head(server), "secret-word"));
}
END_TEST

START_TEST(client_certificate)
{
	/* Goal: a server that wants a certificate gets ours, and refuses who has none. */
	struct server_options options = {0};
	char cert[80], key[80], url[100];
	struct net_request request = {
		.url = url, .ca_file = cert, .max_bytes = 100, .timeout_ms = 5000};
	struct server *tls_server;

	snprintf(cert, sizeof(cert), "/tmp/unit_net.%d.crt", (int)getpid());
	snprintf(key, sizeof(key), "/tmp/unit_net.%d.key", (int)getpid());
	cert_make(&options.key, &options.cert, true);
	cert_write(options.cert, cert);
	cert_write_key(options.key, key);
	options.client_ca = options.cert;
	tls_server = server_start(&options);
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/ok", server_port(tls_server));
	for (int with = 0; with < 2; with++) {
		cleanup(net_answer) struct net_answer *answer = NULL;

		request.cert_file = with ? cert : NULL;
		request.key_file = with ? key : NULL;
		ck_assert_int_eq(net_submit(net, &request), 0);
		answer = next_answer(10000);
		ck_assert_ptr_nonnull(answer);
		ck_assert_msg((answer->error == 0) == with, "%s", answer->why);
	}
	server_stop(tls_server);
	unlink(cert);
	unlink(key);
	EVP_PKEY_free(options.key);
	X509_free(options.cert);
}
END_TEST

static void add_bad(TCase *tc)
{
	tcase_add_loop_test(tc, bad, 0, ARRAY_SIZE(BAD));
	tcase_add_test(tc, refused);
	tcase_add_test(tc, bad_scheme);
	tcase_add_test(tc, slots_taken);
	tcase_add_test(tc, queue_full);
	tcase_add_test(tc, free_while_hanging);
	tcase_add_test(tc, resolver_hangs);
	tcase_add_test(tc, unknown_host);
	tcase_add_test(tc, no_memory);
	tcase_add_test(tc, new_no_memory);
	tcase_add_test(tc, ca_missing);
}

Suite *suite_net(void)
{
	Suite *s = suite_create("net/net");
	TCase *tc = tcase_create("net");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, good, 0, ARRAY_SIZE(GOOD));
	tcase_add_test(tc, parallel);
	tcase_add_test(tc, many_threads);
	tcase_add_test(tc, free_with_answers);
	tcase_add_test(tc, what_is_sent);
	tcase_add_test(tc, freshness);
	tcase_add_loop_test(tc, places, 0, ARRAY_SIZE(PLACES));
	tcase_add_test(tc, kept_connection);
	tcase_add_test(tc, post);
	tcase_add_test(tc, proxy);
	tcase_add_test(tc, client_certificate);
	tcase_add_test(tc, lines);
	tcase_add_test(tc, lines_bad);
	tcase_add_test(tc, lines_flood);
	tcase_add_test(tc, cancelled);
	tcase_add_test(tc, cancelled_waiting);
	tcase_add_loop_test(tc, tls, 0, ARRAY_SIZE(TLS));
	add_bad(tc);
	suite_add_tcase(s, tc);
	return s;
}
