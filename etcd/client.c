#include "etcd/client.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define URL_MAX 512

struct etcd_call {
	struct etcd_call *next, **at; /* in the client's list */
	struct etcd_client *client;
	enum etcd_kind kind;
	size_t endpoint;
	bool dropped;         /* nobody is told any more */
	bool unsent;          /* waits for the token of the login */
	bool answered;        /* a line came */
	uint64_t first_by_ns; /* a stream's first line must be there */
	char *text;           /* the request, as long as it is unsent */
	etcd_done_fn *done;
	void *arg;
};

struct etcd_client {
	struct etcd_options options;
	struct etcd_port port;
	size_t endpoint; /* in use */
	struct etcd_call *calls;
	size_t n_calls;
	bool logging_in;
	char token[1024 + 24]; /* the header with it; empty: none yet */
	uint64_t n_made, n_failed, n_malformed;
	char why[160];
};

struct etcd_client *etcd_client_new(
	const struct etcd_options *options, const struct etcd_port *port)
{
	struct etcd_client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->options = *options;
	client->port = *port;
	return client;
}

static void call_free(struct etcd_call *call)
{
	if (!call)
		return;
	if (call->at) {
		*call->at = call->next;
		if (call->next)
			call->next->at = call->at;
		call->client->n_calls--;
	}
	if (call->text)
		explicit_bzero(call->text, strlen(call->text));
	free(call->text);
	free(call);
}
DEFINE_CLEANUP(call, struct etcd_call *, call_free)

void etcd_client_free(struct etcd_client *client)
{
	if (!client)
		return;
	while (client->calls) {
		if (!client->calls->unsent)
			client->port.cancel(client->port.arg, client->calls);
		call_free(client->calls);
	}
	explicit_bzero(client->token, sizeof(client->token));
	free(client);
}

static uint64_t now_ns(void)
{
	struct base_now now;

	base_clock_now(&now);
	return now.mono_ns;
}

static int send_call(struct etcd_client *client, struct etcd_call *call)
{
	static const char *const ANY[] = {"0.0.0.0/0", "::/0"};
	const char *headers[3] = {"Content-Type: application/json"};
	size_t n_headers = 1;
	char url[URL_MAX];
	struct net_request request = {
		.url = url,
		.ca_file = client->options.ca_file,
		.cert_file = client->options.cert_file,
		.key_file = client->options.key_file,
		.allow_http = client->options.allow_http,
		.networks = ANY, /* wherever the operator's endpoint is */
		.n_networks = ARRAY_SIZE(ANY),
		.headers = headers,
		.post = call->text,
		.max_bytes = ETCD_REPLY_MAX,
		.timeout_ms = client->options.timeout_ms,
		.lines = call->kind == ETCD_WATCH,
		.owner = call,
	};
	int n;

	if (*client->token && call->kind != ETCD_AUTH)
		headers[n_headers++] = client->token;
	/* Of a member that is cut off from the others nothing would come, for ever. */
	if (call->kind == ETCD_WATCH)
		headers[n_headers++] = "Grpc-Metadata-hasleader: true";
	request.n_headers = n_headers;
	call->endpoint = client->endpoint;
	n = snprintf(url, sizeof(url), "%s%s", client->options.endpoints[call->endpoint],
		etcd_request_path(call->kind));
	if (n < 0 || (size_t)n >= sizeof(url))
		return -EINVAL;
	call->first_by_ns = now_ns() + (uint64_t)client->options.timeout_ms * (uint64_t)NS_PER_MS;
	n = client->port.submit(client->port.arg, &request);
	if (n)
		return n;
	call->unsent = false;
	explicit_bzero(call->text, strlen(call->text));
	free(TAKE_PTR(call->text));
	return 0;
}

static int call_new(
	struct etcd_client *client, enum etcd_kind kind, json_t *request, struct etcd_call **ret)
{
	cleanup(call) struct etcd_call *call = calloc(1, sizeof(*call));

	if (call && request)
		call->text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	if (!call || !call->text)
		return -ENOMEM;
	call->client = client;
	call->kind = kind;
	call->unsent = true;
	*ret = TAKE_PTR(call);
	return 0;
}

static void link_call(struct etcd_client *client, struct etcd_call *call)
{
	call->next = client->calls;
	call->at = &client->calls;
	if (call->next)
		call->next->at = &call->next;
	client->calls = call;
	client->n_calls++;
	client->n_made++;
}

static void failed(struct etcd_client *client, size_t endpoint, const char *why)
{
	client->n_failed++;
	snprintf(client->why, sizeof(client->why), "%s", why);
	if (endpoint == client->endpoint)
		etcd_client_elsewhere(client);
}

/* Ends all that wait for the login; those that they start wait for the next one. */
static void fail_unsent(struct etcd_client *client, int error, const char *why)
{
	struct etcd_call *call = client->calls;

	while (call) {
		struct etcd_call *next = call->next;

		if (call->unsent) {
			etcd_done_fn *done = call->done;
			void *arg = call->arg;

			call_free(call);
			done(arg, error, NULL, why);
			next = client->calls; /* done may have changed the list */
		}
		call = next;
	}
}

static void send_unsent(struct etcd_client *client)
{
	for (struct etcd_call *call = client->calls; call; call = call->next)
		if (call->unsent && send_call(client, call)) {
			fail_unsent(client, -EAGAIN, "the request could not be made");
			return;
		}
}

static void on_login(void *arg, int error, const struct etcd_reply *reply, const char *why)
{
	struct etcd_client *client = arg;

	client->logging_in = false;
	if (error) {
		fail_unsent(client, error, why);
		return;
	}
	snprintf(client->token, sizeof(client->token), "Authorization: %s", reply->token);
	send_unsent(client);
}

