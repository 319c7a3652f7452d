#include "spoa/http.h"

#include "base/clock.h"
#include "spoa/http_guard.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define SWEEP_S 1.
/* Runs in a row: whoever opens and closes without end must not keep the loop from others. */
#define RUNS_MAX 4
/* TLS 1.2 or later (RFC 9325 3.1.1). */
#define TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* A connection, for as long as libmicrohttpd knows it. */
struct peer {
	TAILQ_ENTRY(peer) in_http;
	int fd;
	uint64_t since;
};

/* One request, from its head to the end of its answer. */
struct exchange {
	const struct spoa_http_route *route;
	char *body;
	size_t n;
};

struct spoa_http {
	struct ev_loop *loop;
	struct MHD_Daemon *daemon;
	ev_io readable;
	ev_timer timer;
	ev_timer sweep;
	struct spoa_http_options options;
	TAILQ_HEAD(, peer) peers;
	bool closed_one; /* since MHD_run was called */
};

static enum MHD_Result reply(struct MHD_Connection *connection,
	const struct spoa_http_answer *answer, enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(answer->body), answer->body, mode);
	enum MHD_Result result;

	if (!response) {
		if (mode == MHD_RESPMEM_MUST_FREE)
			free(answer->body);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, answer->cache_control);
	result = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result reply_text(
	struct MHD_Connection *connection, unsigned status, const char *text)
{
	const struct spoa_http_answer answer = {
		.status = status,
		.content_type = "text/plain; charset=utf-8",
		.cache_control = "no-store",
		.body = (char *)text,
	};

	return reply(connection, &answer, MHD_RESPMEM_PERSISTENT);
}

const char *spoa_http_query(const struct spoa_http_request *request, const char *name)
{
	return request->connection ? MHD_lookup_connection_value(
					     request->connection, MHD_GET_ARGUMENT_KIND, name)
				   : NULL;
}

static bool serves(const struct spoa_http_route *route, const char *method)
{
	if (!strcmp(method, MHD_HTTP_METHOD_HEAD))
		method = MHD_HTTP_METHOD_GET;
	return !strcmp(route->method, method);
}

/* The route for it; NULL with the status that says why there is none. */
static const struct spoa_http_route *find_route(
	const struct spoa_http *http, const char *method, const char *path, unsigned *ret_status)
{
	*ret_status = MHD_HTTP_NOT_FOUND;
	for (size_t i = 0; i < http->options.n_routes; i++) {
		const struct spoa_http_route *route = &http->options.routes[i];

		if (strcmp(path, route->path))
			continue;
		if (serves(route, method))
			return route;
		*ret_status = MHD_HTTP_METHOD_NOT_ALLOWED;
	}
	return NULL;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status)
{
	return reply_text(connection, status,
		status == MHD_HTTP_NOT_FOUND ? "no such page\n" : "not with this method\n");
}

/* More than the route takes, and it says so itself: refused before a byte of it is read. */
static bool announces_too_much(
	struct MHD_Connection *connection, const struct spoa_http_route *route)
{
	const char *text = MHD_lookup_connection_value(
		connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return text && strtoull(text, NULL, 10) > route->max_body;
}

/* The head has arrived. */
static enum MHD_Result begin(const struct spoa_http *http, struct MHD_Connection *connection,
	const char *path, const char *method, void **ret_exchange)
{
	const char *why = NULL;
	unsigned status = 0, otherwise = 0;
	const struct spoa_http_route *route = find_route(http, method, path, &otherwise);
	struct exchange *exchange;

	if (http->options.guard)
		status = spoa_http_guard_check(
			http->options.guard, connection, method, route && route->reading, &why);
	if (status)
		return reply_text(connection, status, why);
	if (!route)
		return refuse(connection, otherwise);
	if (announces_too_much(connection, route))
		return reply_text(
			connection, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large\n");
	exchange = calloc(1, sizeof(*exchange));
	if (!exchange)
		return MHD_NO;
	exchange->route = route;
	*ret_exchange = exchange;
	return MHD_YES;
}

/* More of the body. One that grows past the route's limit unannounced ends its connection. */
static enum MHD_Result take_body(struct exchange *exchange, const char *p, size_t n)
{
	char *grown;

	if (n > exchange->route->max_body - exchange->n)
		return MHD_NO;
	grown = realloc(exchange->body, exchange->n + n);
	if (!grown)
		return MHD_NO;
	memcpy(grown + exchange->n, p, n);
	exchange->body = grown;
	exchange->n += n;
	return MHD_YES;
}

static enum MHD_Result handle(const struct spoa_http *http, struct MHD_Connection *connection,
	const struct exchange *exchange)
{
	const char *type = MHD_lookup_connection_value(
		connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
	const struct spoa_http_request request = {
		.content_type = type ? type : "",
		.body = {.p = exchange->body, .n = exchange->n},
		.connection = connection,
	};
	struct spoa_http_answer answer = {
		.status = MHD_HTTP_OK,
		.content_type = exchange->route->content_type,
		.cache_control = "no-store",
	};

	exchange->route->handle(http->options.arg, &request, &answer);
	if (!answer.body)
		return reply_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
	return reply(connection, &answer, MHD_RESPMEM_MUST_FREE);
}

/* libmicrohttpd: once for the head, once for each piece of the body, once at its end. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *upload, size_t *upload_size,
	void **state)
{
	struct spoa_http *http = arg;
	struct exchange *exchange = *state;
	size_t n = *upload_size;

	(void)version;
	if (!exchange)
		return begin(http, connection, path, method, state);
	if (!n)
		return handle(http, connection, exchange);
	*upload_size = 0;
	return take_body(exchange, upload, n);
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode code)
{
	struct exchange *exchange = *state;

	(void)arg;
	(void)connection;
	(void)code;
	if (exchange)
		free(exchange->body);
	free(exchange);
	*state = NULL;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **state,
	enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct spoa_http *http = arg;
	struct peer *peer = *state;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (peer)
			TAILQ_REMOVE(&http->peers, peer, in_http);
		free(peer);
		http->closed_one = true;
		*state = NULL;
		return;
	}
	peer = info ? calloc(1, sizeof(*peer)) : NULL;
	if (!peer) { /* nobody would end it */
		if (info)
			shutdown(info->connect_fd, SHUT_RDWR);
		return;
	}
	peer->fd = info->connect_fd;
	peer->since = base_clock_mono_ns();
	TAILQ_INSERT_TAIL(&http->peers, peer, in_http);
	*state = peer;
}

/* libmicrohttpd says when it next wants to be run, if nothing arrives before. */
static void run(struct spoa_http *http)
{
	MHD_UNSIGNED_LONG_LONG ms;
	int left = RUNS_MAX;

	/* At its limit it stops to listen, and looks whether it may again only when it is run. */
	do {
		http->closed_one = false;
		MHD_run(http->daemon);
	} while (http->closed_one && --left);
	ev_timer_stop(http->loop, &http->timer);
	if (http->closed_one) {
		ev_timer_set(&http->timer, 0., 0.);
		ev_timer_start(http->loop, &http->timer);
	} else if (MHD_get_timeout(http->daemon, &ms) == MHD_YES) {
		ev_timer_set(&http->timer, (double)ms / 1000., 0.);
		ev_timer_start(http->loop, &http->timer);
	}
	if (http->options.life_s && !TAILQ_EMPTY(&http->peers) && !ev_is_active(&http->sweep))
		ev_timer_again(http->loop, &http->sweep);
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)loop;
	(void)events;
	run(watcher->data);
}

