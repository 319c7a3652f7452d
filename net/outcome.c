#include "net/outcome.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* CURLcode to errno and sentence; what is not here is EIO. */
static const struct {
	CURLcode code;
	int error;
	const char *what;
} FAILURES[] = {
	{CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT, "the server did not answer in time"},
	{CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH, "the host name does not resolve"},
	{CURLE_COULDNT_CONNECT, -ECONNREFUSED, "no connection to the server"},
	{CURLE_PEER_FAILED_VERIFICATION, -EKEYREJECTED, "the server's certificate is not trusted"},
	{CURLE_SSL_CACERT_BADFILE, -ENOENT, "the CA file cannot be used"},
	{CURLE_SSL_CONNECT_ERROR, -EPROTO, "the TLS handshake failed"},
	/* HTTP/0.9; schemes were judged at submit. */
	{CURLE_UNSUPPORTED_PROTOCOL, -EPROTO, "the server does not speak HTTP"},
	{CURLE_URL_MALFORMAT, -EINVAL, "the URL is malformed"},
	{CURLE_WEIRD_SERVER_REPLY, -EPROTO, "the server does not speak HTTP"},
	{CURLE_GOT_NOTHING, -ECONNRESET, "the server closed without an answer"},
	{CURLE_RECV_ERROR, -ECONNRESET, "the connection broke"},
	{CURLE_SEND_ERROR, -ECONNRESET, "the connection broke"},
	{CURLE_PARTIAL_FILE, -EIO, "the server closed in the middle of its answer"},
	{CURLE_OUT_OF_MEMORY, -ENOMEM, "out of memory"},
};

/* The sentences of what we ended ourselves. */
static const struct {
	int error;
	const char *what;
} STOPS[] = {
	{-EMSGSIZE, "the answer is larger than allowed"},
	{-ENOMEM, "out of memory"},
	{-EACCES, "the server's address is not public and not in the provider's networks"},
	{-ECANCELED, "it is not wanted any more"},
	{-ETIMEDOUT, "the time was over before the request could be sent"},
};

/* Text from the other side in a log line or a terminal: printable ASCII only. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static void fail_with(struct net_transfer *t, int error, const char *what, const char *detail)
{
	struct net_answer *answer = t->answer;

	free(TAKE_PTR(answer->body));
	answer->body_len = 0;
	answer->status = 0;
	answer->error = error;
	/* Cut where it is too long: the beginning says what matters. */
	if (snprintf(answer->why, sizeof(answer->why), "%s%s%s", what, *detail ? ": " : "",
		    detail) < 0)
		answer->why[0] = '\0';
	make_printable(answer->why);
}

void net_outcome_fail(struct net_transfer *t, int error)
{
	for (size_t i = 0; i < ARRAY_SIZE(STOPS); i++)
		if (STOPS[i].error == error) {
			fail_with(t, error, STOPS[i].what, "");
			return;
		}
	fail_with(t, error, "the request could not be made", strerror(-error));
}

/* libcurl says "could not connect"; the kernel says why. */
static int os_error(const struct net_transfer *t)
{
	long error = 0;

	curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &error);
	return (int)error;
}

static void fail_of_curl(struct net_transfer *t, CURLcode code)
{
	for (size_t i = 0; i < ARRAY_SIZE(FAILURES); i++) {
		int error = FAILURES[i].error;
		int os = code == CURLE_COULDNT_CONNECT ? os_error(t) : 0;

		if (FAILURES[i].code != code)
			continue;
		fail_with(t, os ? -os : error, FAILURES[i].what, os ? strerror(os) : t->detail);
		return;
	}
	fail_with(t, -EIO, "the request failed", *t->detail ? t->detail : curl_easy_strerror(code));
}

void net_outcome_end(struct net_transfer *t, CURLcode code)
{
	if (t->stopped)
		net_outcome_fail(t, t->stopped);
	else if (code == CURLE_COULDNT_CONNECT && t->refused)
		net_outcome_fail(t, -EACCES);
	else if (code != CURLE_OK)
		fail_of_curl(t, code);
	else
		curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->answer->status);
}
