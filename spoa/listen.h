/*
 * Listening sockets: for SPOP and for the admin interface.
 */
#ifndef SPOA_LISTEN_H
#define SPOA_LISTEN_H

#include "base/mem.h"
#include "conf/conf.h"
#include "spoa/privilege.h"

#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>

#define SPOA_LISTEN_WHY 256

struct spoa_listen {
	int fd;
	bool is_unix;
	unsigned index; /* of its entry in conf->listen */
	char name[128]; /* for logs: "unix:/run/..." or "tcp:127.0.0.1:9909" */
	char path[112]; /* unix: what to unlink at the end */
	bool kept;      /* a service manager holds it open, too: it goes on listening without us */
	ev_io acceptable;
};

/*
 * Binds and listens. A unix socket that nobody answers any more is replaced;
 * one that somebody answers is an error. Its owner becomes that user (NULL: we
 * stay it), its group the configured one or else the user's. 0, or -errno with a sentence in why.
 */
int spoa_listen_open(const struct conf_listen *conf, const struct spoa_user *user,
	struct spoa_listen *ret_listen, char why[SPOA_LISTEN_WHY]) must_check;

/*
 * What a listener of this entry is called. For one that was inherited it also
 * says what to unlink at the end, unless it is kept.
 */
void spoa_listen_name(const struct conf_listen *conf, struct spoa_listen *listen);

/* Closes, and unlinks the socket file. */
void spoa_listen_close(struct spoa_listen *listen);

#endif
