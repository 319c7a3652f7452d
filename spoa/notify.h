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

/* After a new snapshot: decides again whatever is parked. */
void spoa_notify_retry(struct spoa_worker *worker);

/* The timer of the worker's oldest parked NOTIFY. */
void spoa_notify_on_deadline(struct ev_loop *loop, ev_timer *timer, int events);

/* What was answered since the last time has been sent; its bytes came at since (CLOCK_MONOTONIC). */
void spoa_notify_sent(struct spoa_worker *worker, uint64_t since);

/* Forgets what a connection has parked: there is nobody left to answer. */
void spoa_notify_forget(struct spoa_conn *conn);

#endif
