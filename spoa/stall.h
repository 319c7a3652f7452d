/*
 * An agent that stood still (SIGSTOP, a debugger, a frozen machine) and goes
 * on: HAProxy has long given up the requests that wait in the sockets. Answers
 * to them are of no use to anybody, and HAProxy 3.2 sometimes stops to read a
 * connection on which they come, for good, while it goes on sending requests
 * into it. So whoever has something for us at that moment is hung up on;
 * HAProxy then makes new connections.
 *
 * The worker notices by a heart that beats while there are connections.
 */
#ifndef SPOA_STALL_H
#define SPOA_STALL_H

#include "spoa/worker.h"

/* How much too late (spop.max_stall) is seen with this precision. */
#define SPOA_STALL_BEAT_SECONDS 0.1
/* For so long afterwards: what the main thread accepts only now waited, too. */
#define SPOA_STALL_AFTER_SECONDS 0.02

void spoa_stall_init(struct spoa_worker *worker);

/* A connection is there: the heart beats until there is none. */
void spoa_stall_watch(struct spoa_worker *worker);
void spoa_stall_done(struct spoa_worker *worker);

/* Has whatever can be read now waited while we stood still? */
bool spoa_stall_is_stale(struct spoa_worker *worker);

#endif
