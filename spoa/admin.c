#include "spoa/admin.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 32
#define TIMEOUT_S       3
#define MEMORY_BYTES    (32 * 1024) /* for each connection's request */

struct spoa_admin {
	struct ev_loop *loop;
	struct MHD_Daemon *daemon;
	ev_io readable;
	ev_timer timer;
	const struct spoa_admin_route *routes;
	size_t n_routes;
	void *arg;
};

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, const char *type,
	char *body, enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(strlen(body), body, mode);
	enum MHD_Result result;

	if (!response) {
		if (mode == MHD_RESPMEM_MUST_FREE)
			free(body);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result reply_text(
	struct MHD_Connection *connection, unsigned status, const char *text)
{
	return reply(connection, status, "text/plain; charset=utf-8", (char *)text,
		MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload_data, size_t *upload_data_size,
	void **request)
{
	struct spoa_admin *admin = arg;

	(void)version;
	(void)upload_data;
	(void)upload_data_size;
	(void)request;
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return reply_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET only\n");
	for (size_t i = 0; i < admin->n_routes; i++) {
		unsigned status = MHD_HTTP_OK;
		char *body;

		if (strcmp(url, admin->routes[i].path))
			continue;
		body = admin->routes[i].render(admin->arg, &status);
		if (!body)
			return reply_text(
				connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
		return reply(connection, status, admin->routes[i].content_type, body,
			MHD_RESPMEM_MUST_FREE);
	}
	return reply_text(connection, MHD_HTTP_NOT_FOUND, "no such page\n");
}

/* libmicrohttpd says when it next wants to be run, if nothing arrives before. */
static void run(struct spoa_admin *admin)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(admin->daemon);
	ev_timer_stop(admin->loop, &admin->timer);
	if (MHD_get_timeout(admin->daemon, &ms) != MHD_YES)
		return;
	ev_timer_set(&admin->timer, (double)ms / 1000., 0.);
	ev_timer_start(admin->loop, &admin->timer);
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

int spoa_admin_new(struct ev_loop *loop, int fd, const struct spoa_admin_route *routes,
	size_t n_routes, void *arg, struct spoa_admin **ret)
{
	struct spoa_admin *admin = calloc(1, sizeof(*admin));
	const union MHD_DaemonInfo *info;

	if (!admin) {
		close(fd);
		return -ENOMEM;
	}
	admin->loop = loop;
	admin->routes = routes;
	admin->n_routes = n_routes;
	admin->arg = arg;
	admin->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, admin,
		MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd, MHD_OPTION_CONNECTION_LIMIT,
		CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_BYTES, MHD_OPTION_END);
	info = admin->daemon ? MHD_get_daemon_info(admin->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info) {
		if (admin->daemon)
			MHD_stop_daemon(admin->daemon);
		else
			close(fd);
		free(admin);
		return -EIO;
	}
	ev_io_init(&admin->readable, on_readable, info->epoll_fd, EV_READ);
	ev_timer_init(&admin->timer, on_timer, 0., 0.);
	admin->readable.data = admin->timer.data = admin;
	ev_io_start(loop, &admin->readable);
	*ret = admin;
	return 0;
}

void spoa_admin_free(struct spoa_admin *admin)
{
	if (!admin)
		return;
	ev_io_stop(admin->loop, &admin->readable);
	ev_timer_stop(admin->loop, &admin->timer);
	MHD_stop_daemon(admin->daemon);
	free(admin);
}
