#include "tests/unit/ctl/daemon.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct daemon {
	int fd;
	int status;
	const char *path;
	const char *body;
	struct sockaddr_un address;
	pthread_t thread;
};

static void answer(struct daemon *d, int fd)
{
	char head[1024] = "";
	char line[200];
	size_t n = 0, path_len = strlen(d->path);
	ssize_t got;
	const char *target;
	int known;

	while (!strstr(head, "\r\n\r\n") && n < sizeof(head) - 1) {
		got = recv(fd, head + n, sizeof(head) - 1 - n, 0);
		if (got <= 0)
			return;
		n += (size_t)got;
		head[n] = '\0';
	}
	target = strchr(head, ' ');
	known = (!strncmp(head, "GET ", 4) || !strncmp(head, "POST ", 5)) &&
		!strncmp(target + 1, d->path, path_len) && target[1 + path_len] == ' ';
	snprintf(line, sizeof(line), "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n",
		known ? d->status : 404, known ? strlen(d->body) : 0);
	send(fd, line, strlen(line), MSG_NOSIGNAL);
	if (known)
		send(fd, d->body, strlen(d->body), MSG_NOSIGNAL);
}

static void *serve(void *arg)
{
	struct daemon *d = arg;
	int fd;

	while ((fd = accept(d->fd, NULL, NULL)) >= 0) {
		answer(d, fd);
		close(fd);
	}
	return NULL;
}

struct daemon *daemon_start(const char *path, int status, const char *body)
{
	struct daemon *d = calloc(1, sizeof(*d));

	ck_assert_ptr_nonnull(d);
	d->path = path;
	d->status = status;
	d->body = body;
	d->address.sun_family = AF_UNIX;
	snprintf(d->address.sun_path, sizeof(d->address.sun_path), "/tmp/unit_ctl.%d.sock",
		(int)getpid());
	unlink(d->address.sun_path);
	d->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(d->fd, (struct sockaddr *)&d->address, sizeof(d->address)), 0);
	ck_assert_int_eq(listen(d->fd, 8), 0);
	ck_assert_int_eq(pthread_create(&d->thread, NULL, serve, d), 0);
	return d;
}

void daemon_stop(struct daemon *d)
{
	shutdown(d->fd, SHUT_RDWR);
	pthread_join(d->thread, NULL);
	close(d->fd);
	unlink(d->address.sun_path);
	free(d);
}

const char *daemon_socket(const struct daemon *d)
{
	return d->address.sun_path;
}
