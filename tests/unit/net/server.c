#include "tests/unit/net/server.h"

#include <arpa/inet.h>
#include <check.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNS_MAX 1024
#define TICK_MS   50

struct conn {
	struct server *server;
	pthread_t thread;
	int fd;
	SSL *ssl;
	bool goes_on;
	char head[4096];
};

struct server {
	int fd;
	int port;
	int stop_fd; /* readable for ever once stopping */
	SSL_CTX *tls;
	pthread_t acceptor;
	struct conn conns[CONNS_MAX]; /* here, so that failing allocations leave us alone */
	unsigned n_conns;
	atomic_uint hits;
	atomic_uint n_accepted;
};

static bool put(struct conn *c, const void *p, size_t n)
{
	if (c->ssl)
		return SSL_write(c->ssl, p, (int)n) == (int)n;
	return send(c->fd, p, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static bool put_text(struct conn *c, const char *text)
{
	return put(c, text, strlen(text));
}

/* Waits; false when the peer went away or the server stops. */
static bool sleep_ms(struct conn *c, int ms)
{
	struct pollfd fds[] = {
		{.fd = c->fd, .events = POLLRDHUP},
		{.fd = c->server->stop_fd, .events = POLLIN},
	};

	return poll(fds, 2, ms) == 0;
}

static void do_big(struct conn *c)
{
	char body[1000];

	memset(body, 'x', sizeof(body));
	put_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n");
	put(c, body, sizeof(body));
}

static void do_chunked(struct conn *c)
{
	put_text(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
	for (int i = 0; i < 100; i++)
		put_text(c, "a\r\n0123456789\r\n");
	put_text(c, "0\r\n\r\n");
}

/* Lines that are cut at every place, an empty one, and one that does not end. */
static void do_lines(struct conn *c)
{
	static const char TEXT[] = "first\n\nsecond line\nthird\nrest";

	put_text(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
	for (size_t i = 0; TEXT[i]; i++) {
		char piece[8];

		snprintf(piece, sizeof(piece), "1\r\n%c\r\n", TEXT[i]);
		put_text(c, piece);
	}
	put_text(c, "0\r\n\r\n");
}

static void do_flood(struct conn *c)
{
	char body[64 * 16];

	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = i % 16 == 15 ? '\n' : 'x';
	put_text(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	while (sleep_ms(c, 0) && put(c, body, sizeof(body)))
		;
}

static void do_endless(struct conn *c)
{
	char body[4096];

	memset(body, 'x', sizeof(body));
	put_text(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	while (sleep_ms(c, 0) && put(c, body, sizeof(body)))
		;
}

static void do_headers(struct conn *c)
{
	put_text(c, "HTTP/1.1 200 OK\r\n");
	while (sleep_ms(c, 0) && put_text(c, "X-Filler: 0123456789012345678901234567890\r\n"))
		;
}

static void do_slow(struct conn *c)
{
	put_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
	while (put_text(c, "x") && sleep_ms(c, TICK_MS))
		;
}

static void do_hang(struct conn *c)
{
	while (sleep_ms(c, 1000))
		;
}

static void do_user(struct conn *c)
{
	put_text(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	put_text(c, c->head);
}

/* What the head says follows it, as far as it is here already: the tests send little. */
static void do_kept(struct conn *c)
{
	char text[8192];
	size_t n = strlen(c->head);
	const char *length = strcasestr(c->head, "content-length: ");
	size_t want = (size_t)(strstr(c->head, "\r\n\r\n") + 4 - c->head) +
		      (length ? (size_t)atoi(length + 16) : 0);

	while (n < want && n < sizeof(c->head) - 1) {
		int got = c->ssl ? SSL_read(c->ssl, c->head + n, (int)(want - n))
				 : (int)recv(c->fd, c->head + n, want - n, 0);

		if (got <= 0)
			return;
		n += (size_t)got;
		c->head[n] = '\0';
	}
	snprintf(
		text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", n, c->head);
	put_text(c, text);
	c->goes_on = true;
}

static void do_close(struct conn *c)
{
	(void)c;
}

static const struct {
	const char *path;
	const char *answer;
	void (*act)(struct conn *c);
} BEHAVIOURS[] = {
	{"/ok", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", NULL},
	{"/empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", NULL},
	{"/missing", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", NULL},
	{"/moved", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n", NULL},
	{"/cut", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", NULL},
	{"/noise", "\001\002\377 this is not HTTP\r\n\r\n", NULL},
	{"/big", NULL, do_big},
	{"/chunked", NULL, do_chunked},
	{"/endless", NULL, do_endless},
	{"/lines", NULL, do_lines},
	{"/flood", NULL, do_flood},
	{"/headers", NULL, do_headers},
	{"/slow", NULL, do_slow},
	{"/hang", NULL, do_hang},
	{"/close", NULL, do_close},
	{"/user", NULL, do_user},
	{"/kept", NULL, do_kept},
	{"/tagged",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\nETag: \"v1\"\r\n"
		"Cache-Control: public, max-age=120\r\nAge: 20\r\n\r\nx",
		NULL},
};

static bool read_head(struct conn *c)
{
	size_t n = 0;

	while (n < sizeof(c->head) - 1) {
		char *at = c->head + n;
		int room = (int)(sizeof(c->head) - 1 - n);
		int got = c->ssl ? SSL_read(c->ssl, at, room) : (int)recv(c->fd, at, room, 0);

		if (got <= 0)
			return false;
		n += got;
		c->head[n] = '\0';
		if (strstr(c->head, "\r\n\r\n"))
			return true;
	}
	return false;
}

static void serve_head(struct conn *c)
{
	const char *path = strchr(c->head, ' ') + 1;

	atomic_fetch_add(&c->server->hits, 1);
	for (size_t i = 0; i < sizeof(BEHAVIOURS) / sizeof(BEHAVIOURS[0]); i++) {
		size_t n = strlen(BEHAVIOURS[i].path);

		if (strncmp(path, BEHAVIOURS[i].path, n) || path[n] != ' ')
			continue;
		if (BEHAVIOURS[i].act)
			BEHAVIOURS[i].act(c);
		else
			put_text(c, BEHAVIOURS[i].answer);
		return;
	}
}

static void *serve(void *arg)
{
	struct conn *c = arg;

	if (c->server->tls) {
		c->ssl = SSL_new(c->server->tls);
		SSL_set_fd(c->ssl, c->fd);
	}
	if (!c->ssl || SSL_accept(c->ssl) == 1)
		do {
			c->goes_on = false;
			if (read_head(c))
				serve_head(c);
		} while (c->goes_on);
	if (c->ssl) {
		SSL_shutdown(c->ssl);
		SSL_free(c->ssl);
	}
	close(c->fd);
	return NULL;
}

static void *accept_all(void *arg)
{
	struct server *s = arg;
	struct pollfd fds[] = {
		{.fd = s->fd, .events = POLLIN},
		{.fd = s->stop_fd, .events = POLLIN},
	};

	for (;;) {
		poll(fds, 2, -1);
		if (fds[1].revents || s->n_conns == CONNS_MAX)
			return NULL;

		int fd = accept(s->fd, NULL, NULL);
		/* A client that says nothing must not hold up server_stop. */
		struct timeval patience = {.tv_sec = 5};
		struct conn *c = &s->conns[s->n_conns++];

		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		atomic_fetch_add(&s->n_accepted, 1);
		c->server = s;
		c->fd = fd;
		pthread_create(&c->thread, NULL, serve, c);
	}
}

static int listen_tcp(int *ret_port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*ret_port = ntohs(sin.sin_port);
	return fd;
}

static int listen_unix(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	unlink(path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static SSL_CTX *tls_new(const struct server_options *o)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	ck_assert_ptr_nonnull(tls);
	ck_assert_int_eq(SSL_CTX_use_certificate(tls, o->cert), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(tls, o->key), 1);
	if (o->client_ca) {
		X509_STORE_add_cert(SSL_CTX_get_cert_store(tls), o->client_ca);
		SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
	if (o->max_tls) {
		SSL_CTX_set_security_level(tls, 0);
		SSL_CTX_set_min_proto_version(tls, TLS1_VERSION);
		SSL_CTX_set_max_proto_version(tls, o->max_tls);
	}
	return tls;
}

struct server *server_start(const struct server_options *options)
{
	struct server *s = calloc(1, sizeof(*s));

	ck_assert_ptr_nonnull(s);
	s->fd = options->unix_path ? listen_unix(options->unix_path) : listen_tcp(&s->port);
	s->stop_fd = eventfd(0, EFD_CLOEXEC);
	s->tls = options->cert ? tls_new(options) : NULL;
	ck_assert_int_eq(listen(s->fd, 128), 0);
	ck_assert_int_eq(pthread_create(&s->acceptor, NULL, accept_all, s), 0);
	return s;
}

void server_stop(struct server *s)
{
	if (!s)
		return;
	ck_assert_int_eq(eventfd_write(s->stop_fd, 1), 0);
	pthread_join(s->acceptor, NULL);
	for (unsigned i = 0; i < s->n_conns; i++)
		pthread_join(s->conns[i].thread, NULL);
	close(s->fd);
	close(s->stop_fd);
	SSL_CTX_free(s->tls);
	free(s);
}

int server_port(const struct server *s)
{
	return s->port;
}

unsigned server_hits(struct server *s)
{
	return atomic_load(&s->hits);
}

const char *server_last_head(struct server *s)
{
	unsigned n = server_connections(s);

	return n ? s->conns[n - 1].head : "";
}

unsigned server_connections(struct server *s)
{
	return atomic_load(&s->n_accepted);
}

int server_closed_port(void)
{
	int port;

	close(listen_tcp(&port));
	return port;
}
