#include "tests/unit/spoa/suites.h"

#include "spoa/public.h"
#include "spoa/routes.h"
#include "spoa/status.h"
#include "tests/unit/net/cert.h"
#include "tests/unit/spoa/help.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/socket.h>

static struct ev_loop *loop;
static struct spoa_public *public;
static struct conf *conf;
static char dir[64];
static int port;

static void setup(void)
{
	help_mkdir(dir);
	loop = ev_loop_new(EVFLAG_AUTO);
}

static void teardown(void)
{
	spoa_public_free(TAKE_PTR(public));
	ev_loop_destroy(loop);
	conf_free(TAKE_PTR(conf));
	help_rmdir(dir);
}

static int listening(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	port = ntohs(sin.sin_port);
	return fd;
}

static int open_with(const char *tls, char why[SPOA_PUBLIC_WHY])
{
	char yaml[1024];

	snprintf(yaml, sizeof(yaml), HELP_HEAD HELP_ONE "public: {tcp: '127.0.0.1:1'%s}\n", tls);
	conf = help_conf(yaml);
	ck_assert(spoa_public_is_on(conf));
	return spoa_public_new(loop, listening(), conf, NULL, &public, why);
}

static int connected(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

/* The status of GET path; 0 when there is no answer. */
static int status_of(const char *path)
{
	char text[2048] = "";
	int fd = connected();
	int n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);

	ck_assert_int_eq(send(fd, text, (size_t)n, MSG_NOSIGNAL), n);
	for (int i = 0; i < 200; i++) {
		ssize_t got;

		ev_run(loop, EVRUN_NOWAIT);
		got = recv(fd, text, sizeof(text) - 1, 0);
		if (got > 0) {
			text[got] = '\0';
			break;
		}
		text[0] = '\0';
		usleep(2000);
	}
	close(fd);
	return *text ? atoi(text + 9) : 0;
}

START_TEST(routes)
{
	/* Health is there; every route of the admin interface, and any other path, is 404. */
	static const char *const OTHERS[] = {
		"/", "/api/v1/status", "/healthz/", "/health/", "/api"};
	char why[SPOA_PUBLIC_WHY];

	ck_assert_int_eq(open_with("", why), 0);
	ck_assert_int_eq(status_of("/health"), 200);
	for (size_t i = 0; i < spoa_admin_n_routes; i++)
		ck_assert_int_eq(status_of(spoa_admin_routes[i].path), 404);
	for (size_t i = 0; i < ARRAY_SIZE(OTHERS); i++)
		ck_assert_int_eq(status_of(OTHERS[i]), 404);
}
END_TEST

START_TEST(off)
{
	/* Without an address there is no such listener. */
	conf = help_conf(HELP_HEAD HELP_ONE);
	ck_assert(!spoa_public_is_on(conf));
}
END_TEST

/* A self-signed certificate and its key, in two files. */
static void write_pair(const char *cert_path, const char *key_path)
{
	EVP_PKEY *key;
	X509 *cert;
	FILE *to = fopen(key_path, "w");

	ck_assert_ptr_nonnull(to);
	cert_make(&key, &cert, true);
	cert_write(cert, cert_path);
	ck_assert_int_eq(PEM_write_PrivateKey(to, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(to);
	EVP_PKEY_free(key);
	X509_free(cert);
}

/* Does a TLS client that can do no more than this version get an answer? */
static bool talks(int max_version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl;
	int fd = connected();
	char text[64] = "";
	bool done = false;

	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(ctx, max_version);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	SSL_set_connect_state(ssl);
	for (int i = 0; i < 500 && !done; i++) {
		static const char GET[] = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
		int rc = SSL_is_init_finished(ssl) ? 1 : SSL_do_handshake(ssl);

		ev_run(loop, EVRUN_NOWAIT);
		if (rc < 0 && SSL_get_error(ssl, rc) != SSL_ERROR_WANT_READ)
			break;
		if (rc == 1 && !*text && SSL_write(ssl, GET, sizeof(GET) - 1) > 0)
			text[0] = '?';
		if (rc == 1 && SSL_read(ssl, text, sizeof(text) - 1) > 1)
			done = !strncmp(text, "HTTP/1.1 200 ", 13);
		usleep(1000);
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
	return done;
}

START_TEST(tls)
{
	/* With a certificate the listener speaks TLS, 1.2 or later, and no plain HTTP. */
	char cert[96], key[96], keys[256], why[SPOA_PUBLIC_WHY];

	snprintf(cert, sizeof(cert), "%s/cert.pem", dir);
	snprintf(key, sizeof(key), "%s/key.pem", dir);
	snprintf(keys, sizeof(keys), ", tls_cert: %s, tls_key: %s", cert, key);
	write_pair(cert, key);
	ck_assert_int_eq(open_with(keys, why), 0);
	ck_assert(talks(TLS1_3_VERSION));
	ck_assert(talks(TLS1_2_VERSION));
	ck_assert(!talks(TLS1_1_VERSION));
	ck_assert_int_ne(status_of("/health"), 200);
}
END_TEST

START_TEST(bad_tls)
{
	/* Files that are missing or no certificate are refused at start, with the reason. */
	char path[96], keys[256], why[SPOA_PUBLIC_WHY];

	ck_assert_int_eq(
		open_with(", tls_cert: /nonexistent/c.pem, tls_key: /nonexistent/k.pem", why),
		-ENOENT);
	ck_assert_str_eq(why, "/nonexistent/c.pem: No such file or directory");
	conf_free(TAKE_PTR(conf));
	snprintf(path, sizeof(path), "%s/noise.pem", dir);
	help_write(path, "this is no PEM\n");
	snprintf(keys, sizeof(keys), ", tls_cert: %s, tls_key: %s", path, path);
	ck_assert_int_eq(open_with(keys, why), -EKEYREJECTED);
	ck_assert_str_eq(why, "certificate and key cannot be used");
	ck_assert_ptr_null(public);
}
END_TEST

Suite *suite_public(void)
{
	Suite *suite = suite_create("public");
	TCase *tc = tcase_create("public");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, routes);
	tcase_add_test(tc, off);
	tcase_add_test(tc, tls);
	tcase_add_test(tc, bad_tls);
	suite_add_tcase(suite, tc);
	return suite;
}
