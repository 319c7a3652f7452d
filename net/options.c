/* The options of one exchange, and the functions that libcurl calls during it. */

#include "net/header.h"
#include "net/transfer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/* What never depends on the request. */
static const struct {
	CURLoption option;
	long value;
} FIXED[] = {
	{CURLOPT_NOSIGNAL, 1},
	{CURLOPT_NOPROGRESS, 1},
	{CURLOPT_FOLLOWLOCATION, 0},
	{CURLOPT_MAXREDIRS, 0},
	{CURLOPT_NETRC, CURL_NETRC_IGNORED},
	{CURLOPT_DISALLOW_USERNAME_IN_URL, 1},
	{CURLOPT_HTTP09_ALLOWED, 0},
	{CURLOPT_HTTPPROXYTUNNEL, 1},
	{CURLOPT_HEADEROPT, CURLHEADER_SEPARATE},
	{CURLOPT_TCP_KEEPALIVE, 1},
	{CURLOPT_SSL_VERIFYPEER, 1},
	{CURLOPT_SSL_VERIFYHOST, 2},
	{CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
#if LIBCURL_VERSION_NUM >= 0x075700
	/* A name server that hangs would hold up the whole thread when its request ends. */
	{CURLOPT_QUICK_EXIT, 1},
#endif
};

/* Room for n more bytes and the NUL; doubles, but never past the ceiling. */
static int body_grow(struct net_transfer *t, size_t n)
{
	size_t need = t->answer->body_len + n + 1; /* at most max_bytes + 1: the caller checked */
	size_t room = t->body_room;
	char *grown;

	if (need <= room)
		return 0;
	room = room > t->max_bytes / 2 ? t->max_bytes + 1 : room * 2;
	if (room < need)
		room = need;
	grown = realloc(t->answer->body, room);
	if (!grown)
		return -ENOMEM;
	t->answer->body = grown;
	t->body_room = room;
	return 0;
}

static int body_add(struct net_transfer *t, const char *p, size_t n)
{
	struct net_answer *answer = t->answer;
	int rc = n > t->max_bytes - answer->body_len ? -EMSGSIZE : body_grow(t, n);

	if (rc)
		return rc;
	memcpy(answer->body + answer->body_len, p, n);
	answer->body_len += n;
	answer->body[answer->body_len] = '\0';
	return 0;
}

/* What was gathered goes out as a line, and an empty body takes its place. */
static int line_end(struct net_transfer *t)
{
	struct net_answer *next = net_answer_new(t->answer->owner);
	struct net_answer *line = t->answer;

	if (!next)
		return -ENOMEM;
	t->answer = next;
	t->body_room = 1;
	line->more = true;
	line->status = 200;
	t->line(t->arg, line);
	return 0;
}

static int take_lines(struct net_transfer *t, const char *p, size_t n)
{
	int rc = 0;

	while (n && !rc) {
		const char *end = memchr(p, '\n', n);
		size_t len = end ? (size_t)(end - p) : n;

		rc = body_add(t, p, len);
		if (!rc && end && t->answer->body_len)
			rc = line_end(t);
		p += len + (end != NULL);
		n -= len + (end != NULL);
	}
	return rc;
}

/* Errors come with another status, and as one body. */
static bool is_stream(const struct net_transfer *t)
{
	long status = 0;

	if (t->lines)
		curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	return status == 200;
}

/* curl: any result but n ends the transfer. */
static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct net_transfer *t = arg;

	n *= size; /* size is always 1 (CURLOPT_WRITEFUNCTION) */
	if (is_stream(t)) {
		t->paused = !t->room(t->arg);
		if (t->paused)
			return CURL_WRITEFUNC_PAUSE; /* the same bytes come again */
		t->stopped = take_lines(t, p, n);
	} else {
		t->stopped = body_add(t, p, n);
	}
	return t->stopped ? 0 : n;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct net_transfer *t = arg;

	n *= size;
	if (n > NET_HEADER_MAX - t->header_bytes) {
		t->stopped = -EMSGSIZE;
		return 0;
	}
	t->header_bytes += n;
	net_header_take(t->answer, (struct span){.p = p, .n = n});
	return n;
}

