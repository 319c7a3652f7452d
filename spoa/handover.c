/* The predecessor's half of spoa/handover.h, on the main thread's loop. */

#include "spoa/handover.h"

#include "spoa/daemon.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* SPOP, admin twice, handover, public. */
#define SOCKETS_MAX (SPOA_LISTENERS_MAX + 4)

static void forget_successor(struct spoa_daemon *daemon)
{
	if (daemon->successor < 0)
		return;
	ev_io_stop(daemon->loop, &daemon->successor_speaks);
	close(TAKE_FD(daemon->successor));
}

/* Every socket that the successor will look for, in any order. */
static size_t list(const struct spoa_daemon *daemon, int *fds, char *kinds)
{
	const struct spoa_listen *others[] = {&daemon->admin_listener, &daemon->remote_listener,
		&daemon->handover_listener, &daemon->public_listener};
	size_t n = 0;

	for (size_t i = 0; i < daemon->n_listeners; i++) {
		fds[n] = daemon->listeners[i].fd;
		kinds[n++] = daemon->listeners[i].kept ? 'k' : 'o';
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (others[i]->fd < 0)
			continue;
		fds[n] = others[i]->fd;
		kinds[n++] = others[i]->kept ? 'k' : 'o';
	}
	return n;
}

static int send_sockets(const struct spoa_daemon *daemon)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(SOCKETS_MAX * sizeof(int))];
	} control = {.bytes = {0}};
	int fds[SOCKETS_MAX];
	char kinds[SOCKETS_MAX];
	size_t n = list(daemon, fds, kinds);
	struct iovec iov = {.iov_base = kinds, .iov_len = n};
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(n * sizeof(int)),
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	_Static_assert(SOCKETS_MAX <= SPOA_INHERIT_MAX, "the successor has room");
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(head), fds, n * sizeof(int));
	return sendmsg(daemon->successor, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static void on_successor_speaks(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct spoa_daemon *daemon = watcher->data;
	char said[16] = "";
	ssize_t n = recv(daemon->successor, said, sizeof(said) - 1, MSG_DONTWAIT);

	(void)loop;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && !strcmp(said, SPOA_HANDOVER_TAKE) && send_sockets(daemon) == 0)
		return;
	forget_successor(daemon);
	if (n > 0 && !strcmp(said, SPOA_HANDOVER_READY))
		spoa_daemon_replaced(daemon);
}

/* Root, or who we are: nobody else may have what the listeners bring. */
static bool is_one_of_us(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
	       (cred.uid == 0 || cred.uid == geteuid());
}

static void on_successor(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct spoa_daemon *daemon = watcher->data;
	cleanup(fd) int fd =
		accept4(daemon->handover_listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED)
		ev_io_stop(loop, watcher); /* no descriptors: spoa_handover_again */
	if (fd < 0 || !is_one_of_us(fd) || daemon->draining)
		return;
	forget_successor(daemon); /* the last one to come is the one that is meant */
	daemon->successor = TAKE_FD(fd);
	ev_io_init(&daemon->successor_speaks, on_successor_speaks, daemon->successor, EV_READ);
	daemon->successor_speaks.data = daemon;
	ev_io_start(loop, &daemon->successor_speaks);
}

void spoa_handover_start(struct spoa_daemon *daemon)
{
	daemon->successor = -1;
	if (daemon->handover_listener.fd < 0)
		return;
	ev_io_init(&daemon->successor_comes, on_successor, daemon->handover_listener.fd, EV_READ);
	daemon->successor_comes.data = daemon;
	spoa_handover_again(daemon);
}

void spoa_handover_again(struct spoa_daemon *daemon)
{
	if (daemon->handover_listener.fd >= 0)
		ev_io_start(daemon->loop, &daemon->successor_comes);
}

void spoa_handover_stop(struct spoa_daemon *daemon)
{
	forget_successor(daemon);
	ev_io_stop(daemon->loop, &daemon->successor_comes);
	spoa_listen_close(&daemon->handover_listener);
}
