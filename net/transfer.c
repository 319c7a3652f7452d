#include "net/transfer.h"

#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

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

/* Scheme and host of the URL, as far as they may be asked. */
static int take_url(struct net_transfer *t, const struct net_request *request)
{
	cleanup(curlu) CURLU *url = curl_url();
	cleanup(curl_text) char *scheme = NULL;
	cleanup(curl_text) char *host = NULL;
	CURLUcode rc;

	if (!url)
		return -ENOMEM;
	rc = curl_url_set(url, CURLUPART_URL, request->url, CURLU_DISALLOW_USER);
	if (rc == CURLUE_OK)
		rc = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
	if (rc == CURLUE_OK)
		rc = curl_url_get(url, CURLUPART_HOST, &host, 0);
	if (rc == CURLUE_OUT_OF_MEMORY)
		return -ENOMEM;
	if (rc != CURLUE_OK)
		return -EINVAL;
	if (*host == '[' && strlen(host) > 2) { /* RFC 3986 3.2.2 */
		host[strlen(host) - 1] = '\0';
		memmove(host, host + 1, strlen(host));
	}
	if (net_vet_init(&t->vet, host, request->networks, request->n_networks))
		return -EINVAL;
	t->vet.anything = request->proxy != NULL;
	t->http = !strcasecmp(scheme, "http");
	if (!t->http)
		return strcasecmp(scheme, "https") ? -EINVAL : 0;
	t->vet.only_us = !request->allow_http;
	return request->allow_http || (net_vet_is_us(host) && !request->proxy) ? 0 : -EINVAL;
}

struct net_answer *net_answer_new(void *owner)
{
	cleanup(net_answer) struct net_answer *answer = calloc(1, sizeof(*answer));

	if (!answer)
		return NULL;
	answer->owner = owner;
	answer->max_age_s = -1;
	answer->body = calloc(1, 1);
	return answer->body ? TAKE_PTR(answer) : NULL;
}

/* NULL stays NULL. */
static bool copy(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return *to || !from;
}

static int copy_texts(struct net_transfer *t, const struct net_request *r)
{
	if (!copy(&t->url, r->url) || !copy(&t->ca_file, r->ca_file) ||
		!copy(&t->cert_file, r->cert_file) || !copy(&t->key_file, r->key_file) ||
		!copy(&t->proxy, r->proxy) || !copy(&t->post, r->post))
		return -ENOMEM;
	for (size_t i = 0; i < r->n_headers; i++) {
		struct curl_slist *longer;

		if (strpbrk(r->headers[i], "\r\n"))
			return -EINVAL;
		longer = curl_slist_append(t->headers, r->headers[i]);
		if (!longer)
			return -ENOMEM;
		t->headers = longer;
	}
	return 0;
}

int net_transfer_new(const struct net_request *request, struct net_transfer **ret_transfer)
{
	cleanup(net_transfer) struct net_transfer *t = NULL;
	struct base_now now;
	int rc;

	if (!request->url || request->timeout_ms <= 0)
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	rc = take_url(t, request);
	if (!rc)
		rc = copy_texts(t, request);
	if (rc)
		return rc;
	t->answer = net_answer_new(request->owner);
	if (!t->answer)
		return -ENOMEM;
	base_clock_now(&now);
	t->deadline_ns = now.mono_ns + (uint64_t)request->timeout_ms * NS_PER_MS;
	t->max_bytes = request->max_bytes;
	t->lines = request->lines;
	t->body_room = 1;
	*ret_transfer = TAKE_PTR(t);
	return 0;
}

int net_transfer_start(struct net_transfer *t)
{
	struct base_now now;
	CURLcode rc;

	base_clock_now(&now);
	if (now.mono_ns >= t->deadline_ns)
		return -ETIMEDOUT;
	t->easy = curl_easy_init();
	if (!t->easy)
		return -ENOMEM;
	rc = net_transfer_options(t, (long)((t->deadline_ns - now.mono_ns) / NS_PER_MS) + 1);
	if (!rc)
		return 0;
	return rc == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL;
}

/* Bodies and headers may hold what only the server is to know. */
static void free_secret(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void net_transfer_free(struct net_transfer *t)
{
	if (!t)
		return;
	curl_easy_cleanup(t->easy);
	net_answer_free(t->answer);
	free(t->url);
	free(t->ca_file);
	free(t->cert_file);
	free(t->key_file);
	free(t->proxy);
	free_secret(t->post);
	for (struct curl_slist *h = t->headers; h; h = h->next)
		explicit_bzero(h->data, strlen(h->data));
	curl_slist_free_all(t->headers);
	free(t);
}

void net_answer_free(struct net_answer *answer)
{
	if (!answer)
		return;
	free(answer->body);
	free(answer);
}
