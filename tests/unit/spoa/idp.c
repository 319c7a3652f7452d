#include "tests/unit/spoa/idp.h"

#include <arpa/inet.h>
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct idp {
	int fd;
	int port;
	pthread_t thread;
	pthread_mutex_t lock;
	int status;
	char *keys;
	char *discovery;
	char *headers;
	char *last;
	unsigned hits;
};

static void answer(int fd, int status, const char *headers, const char *body)
{
	char head[1024];
	int n = snprintf(head, sizeof(head),
		"HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%sConnection: close\r\n\r\n", status,
		strlen(body), headers);

	if (send(fd, head, (size_t)n, MSG_NOSIGNAL) == n)
		(void)!send(fd, body, strlen(body), MSG_NOSIGNAL);
}

static void serve(struct idp *idp, int fd)
{
	char head[4096] = "";
	size_t n = 0;
	char headers[512] = "";
	char *body;
	int status;

	while (!strstr(head, "\r\n\r\n")) {
		ssize_t got = recv(fd, head + n, sizeof(head) - 1 - n, 0);

		if (got <= 0)
			return;
		n += (size_t)got;
		head[n] = '\0';
	}
	pthread_mutex_lock(&idp->lock);
	free(idp->last);
	idp->last = strdup(head);
	if (strncmp(head, "GET /keys", 9)) {
		status = idp->discovery ? 200 : 404;
		body = strdup(idp->discovery ? idp->discovery : "");
	} else {
		idp->hits++;
		status = idp->status;
		body = idp->keys ? strdup(idp->keys) : NULL;
		if (idp->headers)
			snprintf(headers, sizeof(headers), "%s", idp->headers);
	}
	pthread_mutex_unlock(&idp->lock);
	if (body)
		answer(fd, status, headers, body);
	free(body);
}

static void *run(void *arg)
{
	struct idp *idp = arg;
	int fd;

	while ((fd = accept(idp->fd, NULL, NULL)) >= 0) {
		serve(idp, fd);
		close(fd);
	}
	return NULL;
}

struct idp *idp_start(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);
	struct idp *idp = calloc(1, sizeof(*idp));

	ck_assert_ptr_nonnull(idp);
	pthread_mutex_init(&idp->lock, NULL);
	idp->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(idp->fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	ck_assert_int_eq(listen(idp->fd, 16), 0);
	ck_assert_int_eq(getsockname(idp->fd, (struct sockaddr *)&sin, &len), 0);
	idp->port = ntohs(sin.sin_port);
	ck_assert_int_eq(pthread_create(&idp->thread, NULL, run, idp), 0);
	return idp;
}

void idp_stop(struct idp *idp)
{
	shutdown(idp->fd, SHUT_RDWR);
	pthread_join(idp->thread, NULL);
	close(idp->fd);
	pthread_mutex_destroy(&idp->lock);
	free(idp->keys);
	free(idp->discovery);
	free(idp->headers);
	free(idp->last);
	free(idp);
}

int idp_port(const struct idp *idp)
{
	return idp->port;
}

void idp_keys(struct idp *idp, int status, const char *body)
{
	pthread_mutex_lock(&idp->lock);
	free(idp->keys);
	idp->keys = body ? strdup(body) : NULL;
	idp->status = status;
	pthread_mutex_unlock(&idp->lock);
}

void idp_discovery(struct idp *idp, const char *body)
{
	pthread_mutex_lock(&idp->lock);
	free(idp->discovery);
	idp->discovery = strdup(body);
	pthread_mutex_unlock(&idp->lock);
}

void idp_headers(struct idp *idp, const char *lines)
{
	pthread_mutex_lock(&idp->lock);
	free(idp->headers);
	idp->headers = strdup(lines);
	pthread_mutex_unlock(&idp->lock);
}

char *idp_last_head(struct idp *idp)
{
	char *copy;

	pthread_mutex_lock(&idp->lock);
	copy = strdup(idp->last ? idp->last : "");
	pthread_mutex_unlock(&idp->lock);
	return copy;
}

unsigned idp_hits(struct idp *idp)
{
	unsigned n;

	pthread_mutex_lock(&idp->lock);
	n = idp->hits;
	pthread_mutex_unlock(&idp->lock);
	return n;
}
