#include "spoa/session.h"

#include "spop/disconnect.h"
#include "spop/hello.h"

#include <errno.h>

/* A health check announces a size of its own making; a small answer fits every HAProxy. */
#define HEALTHCHECK_FRAME_SIZE 1024

/* Which state may follow which (row: from). The one mover asks this table. */
static const bool MAY_MOVE[SPOA_SESSION_STATES][SPOA_SESSION_STATES] = {
	[SPOA_SESSION_HELLO] = {[SPOA_SESSION_READY] = true, [SPOA_SESSION_CLOSED] = true},
	[SPOA_SESSION_READY] = {[SPOA_SESSION_LEAVING] = true, [SPOA_SESSION_CLOSED] = true},
	[SPOA_SESSION_LEAVING] = {[SPOA_SESSION_CLOSED] = true},
};

static void move(struct spoa_session *session, enum spoa_session_state to)
{
	if (MAY_MOVE[session->state][to])
		session->state = to;
}

void spoa_session_init(struct spoa_session *session, uint32_t max_frame, bool fragmentation)
{
	*session = (struct spoa_session){
		.state = SPOA_SESSION_HELLO,
		.max_frame = max_frame,
		.fragmentation = fragmentation,
	};
}

void spoa_session_disconnect(struct spoa_session *session, enum spop_status status, struct wr *out)
{
	struct spop_frame_mark frame;

	if (session->state == SPOA_SESSION_CLOSED)
		return;
	frame = spop_frame_begin(out, SPOP_AGENT_DISCONNECT, SPOP_FIN, 0, 0);
	spop_disconnect_encode(out, status);
	/* A peer that left no room for it learns from the close. */
	if (spop_frame_end(out, frame, session->max_frame) == 0)
		session->by_peer = false;
	session->status = status;
	session->refused = session->state == SPOA_SESSION_HELLO;
	move(session, SPOA_SESSION_CLOSED);
}

static enum spop_status on_hello(struct spoa_session *session,
	const struct spoa_session_handler *handler, const struct spop_frame *frame, struct wr *out)
{
	struct spop_agent_hello reply;
	struct spop_frame_mark mark;
	struct spop_hello hello;
	enum spop_status status;
	uint32_t size;

	(void)handler;
	if (frame->stream_id || frame->frame_id)
		return SPOP_STATUS_INVALID;
	status = spop_hello_parse(frame->payload, &hello);
	if (status != SPOP_STATUS_NORMAL)
		return status;
	size = hello.max_frame_size < session->max_frame ? hello.max_frame_size
							 : session->max_frame;
	if (hello.healthcheck && size > HEALTHCHECK_FRAME_SIZE)
		size = HEALTHCHECK_FRAME_SIZE;
	mark = spop_frame_begin(out, SPOP_AGENT_HELLO, SPOP_FIN, 0, 0);
	reply = (struct spop_agent_hello){
		.max_frame_size = size,
		.pipelining = hello.pipelining,
		/* HAProxy never says that it would send fragments; from 3.1 on it ignores the word. */
		.fragmentation = session->fragmentation && !hello.healthcheck,
	};
	spop_hello_encode_agent(out, &reply);
	if (spop_frame_end(out, mark, size))
		return SPOP_STATUS_BAD_FRAME_SIZE;
	session->max_frame = size;
	session->pipelining = reply.pipelining;
	session->healthcheck = hello.healthcheck;
	/* HAProxy reads whatever follows a health check's HELLO as part of it: say no more. */
	move(session, hello.healthcheck ? SPOA_SESSION_CLOSED : SPOA_SESSION_READY);
	return SPOP_STATUS_NORMAL;
}

static enum spop_status on_notify(struct spoa_session *session,
	const struct spoa_session_handler *handler, const struct spop_frame *frame, struct wr *out)
{
	return handler->notify(handler->arg, session, frame, out);
}

static enum spop_status on_disconnect(struct spoa_session *session,
	const struct spoa_session_handler *handler, const struct spop_frame *frame, struct wr *out)
{
	struct spop_disconnect peer = {.status = SPOP_STATUS_UNKNOWN};

	(void)handler;
	if (spop_disconnect_parse(frame->payload, &peer))
		peer.status = SPOP_STATUS_UNKNOWN;
	spoa_session_disconnect(session, SPOP_STATUS_NORMAL, out);
	session->by_peer = true;
	session->status = (enum spop_status)peer.status;
	return SPOP_STATUS_NORMAL;
}