static int log_in(struct etcd_client *client)
{
	int rc;

	if (client->logging_in)
		return 0;
	client->logging_in = true;
	rc = etcd_client_call(client, ETCD_AUTH,
		etcd_request_auth(client->options.user, client->options.password), on_login, client,
		NULL);
	client->logging_in = !rc;
	return rc;
}

int etcd_client_call(struct etcd_client *client, enum etcd_kind kind, json_t *request,
	etcd_done_fn *done, void *arg, struct etcd_call **ret_call)
{
	cleanup(call) struct etcd_call *call = NULL;
	bool waits = client->options.user && !*client->token && kind != ETCD_AUTH;
	int rc = call_new(client, kind, request, &call);

	if (rc)
		return rc;
	if (client->n_calls >= ETCD_CALLS_MAX)
		return -EAGAIN;
	call->done = done;
	call->arg = arg;
	rc = waits ? log_in(client) : send_call(client, call);
	if (rc)
		return rc;
	link_call(client, call);
	if (ret_call)
		*ret_call = call;
	TAKE_PTR(call);
	return 0;
}

void etcd_client_drop(struct etcd_client *client, struct etcd_call *call)
{
	if (!call)
		return;
	if (call->unsent) {
		call_free(call);
		return;
	}
	call->dropped = true;
	client->port.cancel(client->port.arg, call);
}

static void finish(struct etcd_client *client, struct etcd_call *call, int error,
	const struct etcd_reply *reply, const char *why)
{
	etcd_done_fn *done = call->dropped ? NULL : call->done;
	void *arg = call->arg;

	if (error && !call->dropped && error != -ENOENT && error != -ERANGE)
		failed(client, call->endpoint, why);
	else if (!error)
		client->why[0] = '\0';
	if (error == -EACCES)
		client->token[0] = '\0'; /* it has ended, or etcd was set up anew: log in again */
	call_free(call);
	if (done)
		done(arg, error, reply, why);
}

/* A line: the call goes on, unless it is no proper one. */
static void take_line(
	struct etcd_client *client, struct etcd_call *call, const struct net_answer *answer)
{
	cleanup(etcd_reply) struct etcd_reply *reply = NULL;
	struct span body = {.p = answer->body, .n = answer->body_len};
	int rc;

	call->answered = true;
	if (call->dropped)
		return;
	rc = etcd_reply_parse(call->kind, body, &reply);
	if (!rc) {
		call->done(call->arg, 0, reply, "");
		return;
	}
	etcd_done_fn *done = call->done;
	void *arg = call->arg;
	char why[160];

	client->n_malformed++;
	(void)!etcd_reply_error(200, body, why);
	failed(client, call->endpoint, why);
	etcd_client_drop(client, call);
	done(arg, rc, NULL, why);
}

/* What etcd_reply_error has is etcd's word, and not to be had from a broken connection. */
static int transport_error(int error)
{
	return error == -ENOENT || error == -ERANGE || error == -EACCES ? -EIO : error;
}

static void take_end(
	struct etcd_client *client, struct etcd_call *call, const struct net_answer *answer)
{
	cleanup(etcd_reply) struct etcd_reply *reply = NULL;
	struct span body = {.p = answer->body, .n = answer->body_len};
	const char *text = "etcd's answer is malformed";
	char why[160];
	int rc = transport_error(answer->error);

	if (rc) {
		text = answer->why;
	} else if (answer->status != 200) {
		rc = etcd_reply_error(answer->status, body, why);
		text = why;
	} else if (call->kind == ETCD_WATCH) {
		rc = -EPIPE;
		text = "etcd ended the watch";
	} else {
		rc = etcd_reply_parse(call->kind, body, &reply);
		client->n_malformed += rc == -EPROTO;
	}
	finish(client, call, rc, reply, text);
}

static struct etcd_call *find(const struct etcd_client *client, const struct net_answer *answer)
{
	struct etcd_call *call = client->calls;

	while (call && call != answer->owner)
		call = call->next;
	return call;
}

bool etcd_client_asked(
	const struct etcd_client *client, const struct net_answer *answer, enum etcd_kind kind)
{
	const struct etcd_call *call = find(client, answer);

	return call && call->kind == kind;
}

bool etcd_client_answer(struct etcd_client *client, const struct net_answer *answer)
{
	struct etcd_call *call = find(client, answer);

	if (!call)
		return false;
	if (answer->more)
		take_line(client, call, answer);
	else
		take_end(client, call, answer);
	return true;
}

void etcd_client_tick(struct etcd_client *client, uint64_t now)
{
	for (struct etcd_call *call = client->calls; call; call = call->next) {
		if (call->kind != ETCD_WATCH || call->answered || call->unsent ||
			now < call->first_by_ns)
			continue;
		call->first_by_ns = UINT64_MAX; /* once is enough: the end comes as an answer */
		client->port.cancel(client->port.arg, call);
	}
}

void etcd_client_relogin(struct etcd_client *client, const char *why)
{
	client->token[0] = '\0';
	failed(client, client->endpoint, why);
}

void etcd_client_elsewhere(struct etcd_client *client)
{
	client->endpoint = (client->endpoint + 1) % client->options.n_endpoints;
}

struct etcd_client_stats etcd_client_stats(const struct etcd_client *client)
{
	size_t revoking = 0;

	for (const struct etcd_call *call = client->calls; call; call = call->next)
		revoking += call->kind == ETCD_REVOKE;
	return (struct etcd_client_stats){
		.endpoint = client->options.endpoints[client->endpoint],
		.calls = client->n_made,
		.failures = client->n_failed,
		.malformed = client->n_malformed,
		.under_way = client->n_calls,
		.revoking = revoking,
		.why = client->why,
	};
}
