#include "tests/unit/etcd/double.h"

#include "etcd/base64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_MAX 64

struct request {
	void *owner; /* NULL: an empty place */
	unsigned order;
	char *url, *post, *headers;
};

static struct request open_requests[OPEN_MAX];
static unsigned n_made;
static struct etcd_client *client;
static const char *const ENDPOINTS[] = {"http://etcd:2379"};

static void forget(struct request *request)
{
	free(request->url);
	free(request->post);
	free(request->headers);
	*request = (struct request){0};
}

static void forget_all(void)
{
	for (size_t i = 0; i < OPEN_MAX; i++)
		forget(&open_requests[i]);
}

static int submit(void *arg, const struct net_request *from)
{
	char headers[1024] = "";

	(void)arg;
	for (size_t i = 0; i < from->n_headers; i++)
		snprintf(headers + strlen(headers), sizeof(headers) - strlen(headers), "%s\n",
			from->headers[i]);
	for (size_t i = 0; i < OPEN_MAX; i++)
		if (!open_requests[i].owner) {
			open_requests[i] = (struct request){from->owner, n_made++,
				strdup(from->url), strdup(from->post), strdup(headers)};
			return 0;
		}
	ck_abort_msg("too many requests");
}

static void cancel(void *arg, void *owner)
{
	(void)arg;
	for (size_t i = 0; i < OPEN_MAX; i++)
		if (open_requests[i].owner == owner)
			forget(&open_requests[i]);
}

struct etcd_client *double_start(const char *user)
{
	const struct etcd_options options = {.endpoints = ENDPOINTS,
		.n_endpoints = 1,
		.user = user,
		.password = user ? "secret" : NULL,
		.allow_http = true,
		.timeout_ms = 1000};
	const struct etcd_port port = {submit, cancel, NULL};

	forget_all(); /* what a test that failed has left */
	client = etcd_client_new(&options, &port);
	ck_assert_ptr_nonnull(client);
	return client;
}

void double_stop(void)
{
	etcd_client_free(TAKE_PTR(client));
	forget_all();
}

static struct request *find(const char *path)
{
	struct request *oldest = NULL;

	for (size_t i = 0; i < OPEN_MAX; i++)
		if (open_requests[i].owner && strstr(open_requests[i].url, path) &&
			(!oldest || open_requests[i].order < oldest->order))
			oldest = &open_requests[i];
	return oldest;
}

const char *double_asked(const char *path)
{
	const struct request *request = find(path);

	return request ? request->post : NULL;
}

bool double_has_header(const char *path, const char *header)
{
	const struct request *request = find(path);

	return request && strstr(request->headers, header);
}

static void answer(const char *path, const char *body, bool more, int error)
{
	struct request *request = find(path);
	struct net_answer answer = {.more = more, .error = error, .status = error ? 0 : 200};

	ck_assert_msg(request != NULL, "nothing was asked of %s", path);
	answer.owner = request->owner;
	answer.body = (char *)body;
	answer.body_len = body ? strlen(body) : 0;
	if (!more)
		forget(request);
	ck_assert(etcd_client_answer(client, &answer));
}

void double_say(const char *path, const char *body)
{
	answer(path, body, false, 0);
}

void double_line(const char *path, const char *body)
{
	answer(path, body, true, 0);
}

void double_fail(const char *path, int error)
{
	answer(path, NULL, false, error);
}

const char *double_base64(const char *text)
{
	static char texts[8][1024];
	static unsigned n;
	char *to = texts[n++ % 8];

	etcd_base64_encode(span_of(text), to);
	return to;
}
