#include "spop/fragment.h"

static enum spop_status begin(
	struct spop_fragments *f, const struct spop_frame *frame, enum spop_part *ret_part)
{
	if (f->open)
		return SPOP_STATUS_INTERLACED;
	if (frame->flags & SPOP_FIN) {
		*ret_part = SPOP_WHOLE;
		return SPOP_STATUS_NORMAL;
	}
	*f = (struct spop_fragments){true, frame->stream_id, frame->frame_id};
	*ret_part = SPOP_FIRST;
	return SPOP_STATUS_NORMAL;
}

static enum spop_status go_on(
	struct spop_fragments *f, const struct spop_frame *frame, enum spop_part *ret_part)
{
	bool fin = frame->flags & SPOP_FIN;

	if (!f->open)
		return SPOP_STATUS_NO_FRAME_ID;
	if (frame->stream_id != f->stream_id || frame->frame_id != f->frame_id)
		return SPOP_STATUS_INTERLACED;
	f->open = !fin;
	if (!fin)
		*ret_part = SPOP_MIDDLE;
	else
		*ret_part = frame->flags & SPOP_ABORT ? SPOP_CANCEL : SPOP_LAST;
	return SPOP_STATUS_NORMAL;
}

enum spop_status spop_fragments_next(
	struct spop_fragments *f, const struct spop_frame *frame, enum spop_part *ret_part)
{
	if (frame->type == SPOP_NOTIFY)
		return begin(f, frame, ret_part);
	if (frame->type == SPOP_UNSET)
		return go_on(f, frame, ret_part);
	if (!(frame->flags & SPOP_FIN))
		return SPOP_STATUS_FRAGMENTED;
	*ret_part = SPOP_WHOLE;
	return SPOP_STATUS_NORMAL;
}
