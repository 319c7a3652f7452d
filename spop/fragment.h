/*
 * Which frames belong to one payload (SPOE.txt 3.2): NOTIFY without FIN, then
 * UNSET frames with the same ids, the last one with FIN. Only HAProxy up to
 * 3.0 does it, and only if the agent announced it; one payload at a time.
 */
#ifndef SPOP_FRAGMENT_H
#define SPOP_FRAGMENT_H

#include "base/mem.h"
#include "spop/frame.h"
#include "spop/status.h"

/* What a frame is to the payload that is being sent. */
enum spop_part {
	SPOP_WHOLE, /* no fragment */
	SPOP_FIRST,
	SPOP_MIDDLE,
	SPOP_LAST,
	SPOP_CANCEL, /* FIN and ABORT: what came so far is not to be answered */
};
#define SPOP_PARTS (SPOP_CANCEL + 1)

/* The payload of which a fragment came and the last one did not. Begins as {0}. */
struct spop_fragments {
	bool open;
	uint64_t stream_id, frame_id;
};

/*
 * Takes note of the next frame.
 *   NORMAL       *ret_part says what it is
 *   FRAGMENTED   a frame of another type than NOTIFY without FIN (3.2.4 to 3.2.9)
 *   INTERLACED   a NOTIFY, or a fragment of another, while one is open
 *   NO_FRAME_ID  a fragment of nothing that is open
 * Whatever is not NORMAL ends the connection; *f is untouched then. ABORT
 * counts only where the specification wants it: with FIN, on a fragment.
 */
enum spop_status spop_fragments_next(struct spop_fragments *f, const struct spop_frame *frame,
	enum spop_part *ret_part) must_check;

#endif
