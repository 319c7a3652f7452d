/*
 * One agent replaces another without a moment in which nobody listens. Over
 * the socket admin.handover the successor asks for the listening sockets, and
 * once it serves it says so; only then does the predecessor stop accepting and
 * drain. A successor that fails before changes nothing.
 *
 *	successor                              predecessor
 *	   | ---------- "take 1" ----------------> |   serving
 *	   | <--------- descriptors -------------- |   serving
 *	   | (starts)                              |   serving
 *	   | ---------- "ready" -----------------> |   drains
 *
 * The descriptors come with one byte for each: 'k' if somebody else keeps the
 * socket open as well (socket activation), else 'o'.
 */
#ifndef SPOA_HANDOVER_H
#define SPOA_HANDOVER_H

#include "base/mem.h"
#include "spoa/inherit.h"

#define SPOA_HANDOVER_TAKE  "take 1"
#define SPOA_HANDOVER_READY "ready"

/* How long a predecessor may take to answer: it has nothing to do but that. */
#define SPOA_HANDOVER_SECONDS 5

struct spoa_daemon;

/* Predecessor: waits for successors on daemon->handover_listener. */
void spoa_handover_start(struct spoa_daemon *daemon);
/* Now and then: goes on after accepting failed for want of descriptors. */
void spoa_handover_again(struct spoa_daemon *daemon);
void spoa_handover_stop(struct spoa_daemon *daemon);

/*
 * Successor: asks whoever answers at this path. *ret_fd is the connection for
 * spoa_handover_ready, or -1 when nobody is there, which is no error. Blocks,
 * for at most SPOA_HANDOVER_SECONDS. 0 or -errno with a sentence in why.
 */
int spoa_handover_ask(const char *path, struct spoa_inherit *inherit, int *ret_fd,
	char why[SPOA_LISTEN_WHY]) must_check;

/* Successor: lets the predecessor go. 0 or -errno. */
int spoa_handover_ready(int fd) must_check;

#endif
