/*
 * NOTIFYs that wait: each is kept with its payload until a newer snapshot can
 * decide it, or its deadline makes it an error. What is called from outside
 * (retry, the timer, forget) is in spoa/notify.h.
 */
#ifndef SPOA_PARK_H
#define SPOA_PARK_H

#include "spoa/conn.h"

/*
 * Keeps a copy of the frame and tells the owner what it needs; without room
 * the frame is refused in out. received_at: CLOCK_MONOTONIC, ns.
 */
enum spop_status spoa_park(struct spoa_conn *conn, const struct spop_frame *frame,
	uint64_t received_at, struct spoa_need need, struct wr *out);

#endif
