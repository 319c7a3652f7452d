/*
 * A connection on its way from the main thread, which accepts it and asks who
 * it is, to its worker.
 */
#ifndef SPOA_NEWCOMER_H
#define SPOA_NEWCOMER_H

#include "base/mem.h"

#include <stdbool.h>
#include <sys/types.h>

struct spoa_access;
struct spoa_listen;

struct spoa_newcomer {
	int fd;
	bool is_tcp;       /* nobody vouches for the peer, unless TLS does later */
	unsigned listener; /* index of the entry in conf->listen that it came by */
	pid_t pid;         /* of a unix socket's peer; 0: nobody that we can see */
	uid_t uid;
	bool cannot_mark; /* set by whoever looked: the process has no right to (spoa/haproxy.h) */
	char peer[80];    /* for logs: "unix:pid=1,uid=2", "tcp:127.0.0.1:9" */
};

/*
 * The next connection of this listener. 0: ready for its worker. -EACCES:
 * somebody whom access does not name; closed, ret->peer says who. -EAGAIN, or
 * another -errno of accept4.
 */
int spoa_newcomer_accept(const struct spoa_listen *listen, const struct spoa_access *access,
	struct spoa_newcomer *ret) must_check;

#endif
