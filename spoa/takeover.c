/* The successor's half of spoa/handover.h, at its start. */

#include "spoa/handover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

static int fail(int error, const char *path, char why[SPOA_LISTEN_WHY])
{
	snprintf(why, SPOA_LISTEN_WHY, "%.100s: %s", path, strerror(error));
	return -error;
}

/* -ENOENT: nobody is there. */
static int reach(const char *path, int *ret_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = SPOA_HANDOVER_SECONDS};
	cleanup(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)))
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return errno == ECONNREFUSED ? -ENOENT : -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* All descriptors, whatever the text with them says, so that none is lost. */
static int collect(struct msghdr *message, const char *kinds, size_t n, struct spoa_inherit *to)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(message);
	int fds[SPOA_INHERIT_MAX];
	size_t n_fds;
	int rc = 0;

	if (!control || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
		return -EPROTO;
	n_fds = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(control), n_fds * sizeof(int));
	for (size_t i = 0; i < n_fds; i++) {
		int added = spoa_inherit_add(to, fds[i], i < n && kinds[i] == 'k');

		rc = rc ? rc : added;
	}
	if (n_fds != n || (message->msg_flags & (MSG_CTRUNC | MSG_TRUNC)))
		return -EPROTO;
	return rc;
}

static int receive(int fd, struct spoa_inherit *inherit)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(SPOA_INHERIT_MAX * sizeof(int))];
	} control;
	char kinds[SPOA_INHERIT_MAX];
	struct iovec iov = {.iov_base = kinds, .iov_len = sizeof(kinds)};
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return n == 0 ? -EPROTO : collect(&message, kinds, (size_t)n, inherit);
}

int spoa_handover_ask(
	const char *path, struct spoa_inherit *inherit, int *ret_fd, char why[SPOA_LISTEN_WHY])
{
	cleanup(fd) int fd = -1;
	int rc = reach(path, &fd);

	*ret_fd = -1;
	if (rc == -ENOENT)
		return 0;
	if (!rc && send(fd, SPOA_HANDOVER_TAKE, strlen(SPOA_HANDOVER_TAKE), MSG_NOSIGNAL) < 0)
		rc = -errno;
	if (!rc)
		rc = receive(fd, inherit);
	if (rc)
		return fail(-rc, path, why);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int spoa_handover_ready(int fd)
{
	if (send(fd, SPOA_HANDOVER_READY, strlen(SPOA_HANDOVER_READY), MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}
