#include "net/transfer.h"

#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

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
	{CURLOPT_SSL_VERIFYPEER, 1},
	{CURLOPT_SSL_VERIFYHOST, 2},
	{CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
#if LIBCURL_VERSION_NUM >= 0x075700
	/* A name server that hangs would hold up the whole thread when its request ends. */
	{CURLOPT_QUICK_EXIT, 1},
#endif
};

static CURLcode global_result = CURLE_FAILED_INIT;

static void global_once(void)
{
	global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

int net_transfer_global(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, global_once);
	return global_result == CURLE_OK ? 0 : -EIO;
}

static void url_free(CURLU *url)
{
	curl_url_cleanup(url);
}
DEFINE_CLEANUP(curlu, CURLU *, url_free)

static void text_free(char *text)
{
	curl_free(text);
}
DEFINE_CLEANUP(curl_text, char *, text_free)

static int url_check(const char *text, bool allow_http)
{
	cleanup(curlu) CURLU *url = curl_url();
	cleanup(curl_text) char *scheme = NULL;
	CURLUcode rc;

	if (!url)
		return -ENOMEM;
	rc = curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER);
	if (rc == CURLUE_OK)
		rc = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
	if (rc == CURLUE_OUT_OF_MEMORY)
		return -ENOMEM;
	if (rc != CURLUE_OK)
		return -EINVAL;
	if (!strcasecmp(scheme, "https"))
		return 0;
	return allow_http && !strcasecmp(scheme, "http") ? 0 : -EINVAL;
}

/* An answer with an empty body. */
static struct net_answer *answer_new(void *owner)
{
	cleanup(net_answer) struct net_answer *answer = calloc(1, sizeof(*answer));

	if (!answer)
		return NULL;
	answer->owner = owner;
	answer->body = calloc(1, 1);
	return answer->body ? TAKE_PTR(answer) : NULL;
}

int net_transfer_new(const struct net_request *request, struct net_transfer **ret_transfer)
{
	cleanup(net_transfer) struct net_transfer *t = NULL;
	struct base_now now;
	int rc;

	if (!request->url || request->timeout_ms <= 0)
		return -EINVAL;
	rc = url_check(request->url, request->allow_http);
	if (rc)
		return rc;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->url = strdup(request->url);
	t->ca_file = request->ca_file ? strdup(request->ca_file) : NULL;
	t->answer = answer_new(request->owner);
	if (!t->url || (request->ca_file && !t->ca_file) || !t->answer)
		return -ENOMEM;
	base_clock_now(&now);
	t->deadline_ns = now.mono_ns + (uint64_t)request->timeout_ms * NS_PER_MS;
	t->allow_http = request->allow_http;
	t->max_bytes = request->max_bytes;
	t->body_room = 1;
	*ret_transfer = TAKE_PTR(t);
	return 0;
}

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

/* curl: any result but n ends the transfer. */
static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct net_transfer *t = arg;
	struct net_answer *answer = t->answer;

	n *= size; /* size is always 1 (CURLOPT_WRITEFUNCTION) */
	if (n > t->max_bytes - answer->body_len)
		t->stopped = -EMSGSIZE;
	else
		t->stopped = body_grow(t, n);
	if (t->stopped)
		return 0;
	memcpy(answer->body + answer->body_len, p, n);
	answer->body_len += n;
	answer->body[answer->body_len] = '\0';
	return n;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct net_transfer *t = arg;

	(void)p;
	n *= size;
	if (n > NET_HEADER_MAX - t->header_bytes) {
		t->stopped = -EMSGSIZE;
		return 0;
	}
	t->header_bytes += n;
	return n;
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
		rc = curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->detail);
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
	return rc;
}

static CURLcode set_request(CURL *easy, const struct net_transfer *t, long left_ms)
{
	CURLcode rc = curl_easy_setopt(easy, CURLOPT_URL, t->url);

	if (!rc)
		rc = curl_easy_setopt(
			easy, CURLOPT_PROTOCOLS_STR, t->allow_http ? "http,https" : "https");
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* nor from the environment */
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_USERAGENT, "identityd/" IDENTITYD_VERSION);
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, left_ms);
	if (!rc)
		rc = curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, left_ms);
	return rc ? rc : set_ca(easy, t->ca_file);
}

int net_transfer_start(struct net_transfer *t)
{
	struct base_now now;
	CURLcode rc = CURLE_OK;
	long left_ms;

	base_clock_now(&now);
	if (now.mono_ns >= t->deadline_ns)
		return -ETIMEDOUT;
	left_ms = (long)((t->deadline_ns - now.mono_ns) / NS_PER_MS) + 1;
	t->easy = curl_easy_init();
	if (!t->easy)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(FIXED) && !rc; i++)
		rc = curl_easy_setopt(t->easy, FIXED[i].option, FIXED[i].value);
	if (!rc)
		rc = set_callbacks(t->easy, t);
	if (!rc)
		rc = set_request(t->easy, t, left_ms);
	if (!rc)
		return 0;
	return rc == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL;
}

void net_transfer_free(struct net_transfer *t)
{
	if (!t)
		return;
	curl_easy_cleanup(t->easy);
	net_answer_free(t->answer);
	free(t->url);
	free(t->ca_file);
	free(t);
}

void net_answer_free(struct net_answer *answer)
{
	if (!answer)
		return;
	free(answer->body);
	free(answer);
}
