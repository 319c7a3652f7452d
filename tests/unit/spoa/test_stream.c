#include "tests/unit/spoa/suites.h"

#include "spoa/stream.h"
#include "spoa/tls.h"
#include "tests/unit/spoa/help.h"
#include "tests/unit/spoa/pki.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Both ends in one thread: nothing blocks, so each is asked in turn. */
static struct pki pki;
static struct conf_listen conf;
static struct base_diag diag;
static struct ssl_ctx_st *context;
static struct spoa_stream stream;
static SSL_CTX *client_context;
static SSL *client;
static int fd;

static void setup(void)
{
	pki_new(&pki);
	base_diag_init(&diag, "f");
	conf = (struct conf_listen){.tls = {.cert = pki.cert, .key = pki.key}};
	fd = -1;
}

static void teardown(void)
{
	SSL_free(client);
	SSL_CTX_free(client_context);
	client = NULL;
	client_context = NULL;
	spoa_stream_done(&stream);
	spoa_tls_free(context);
	context = NULL;
	base_diag_done(&diag);
	if (fd >= 0)
		close(fd);
	pki_free(&pki);
}

static void open_pair(int small)
{
	int fds[2];

	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	if (small)
		ck_assert_int_eq(
			setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	fd = fds[0];
	ck_assert_int_eq(spoa_stream_init(&stream, fds[1], context), 0);
}

static void open_tls(const char *cert, const char *key, int small)
{
	ck_assert_int_eq(spoa_tls_new(&conf, &context, &diag), 0);
	ck_assert_msg(diag.n_found == 0, "%s", diag.n_found ? diag.items[0].text : "");
	open_pair(small);
	client_context = SSL_CTX_new(TLS_client_method());
	ck_assert_int_eq(SSL_CTX_load_verify_file(client_context, pki.ca), 1);
	SSL_CTX_set_verify(client_context, SSL_VERIFY_PEER, NULL);
	if (cert) {
		ck_assert_int_eq(SSL_CTX_use_certificate_chain_file(client_context, cert), 1);
		ck_assert_int_eq(
			SSL_CTX_use_PrivateKey_file(client_context, key, SSL_FILETYPE_PEM), 1);
	}
	client = SSL_new(client_context);
	ck_assert_int_eq(SSL_set_fd(client, fd), 1);
}

/* Handshakes and sends one byte; what the stream's last read said. */
static ssize_t greet(void)
{
	ssize_t got = -EAGAIN;
	unsigned char byte;

	for (int i = 0; i < 20 && got == -EAGAIN; i++) {
		if (SSL_connect(client) == 1)
			(void)!SSL_write(client, "x", 1);
		got = spoa_stream_read(&stream, &byte, 1);
	}
	return got;
}

START_TEST(plain)
{
	/* Without a context bytes pass as they are; EAGAIN and the end are told apart. */
	char buf[8];

	open_pair(0);
	ck_assert_int_eq(spoa_stream_read(&stream, buf, 8), -EAGAIN);
	ck_assert_int_eq(send(fd, "abc", 3, 0), 3);
	ck_assert_int_eq(spoa_stream_read(&stream, buf, 8), 3);
	ck_assert_int_eq(spoa_stream_write(&stream, "de", 2), 2);
	ck_assert_int_eq(recv(fd, buf, 8, 0), 2);
	ck_assert(!spoa_stream_pending(&stream));
	ck_assert(!spoa_stream_verified(&stream));
	shutdown(fd, SHUT_WR);
	ck_assert_int_eq(spoa_stream_read(&stream, buf, 8), 0);
	shutdown(fd, SHUT_RDWR);
	ck_assert_int_eq(spoa_stream_write(&stream, "de", 2), -EPIPE);
}
END_TEST

START_TEST(both_ways)
{
	/* Under TLS a megabyte passes each way through a small socket, in whatever pieces. */
	static unsigned char sent[1 << 20], back[1 << 20];
	size_t n_in = 0, n_out = 0, n_back = 0;

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (unsigned char)(i * 2654435761U >> 13);
	open_tls(NULL, NULL, 4096);
	ck_assert_int_eq(greet(), 1);
	for (size_t written = 0; n_back < sizeof(back);) {
		static unsigned char held[sizeof(sent)];
		size_t n = 0;
		ssize_t rc;

		if (written < sizeof(sent) &&
			SSL_write_ex(client, sent + written,
				sizeof(sent) - written > 9000 ? 9000 : sizeof(sent) - written, &n))
			written += n;
		rc = spoa_stream_read(&stream, held + n_in, sizeof(held) - n_in);
		ck_assert(rc > 0 || rc == -EAGAIN || n_in == sizeof(held));
		n_in += rc > 0 ? (size_t)rc : 0;
		if (n_out < n_in) {
			rc = spoa_stream_write(&stream, held + n_out, n_in - n_out);
			ck_assert(rc > 0 || rc == -EAGAIN);
			n_out += rc > 0 ? (size_t)rc : 0;
		}
		while (SSL_read_ex(client, back + n_back, sizeof(back) - n_back, &n))
			n_back += n;
	}
	ck_assert_mem_eq(sent, back, sizeof(sent));
	ck_assert(!spoa_stream_verified(&stream));
}
END_TEST

START_TEST(pending)
{
	/* What one read left inside TLS is told, since no event of the socket will. */
	unsigned char some[3000];

	open_tls(NULL, NULL, 0);
	ck_assert_int_eq(greet(), 1);
	memset(some, 'a', sizeof(some));
	ck_assert_int_eq(SSL_write(client, some, sizeof(some)), sizeof(some));
	ck_assert_int_eq(SSL_write(client, some, sizeof(some)), sizeof(some));
	ck_assert_int_eq(spoa_stream_read(&stream, some, 100), 100);
	ck_assert(spoa_stream_pending(&stream));
	for (int n = 100; n < 6000; n += 100)
		ck_assert_int_eq(spoa_stream_read(&stream, some, 100), 100);
	ck_assert(!spoa_stream_pending(&stream));
	ck_assert_int_eq(spoa_stream_read(&stream, some, 100), -EAGAIN);
	SSL_shutdown(client);
	ck_assert_int_eq(spoa_stream_read(&stream, some, 100), 0);
}
END_TEST

START_TEST(no_goodbye)
{
	/* A peer that closes without TLS's goodbye, as HAProxy may, has ended like any other. */
	unsigned char byte;

	open_tls(NULL, NULL, 0);
	ck_assert_int_eq(greet(), 1);
	shutdown(fd, SHUT_RDWR);
	ck_assert_int_eq(spoa_stream_read(&stream, &byte, 1), 0);
}
END_TEST

/* A client with this certificate, a listener that asks like this: what comes of it. */
static const struct {
	enum conf_client client;
	const char *name; /* the listener wants */
	int who;          /* 0: no certificate, 1: of our CA, 2: of another */
	ssize_t got;
	bool verified;
} CLIENTS[] = {
	{CONF_CLIENT_REQUIRED, NULL, 0, -EPROTO, false},
	{CONF_CLIENT_REQUIRED, NULL, 1, 1, true},
	{CONF_CLIENT_REQUIRED, NULL, 2, -EPROTO, false},
	{CONF_CLIENT_OPTIONAL, NULL, 0, 1, false},
	{CONF_CLIENT_OPTIONAL, NULL, 1, 1, true},
	{CONF_CLIENT_OPTIONAL, NULL, 2, -EPROTO, false},
	{CONF_CLIENT_REQUIRED, PKI_CLIENT_NAME, 1, 1, true},
	{CONF_CLIENT_REQUIRED, "other.example.com", 1, -EPROTO, false},
	{CONF_CLIENT_OPTIONAL, "other.example.com", 1, -EPROTO, false},
};

START_TEST(clients)
{
	/* Only a certificate of the CA, with a wanted name, makes a peer verified. */
	char *names[] = {(char *)"haproxy-9.example.com", (char *)CLIENTS[_i].name};
	const char *certs[] = {NULL, pki.client_cert, pki.other_cert};
	const char *keys[] = {NULL, pki.client_key, pki.other_key};
	char why[200];

	conf.tls.client_ca = pki.ca;
	conf.tls.client = (int)CLIENTS[_i].client;
	if (CLIENTS[_i].name)
		conf.tls.client_names = (struct conf_strings){names, 2};
	open_tls(certs[CLIENTS[_i].who], keys[CLIENTS[_i].who], 0);
	ck_assert_int_eq(greet(), CLIENTS[_i].got);
	ck_assert_int_eq(spoa_stream_verified(&stream), CLIENTS[_i].verified);
	if (CLIENTS[_i].got != -EPROTO)
		return;
	spoa_stream_why(&stream, why, sizeof(why));
	ck_assert_ptr_nonnull(strstr(why, "certificate"));
}
END_TEST

START_TEST(resumed)
{
	/* A resumed session is the same peer: verified without showing the certificate again. */
	SSL_SESSION *session;

	conf.tls.client_ca = pki.ca;
	open_tls(pki.client_cert, pki.client_key, 0);
	ck_assert_int_eq(greet(), 1);
	(void)!spoa_stream_write(&stream, "y", 1);
	ck_assert_int_eq(SSL_read(client, &(char){0}, 1), 1); /* and the tickets before it */
	session = SSL_get1_session(client);
	SSL_set_shutdown(client, SSL_SENT_SHUTDOWN); /* or OpenSSL drops the session */
	SSL_free(client);
	spoa_stream_done(&stream);
	close(fd);
	open_pair(0);
	client = SSL_new(client_context);
	ck_assert_int_eq(SSL_set_fd(client, fd), 1);
	ck_assert_int_eq(SSL_set_session(client, session), 1);
	ck_assert_int_eq(greet(), 1);
	ck_assert(SSL_session_reused(client));
	ck_assert(spoa_stream_verified(&stream));
	SSL_SESSION_free(session);
}
END_TEST

START_TEST(old_version)
{
	/* TLS 1.1 is refused; 1.2 and 1.3 are served. */
	static const int VERSIONS[] = {TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};

	open_tls(NULL, NULL, 0);
	SSL_set_security_level(client, 0);
	ck_assert_int_eq(SSL_set_min_proto_version(client, VERSIONS[_i]), 1);
	ck_assert_int_eq(SSL_set_max_proto_version(client, VERSIONS[_i]), 1);
	ck_assert_int_eq(greet(), VERSIONS[_i] == TLS1_1_VERSION ? -EPROTO : 1);
}
END_TEST

START_TEST(no_tls)
{
	/* A peer that talks SPOP in the clear, or nonsense, is refused at its first bytes. */
	unsigned char byte;

	ck_assert_int_eq(spoa_tls_new(&conf, &context, &diag), 0);
	open_pair(0);
	ck_assert_int_eq(send(fd, "\0\0\0\x52\x01\0\0\0\x01\0\0", 11, 0), 11);
	ck_assert_int_eq(spoa_stream_read(&stream, &byte, 1), -EPROTO);
}
END_TEST

START_TEST(long_handshake)
{
	/* A handshake that does not end is ended by its length, long before the deadline. */
	unsigned char record[5 + 16384] = {22, 3, 1, 0x40, 0, 1, 0, 0xff, 0xf0};
	unsigned char byte;
	ssize_t got = -EAGAIN;
	size_t sent = 0;

	ck_assert_int_eq(spoa_tls_new(&conf, &context, &diag), 0);
	open_pair(0);
	while (got == -EAGAIN && sent < 1 << 20) {
		ssize_t n = send(fd, record, sizeof(record), 0);

		sent += n > 0 ? (size_t)n : 0;
		got = spoa_stream_read(&stream, &byte, 1);
	}
	ck_assert_int_eq(got, -EPROTO);
	ck_assert_uint_le(sent, SPOA_STREAM_HANDSHAKE + 2 * sizeof(record));
}
END_TEST

Suite *suite_stream(void)
{
	Suite *suite = suite_create("stream");
	TCase *tc = tcase_create("stream");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, plain);
	tcase_add_test(tc, both_ways);
	tcase_add_test(tc, pending);
	tcase_add_test(tc, no_goodbye);
	tcase_add_loop_test(tc, clients, 0, ARRAY_SIZE(CLIENTS));
	tcase_add_test(tc, resumed);
	tcase_add_loop_test(tc, old_version, 0, 3);
	tcase_add_test(tc, no_tls);
	tcase_add_test(tc, long_handshake);
	suite_add_tcase(suite, tc);
	return suite;
}
