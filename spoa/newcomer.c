#include "spoa/newcomer.h"

#include "spoa/access.h"
#include "spoa/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

/* More supplementary groups than this are not looked at: HAProxy's user has a handful. */
#define GROUPS_MAX 64

/* The process as it was when it connected. One that the kernel cannot name is nobody. */
static bool meet_process(int fd, const struct spoa_access *access, struct spoa_newcomer *newcomer)
{
	struct ucred cred = {.pid = -1, .uid = (uid_t)-1, .gid = (gid_t)-1};
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(cred);
	socklen_t groups_len = sizeof(groups);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		cred = (struct ucred){.pid = -1, .uid = (uid_t)-1, .gid = (gid_t)-1};
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &groups_len))
		groups_len = 0;
	newcomer->pid = cred.pid;
	newcomer->uid = cred.uid;
	snprintf(newcomer->peer, sizeof(newcomer->peer), "unix:pid=%d,uid=%d", (int)cred.pid,
		(int)cred.uid);
	return spoa_access_process(access, &cred, groups, groups_len / sizeof(groups[0]));
}

static bool meet_address(int fd, const struct spoa_access *access, struct spoa_newcomer *newcomer)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(address);
	char host[48] = "?", port[8] = "?";
	int one = 1;

	if (getpeername(fd, (struct sockaddr *)&address, &len) == 0)
		getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(newcomer->peer, sizeof(newcomer->peer), "tcp:%s:%s", host, port);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return spoa_access_address(access, &address);
}

int spoa_newcomer_accept(const struct spoa_listen *listener, const struct spoa_access *access,
	struct spoa_newcomer *ret)
{
	cleanup(fd) int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret = (struct spoa_newcomer){
		.fd = -1, .is_tcp = !listener->is_unix, .listener = listener->index};
	if (!(listener->is_unix ? meet_process : meet_address)(fd, access, ret))
		return -EACCES;
	ret->fd = TAKE_FD(fd);
	return 0;
}