/*
 * A server that is gone without a word must not keep a stream waiting for ever:
 * asked after so many seconds of silence, and so often before it counts as gone.
 */
#define ALIVE_IDLE_S  5L
#define ALIVE_EVERY_S 2L
#define ALIVE_TIMES   3

static curl_socket_t open_socket(const struct net_transfer *t, const struct curl_sockaddr *address)
{
	static const int TIMES = ALIVE_TIMES;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	/* The one such option that libcurl has no name for. */
	if (fd >= 0 && t->lines)
		(void)!setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &TIMES, sizeof(TIMES));
	return fd;
}

/* Before a connection is tried: a refused address never sees a packet of ours. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct net_transfer *t = arg;

	(void)purpose;
	if (!net_vet_address(&t->vet, &address->addr)) {
		t->refused = true;
		return CURL_SOCKET_BAD;
	}
	return open_socket(t, address);
}

/*
 * Before a request goes out, also over a connection that was kept from a
 * request with other rules: the address that it is really connected to.
 */
static int on_connected(void *arg, char *peer, char *local, int peer_port, int local_port)
{
	struct net_transfer *t = arg;

	(void)local;
	(void)peer_port;
	(void)local_port;
	if (net_vet_text(&t->vet, peer))
		return CURL_PREREQFUNC_OK;
	t->stopped = -EACCES;
	return CURL_PREREQFUNC_ABORT;
}

static CURLcode set_ca(CURL *easy, const char *ca_file)
{
	CURLcode rc;

	if (!ca_file)
		return CURLE_OK;
	rc = curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
	/* Debian's libcurl also has a directory of system CAs: this file replaces both. */
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* A renewed file counts from the next connection on, not a day later. */
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
#endif
	return rc;
}

static CURLcode set_callbacks(CURL *easy, struct net_transfer *t)
{
	CURLcode rc = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);

	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t);
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_PREREQDATA, t);
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->detail);
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
	return rc;
}

static CURLcode set_alive(CURL *easy)
{
	CURLcode rc = curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, ALIVE_IDLE_S);

	return rc ? rc : curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, ALIVE_EVERY_S);
}

/* The text is the transfer's: libcurl does not copy it. */
static CURLcode set_post(CURL *easy, const struct net_transfer *t)
{
	CURLcode rc = curl_easy_setopt(easy, CURLOPT_POST, 1L);

	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(t->post));
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t->post);
	return rc;
}

static CURLcode set_client_cert(CURL *easy, const struct net_transfer *t)
{
	CURLcode rc = curl_easy_setopt(easy, CURLOPT_SSLCERT, t->cert_file);

	return rc ? rc : curl_easy_setopt(easy, CURLOPT_SSLKEY, t->key_file);
}

static CURLcode set_request(CURL *easy, const struct net_transfer *t, long left_ms)
{
	CURLcode rc = curl_easy_setopt(easy, CURLOPT_URL, t->url);

	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, t->http ? "http" : "https");
	/* Empty: none, nor from the environment. */
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_PROXY, t->proxy ? t->proxy : "");
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_USERAGENT, "identityd/" IDENTITYD_VERSION);
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);
	if (!rc && !t->lines)
		rc = curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, left_ms);
	/* A connection of its own: a kept one does not have these options. */
	if (!rc && t->lines)
		rc = curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	if (!rc && t->lines)
		rc = set_alive(easy);
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, left_ms);
	if (!rc && t->post)
		rc = set_post(easy, t);
	if (!rc && t->cert_file)
		rc = set_client_cert(easy, t);
	return rc ? rc : set_ca(easy, t->ca_file);
}

CURLcode net_transfer_options(struct net_transfer *t, long left_ms)
{
	CURLcode rc = CURLE_OK;

	for (size_t i = 0; i < ARRAY_SIZE(FIXED) && !rc; i++)
		rc = curl_easy_setopt(t->easy, FIXED[i].option, FIXED[i].value);
	if (!rc)
		rc = set_callbacks(t->easy, t);
	return rc ? rc : set_request(t->easy, t, left_ms);
}
