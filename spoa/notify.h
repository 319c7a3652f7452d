/*
 * What happens to a NOTIFY: read, decided, written to the kernel, answered.
 * One that needs keys is parked until a newer snapshot or its deadline; it
 * gets exactly one ACK either way, or its connection ends.
 */
#ifndef SPOA_NOTIFY_H
#define SPOA_NOTIFY_H

#include "spoa/conn.h"

/* The session handler's callback; arg is the struct spoa_conn. */
enum spop_status spoa_notify(
	void *arg, struct spoa_session *session, const struct spop_frame *frame, struct wr *out);

/* Answers a NOTIFY with this reason, whatever is in it. */
void spoa_notify_refuse(struct spoa_conn *conn, const struct spop_frame *frame,
	enum base_reason reason, struct wr *out);

/*
 * Decides and answers: 0. Or -EAGAIN, the keys in *ret_need are needed first;
 * or -EBADMSG, the frame is no list of messages.
 */
int spoa_notify_settle(struct spoa_conn *conn, uint64_t stream_id, uint64_t frame_id,
	struct span payload, uint64_t received_at, struct wr *out,
	struct spoa_need *ret_need) must_check;

/* Answers with a reason alone, for a NOTIFY that was not or cannot be decided. */
void spoa_notify_fail(struct spoa_conn *conn, uint64_t stream_id, uint64_t frame_id,
	struct span payload, enum base_reason reason, struct wr *out);

/* park.c: after a new snapshot: decides again whatever is parked. */
void spoa_notify_retry(struct spoa_worker *worker);

/* park.c: the timer of the worker's oldest parked NOTIFY. */
void spoa_notify_on_deadline(struct ev_loop *loop, ev_timer *timer, int events);

/* What was answered since the last time has been sent; its bytes came at since (CLOCK_MONOTONIC). */
void spoa_notify_sent(struct spoa_worker *worker, uint64_t since);

/* park.c: forgets what a connection has parked: there is nobody left to answer. */
void spoa_notify_forget(struct spoa_conn *conn);

#endif
