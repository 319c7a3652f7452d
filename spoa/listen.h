/*
 * Listening sockets: for SPOP and for the admin interface.
 */
#ifndef SPOA_LISTEN_H
#define SPOA_LISTEN_H

#include "base/mem.h"
#include "conf/conf.h"
#include "spoa/privilege.h"
#include "spoa/worker.h"

#include <stdbool.h>
#include <sys/types.h>

#define SPOA_LISTEN_WHY 256

struct spoa_listen {
	int fd;
	bool is_unix;
	char name[128]; /* for logs: "unix:/run/..." or "tcp:127.0.0.1:9909" */
	char path[112]; /* unix: what to unlink at the end */
	ev_io acceptable;
};

/*
 * Binds and listens. A unix socket that nobody answers any more is replaced;
 * one that somebody answers is an error. Its owner becomes that user (NULL: we
 * stay it), its group the configured one or else the user's. 0, or -errno with a sentence in why.
 */
int spoa_listen_open(const struct conf_listen *conf, const struct spoa_user *user,
	struct spoa_listen *ret_listen, char why[SPOA_LISTEN_WHY]) must_check;

/* Closes, and unlinks the socket file. */
void spoa_listen_close(struct spoa_listen *listen);

/* The next connection, ready for its worker. 0, -EAGAIN, or -errno of accept. */
int spoa_listen_accept(const struct spoa_listen *listen, struct spoa_newcomer *ret) must_check;

#endif
