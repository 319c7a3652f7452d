/*
 * Fair turns between the connections of a worker: whoever has more than one
 * turn's work goes to the end of a line, and each in the line gets one turn in
 * each turn of the loop, behind which everybody else is served.
 */
#ifndef SPOA_TURN_H
#define SPOA_TURN_H

#include "spoa/worker.h"

/*
 * NOTIFYs that a connection has answered in one turn. HAProxy has at most 20
 * in flight on a connection, so only floods meet it: 32 KiB would hold more
 * than two thousand of the smallest.
 */
#define SPOA_TURN_FRAMES 64

void spoa_turn_init(struct spoa_worker *worker);

/* In the next turn of the loop the connection goes on. Once is enough. */
void spoa_turn_again(struct spoa_conn *conn);

/* The connection ends, or has nothing to go on with. */
void spoa_turn_forget(struct spoa_conn *conn);

#endif
