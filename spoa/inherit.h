/*
 * Listening sockets that the process did not make itself: from a service
 * manager (socket activation, sd_listen_fds(3)) or from the agent that it
 * replaces (spoa/handover.h). They are found by their addresses, so the
 * configuration says what each is for, and names and order do not matter.
 */
#ifndef SPOA_INHERIT_H
#define SPOA_INHERIT_H

#include "base/mem.h"
#include "conf/conf.h"
#include "spoa/listen.h"

#include <stdbool.h>
#include <stddef.h>

#define SPOA_INHERIT_MAX 64

struct spoa_inherit {
	struct {
		int fd; /* -1: taken */
		bool kept;
	} items[SPOA_INHERIT_MAX];
	size_t n;
};

/*
 * Takes over what LISTEN_FDS says when LISTEN_PID is this process, and removes
 * both variables and LISTEN_FDNAMES. 0 (also for none), or -errno with a
 * sentence in why.
 */
int spoa_inherit_environment(struct spoa_inherit *inherit, char why[SPOA_LISTEN_WHY]) must_check;

/* One more, taken over in every case. kept: somebody else holds it open, too. 0 or -ENOBUFS. */
int spoa_inherit_add(struct spoa_inherit *inherit, int fd, bool kept) must_check;

/*
 * true: one of them has the address of this entry, and is the listener. Its
 * file is removed at the end unless it is kept. Mode, owner and group are as
 * whoever made it wanted them.
 */
bool spoa_inherit_take(struct spoa_inherit *inherit, const struct conf_listen *conf,
	struct spoa_listen *ret_listen) must_check;

/*
 * Closes what nobody took. 0, or -EINVAL with the address of one in why: a
 * socket that somebody opened for us and nobody serves is a mistake.
 */
int spoa_inherit_done(struct spoa_inherit *inherit, char why[SPOA_LISTEN_WHY]);

#endif
