/*
 * SPOP frames (SPOE.txt 3.2): length, type, flags, stream-id, frame-id, payload.
 */
#ifndef SPOP_FRAME_H
#define SPOP_FRAME_H

#include "base/mem.h"
#include "base/rd.h"
#include "base/wr.h"

#include <stdbool.h>
#include <stdint.h>

enum spop_frame_type {
	SPOP_UNSET = 0,
	SPOP_HAPROXY_HELLO = 1,
	SPOP_HAPROXY_DISCONNECT = 2,
	SPOP_NOTIFY = 3,
	SPOP_AGENT_HELLO = 101,
	SPOP_AGENT_DISCONNECT = 102,
	SPOP_ACK = 103,
};

#define SPOP_FIN   UINT32_C(1)
#define SPOP_ABORT UINT32_C(2)

#define SPOP_FRAME_PREFIX       4 /* the length field, which does not count itself */
#define SPOP_FRAME_SHORTEST     7 /* type, flags, two one-byte ids */
#define SPOP_FRAME_SIZE_MIN     256
#define SPOP_FRAME_SIZE_DEFAULT 16380

struct spop_frame {
	uint8_t type; /* any byte: unknown ones are the caller's to skip or refuse */
	uint32_t flags;
	uint64_t stream_id;
	uint64_t frame_id;
	struct span payload; /* borrowed from the input */
};

/*
 * Takes the next whole frame off the input.
 *   1          *ret_frame is filled and *in stands behind it
 *   0          not all there yet; *in untouched
 *   -EMSGSIZE  the length is above max_frame: status 3; *in untouched
 *   -EBADMSG   the length is below 7 or an id is malformed: status 4; *in untouched
 * The length is judged as soon as its 4 bytes are there.
 */
int spop_frame_next(struct rd *in, uint32_t max_frame, struct spop_frame *ret_frame) must_check;

/*
 * A frame is written as begin, payload, end. begin reserves the length field;
 * end fills it in. end returns 0, or -EMSGSIZE when the frame is larger than
 * max_frame or the writer had no room; then the writer stands where begin
 * found it, its error included if it had one.
 */
struct spop_frame_mark {
	size_t start;
	bool bad;
};
struct spop_frame_mark spop_frame_begin(struct wr *w, enum spop_frame_type type, uint32_t flags,
	uint64_t stream_id, uint64_t frame_id);
int spop_frame_end(struct wr *w, struct spop_frame_mark mark, uint32_t max_frame) must_check;

#endif