static void on_timer(struct ev_loop *loop, ev_timer *watcher, int events)
{
	(void)loop;
	(void)events;
	run(watcher->data);
}

/* Oldest first: whoever is past its time is shut down, and libmicrohttpd sees the end. */
static void on_sweep(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct spoa_http *http = watcher->data;
	uint64_t life_ns = http->options.life_s * (uint64_t)NS_PER_S;
	uint64_t now = base_clock_mono_ns();
	struct peer *peer;

	(void)events;
	if (TAILQ_EMPTY(&http->peers))
		ev_timer_stop(loop, watcher);
	TAILQ_FOREACH(peer, &http->peers, in_http)
	{
		if (now - peer->since < life_ns)
			break;
		shutdown(peer->fd, SHUT_RDWR);
	}
	run(http);
}

static struct MHD_Daemon *start(struct spoa_http *http, int fd)
{
	const struct spoa_http_options *o = &http->options;
	const struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)o->tls_cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)o->tls_key},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)TLS_PRIORITIES},
		{o->client_ca ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0,
			(void *)o->client_ca},
		{MHD_OPTION_END, 0, NULL},
	};
	static const struct MHD_OptionItem NO_TLS[] = {{MHD_OPTION_END, 0, NULL}};

	return MHD_start_daemon(MHD_USE_EPOLL | (o->tls_cert ? MHD_USE_TLS : 0), 0, NULL, NULL,
		on_request, http, MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd,
		MHD_OPTION_CONNECTION_LIMIT, o->connections, MHD_OPTION_CONNECTION_TIMEOUT,
		o->idle_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)SPOA_HTTP_HEAD_BYTES,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, http, MHD_OPTION_ARRAY, o->tls_cert ? tls : NO_TLS, MHD_OPTION_END);
}

int spoa_http_new(struct ev_loop *loop, int fd, const struct spoa_http_options *options,
	struct spoa_http **ret)
{
	cleanup(fd) int owned = fd;
	cleanup(free) struct spoa_http *http = calloc(1, sizeof(*http));
	const union MHD_DaemonInfo *info;

	if (!http)
		return -ENOMEM;
	http->loop = loop;
	http->options = *options;
	TAILQ_INIT(&http->peers);
	http->daemon = start(http, fd);
	if (!http->daemon)
		return options->tls_cert ? -EKEYREJECTED : -EIO;
	(void)TAKE_FD(owned);
	info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info) {
		MHD_stop_daemon(http->daemon);
		return -EIO;
	}
	ev_io_init(&http->readable, on_readable, info->epoll_fd, EV_READ);
	ev_timer_init(&http->timer, on_timer, 0., 0.);
	ev_timer_init(&http->sweep, on_sweep, SWEEP_S, SWEEP_S);
	http->readable.data = http->timer.data = http->sweep.data = http;
	ev_io_start(loop, &http->readable);
	*ret = TAKE_PTR(http);
	return 0;
}

void spoa_http_quiet(struct spoa_http *http)
{
	MHD_socket fd = http ? MHD_quiesce_daemon(http->daemon) : MHD_INVALID_SOCKET;

	if (fd != MHD_INVALID_SOCKET)
		close(fd);
}

void spoa_http_free(struct spoa_http *http)
{
	if (!http)
		return;
	spoa_http_quiet(http);
	ev_io_stop(http->loop, &http->readable);
	ev_timer_stop(http->loop, &http->timer);
	ev_timer_stop(http->loop, &http->sweep);
	MHD_stop_daemon(http->daemon);
	free(http);
}
