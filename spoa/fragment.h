/*
 * A NOTIFY that comes in fragments: put together, then handled like any other.
 * What a connection keeps for it is at most spop.max_message_size and counts
 * as held bytes of its worker. A message that is too large, or finds no room,
 * is read to its end, without keeping it, and gets its one ACK, an error.
 */
#ifndef SPOA_FRAGMENT_H
#define SPOA_FRAGMENT_H

#include "spoa/conn.h"

/* The session handler's callback; arg is the struct spoa_conn. */
enum spop_status spoa_fragment(void *arg, struct spoa_session *session,
	const struct spop_frame *frame, enum spop_part part, struct wr *out);

#endif
