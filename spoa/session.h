/*
 * One SPOP conversation without its socket: bytes in, frames out. Knows the
 * handshake, the negotiated limits and when to hang up; what a NOTIFY means
 * is the handler's business.
 *
 *	HELLO --HAPROXY-HELLO--> READY --drain--> LEAVING
 *	  |                        |                 |
 *	  +-- anything wrong, DISCONNECT, health check, nothing left to answer --> CLOSED
 */
#ifndef SPOA_SESSION_H
#define SPOA_SESSION_H

#include "base/mem.h"
#include "base/rd.h"
#include "base/wr.h"
#include "spop/fragment.h"
#include "spop/frame.h"
#include "spop/status.h"

#include <stdbool.h>
#include <stdint.h>

enum spoa_session_state {
	SPOA_SESSION_HELLO,
	SPOA_SESSION_READY,
	SPOA_SESSION_LEAVING, /* draining: NOTIFYs are still answered, then DISCONNECT */
	SPOA_SESSION_CLOSED,  /* flush what was written, then close */
};
#define SPOA_SESSION_STATES (SPOA_SESSION_CLOSED + 1)

struct spoa_session {
	enum spoa_session_state state;
	uint32_t max_frame; /* our own cap, then what was negotiated */
	bool pipelining;
	bool fragmentation; /* HELLO: may be announced; then: was announced */
	bool healthcheck;
	struct spop_fragments fragments;
	uint32_t waiting; /* NOTIFYs whose ACK is still owed */
	/* Why it is CLOSED. */
	enum spop_status status; /* what we sent, or what HAProxy sent */
	bool by_peer;
	bool refused; /* by us, in answer to its HELLO or to what came instead */
};

struct spoa_session_handler {
	/*
	 * A NOTIFY. The handler writes its ACK to out, or keeps a copy and
	 * owes it: then it has added 1 to session->waiting. Status NORMAL, or
	 * the status to disconnect with.
	 */
	enum spop_status (*notify)(void *arg, struct spoa_session *session,
		const struct spop_frame *frame, struct wr *out);
	/*
	 * A part of a NOTIFY, never SPOP_WHOLE. With the last one the NOTIFY
	 * is there, and the same holds for it as above. Needed only when
	 * fragmentation is announced.
	 */
	enum spop_status (*fragment)(void *arg, struct spoa_session *session,
		const struct spop_frame *frame, enum spop_part part, struct wr *out);
	void *arg;
};

/* fragmentation: announce that NOTIFYs may come in fragments. */
void spoa_session_init(struct spoa_session *session, uint32_t max_frame, bool fragmentation);

/* Frames that may be written for one frame read: out must have this much room per step. */
#define SPOA_SESSION_ROOM(max_frame) ((size_t)(max_frame) + SPOP_FRAME_PREFIX)

/*
 * Handles one frame of the input. true: it was one, *in moved, out may have
 * grown; ask again. false: the next frame is not complete yet, or the session
 * is CLOSED and the rest of the input does not matter.
 */
bool spoa_session_step(struct spoa_session *session, const struct spoa_session_handler *handler,
	struct rd *in, struct wr *out) must_check;

/* An ACK that was owed has been written: true when that was the last before leaving. */
bool spoa_session_acked(struct spoa_session *session);

/* Drain: DISCONNECT(0) now if nothing is owed, else after the last ACK. */
void spoa_session_leave(struct spoa_session *session, struct wr *out);

/* Writes AGENT-DISCONNECT with this status and closes. */
void spoa_session_disconnect(struct spoa_session *session, enum spop_status status, struct wr *out);

#endif