typedef enum spop_status frame_fn(struct spoa_session *session,
	const struct spoa_session_handler *handler, const struct spop_frame *frame, struct wr *out);

/* What each frame type does in each state; everything else is an invalid frame. */
static const struct {
	enum spoa_session_state state;
	uint8_t type;
	frame_fn *handle;
} FRAMES[] = {
	{SPOA_SESSION_HELLO, SPOP_HAPROXY_HELLO, on_hello},
	{SPOA_SESSION_READY, SPOP_NOTIFY, on_notify},
	{SPOA_SESSION_READY, SPOP_HAPROXY_DISCONNECT, on_disconnect},
	{SPOA_SESSION_LEAVING, SPOP_NOTIFY, on_notify},
	{SPOA_SESSION_LEAVING, SPOP_HAPROXY_DISCONNECT, on_disconnect},
};

/* Nothing is owed any more: what was to be answered before leaving. */
static bool owes_nothing(const struct spoa_session *session)
{
	return session->waiting == 0 && !session->fragments.open;
}

static enum spop_status on_fragment(struct spoa_session *session,
	const struct spoa_session_handler *handler, const struct spop_frame *frame,
	enum spop_part part, struct wr *out)
{
	enum spop_status status = handler->fragment(handler->arg, session, frame, part, out);

	/* A message that was begun before the drain keeps the session, as one that waits does. */
	if (status == SPOP_STATUS_NORMAL && session->state == SPOA_SESSION_LEAVING &&
		owes_nothing(session))
		spoa_session_disconnect(session, SPOP_STATUS_NORMAL, out);
	return status;
}

static enum spop_status dispatch(struct spoa_session *session,
	const struct spoa_session_handler *handler, const struct spop_frame *frame, struct wr *out)
{
	bool may_fragment = session->fragmentation && session->state != SPOA_SESSION_HELLO;
	enum spop_part part = SPOP_WHOLE;
	enum spop_status status;

	if (!may_fragment && (!(frame->flags & SPOP_FIN) || frame->type == SPOP_UNSET))
		return SPOP_STATUS_FRAGMENTED;
	status = spop_fragments_next(&session->fragments, frame, &part);
	if (status != SPOP_STATUS_NORMAL)
		return status;
	if (part != SPOP_WHOLE)
		return on_fragment(session, handler, frame, part, out);
	for (size_t i = 0; i < ARRAY_SIZE(FRAMES); i++)
		if (FRAMES[i].state == session->state && FRAMES[i].type == frame->type)
			return FRAMES[i].handle(session, handler, frame, out);
	return SPOP_STATUS_INVALID;
}

bool spoa_session_step(struct spoa_session *session, const struct spoa_session_handler *handler,
	struct rd *in, struct wr *out)
{
	enum spop_status status;
	struct spop_frame frame;
	int rc;

	if (session->state == SPOA_SESSION_CLOSED)
		return false;
	rc = spop_frame_next(in, session->max_frame, &frame);
	if (rc == 0)
		return false;
	if (rc < 0)
		status = rc == -EMSGSIZE ? SPOP_STATUS_TOO_BIG : SPOP_STATUS_INVALID;
	else
		status = dispatch(session, handler, &frame, out);
	if (status != SPOP_STATUS_NORMAL)
		spoa_session_disconnect(session, status, out);
	return session->state != SPOA_SESSION_CLOSED;
}

bool spoa_session_acked(struct spoa_session *session)
{
	session->waiting--;
	return session->state == SPOA_SESSION_LEAVING && owes_nothing(session);
}

void spoa_session_leave(struct spoa_session *session, struct wr *out)
{
	if (session->state == SPOA_SESSION_HELLO) {
		move(session, SPOA_SESSION_CLOSED);
		return;
	}
	move(session, SPOA_SESSION_LEAVING);
	if (session->state == SPOA_SESSION_LEAVING && owes_nothing(session))
		spoa_session_disconnect(session, SPOP_STATUS_NORMAL, out);
}
