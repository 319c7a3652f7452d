#include "spop/frame.h"

#include "spop/data.h"

#include <errno.h>

int spop_frame_next(struct rd *in, uint32_t max_frame, struct spop_frame *ret_frame)
{
	struct rd r = *in;
	struct spop_frame frame;
	struct rd body;
	uint32_t len;

	if (rd_left(&r) < SPOP_FRAME_PREFIX)
		return 0;
	len = rd_u32be(&r);
	if (len < SPOP_FRAME_SHORTEST)
		return -EBADMSG;
	if (len > max_frame)
		return -EMSGSIZE;
	if (rd_left(&r) < len)
		return 0;

	/* Its own reader: an id that runs on must not reach into the next frame. */
	body = rd_span(rd_bytes(&r, len));
	frame.type = rd_u8(&body);
	frame.flags = rd_u32be(&body);
	frame.stream_id = spop_varint_parse(&body);
	frame.frame_id = spop_varint_parse(&body);
	if (body.bad)
		return -EBADMSG;
	frame.payload = rd_bytes(&body, rd_left(&body));

	*ret_frame = frame;
	*in = r;
	return 1;
}

struct spop_frame_mark spop_frame_begin(struct wr *w, enum spop_frame_type type, uint32_t flags,
	uint64_t stream_id, uint64_t frame_id)
{
	struct spop_frame_mark mark = {.start = wr_len(w), .bad = w->bad};

	(void)wr_reserve(w, SPOP_FRAME_PREFIX);
	wr_u8(w, (uint8_t)type);
	wr_u32be(w, flags);
	spop_varint_encode(w, stream_id);
	spop_varint_encode(w, frame_id);
	return mark;
}

int spop_frame_end(struct wr *w, struct spop_frame_mark mark, uint32_t max_frame)
{
	size_t written = wr_len(w) - mark.start;

	if (w->bad || written - SPOP_FRAME_PREFIX > max_frame) {
		wr_rewind(w, mark.start);
		w->bad = mark.bad;
		return -EMSGSIZE;
	}
	wr_put_u32be(w->start + mark.start, (uint32_t)(written - SPOP_FRAME_PREFIX));
	return 0;
}
