#include "spoa/park.h"

#include "spoa/hold.h"
#include "spoa/notify.h"

#include <stdlib.h>
#include <string.h>

struct spoa_parked {
	TAILQ_ENTRY(spoa_parked) in_worker;
	TAILQ_ENTRY(spoa_parked) in_conn;
	struct spoa_conn *conn;
	uint64_t stream_id, frame_id;
	uint64_t received_at;  /* CLOCK_MONOTONIC, ns */
	enum base_reason late; /* what it is at its deadline */
	size_t n;
	char payload[];
};

/* Of a parked payload, what is beyond a frame: a fragmented one, held like other bytes. */
static size_t beyond_frame(const struct spoa_conn *conn, size_t n)
{
	return n > conn->session.max_frame ? n - conn->session.max_frame : 0;
}

static void unpark(struct spoa_parked *parked)
{
	struct spoa_conn *conn = parked->conn;
	struct spoa_worker *worker = conn->worker;

	TAILQ_REMOVE(&worker->parked, parked, in_worker);
	TAILQ_REMOVE(&conn->parked, parked, in_conn);
	worker->n_parked--;
	worker->held -= beyond_frame(conn, parked->n);
	atomic_fetch_sub_explicit(&worker->n_waiting, 1, memory_order_relaxed);
	free(parked);
}

static uint64_t deadline_ns(const struct spoa_worker *worker)
{
	return (uint64_t)worker->snapshot->config->conf->spop.deadline * (uint64_t)NS_PER_MS;
}

static void arm_timer(struct spoa_worker *worker)
{
	struct spoa_parked *oldest = TAILQ_FIRST(&worker->parked);
	struct base_now now;
	uint64_t due;

	ev_timer_stop(worker->loop, &worker->park_timer);
	if (!oldest)
		return;
	base_clock_now(&now);
	due = oldest->received_at + deadline_ns(worker);
	ev_now_update(worker->loop);
	ev_timer_set(&worker->park_timer,
		due > now.mono_ns ? (double)(due - now.mono_ns) / (double)NS_PER_S : 0., 0.);
	ev_timer_start(worker->loop, &worker->park_timer);
}

/* Is there room for one more that waits: of the connection, of the worker, in bytes? */
static bool may_wait(const struct spoa_conn *conn, size_t beyond)
{
	const struct spoa_worker *worker = conn->worker;
	const struct conf *conf = worker->snapshot->config->conf;
	size_t share = ((size_t)conf->spop.max_waiting + worker->n_workers - 1) / worker->n_workers;

	return conn->session.waiting < (uint32_t)conf->spop.max_in_flight &&
	       worker->n_parked < share && worker->held + beyond <= spoa_hold_limit(worker);
}

/* What a NOTIFY is when what it needs does not come in time. */
static enum base_reason late_reason(const struct spoa_need *need)
{
	if (need->identity.labels.n)
		return BASE_REASON_IDENTITY_UNAVAILABLE;
	return need->introspect.config ? BASE_REASON_INTROSPECTION_UNAVAILABLE
				       : BASE_REASON_KEYS_UNAVAILABLE;
}

enum spop_status spoa_park(struct spoa_conn *conn, const struct spop_frame *frame,
	uint64_t received_at, struct spoa_need need, struct wr *out)
{
	struct spoa_worker *worker = conn->worker;
	size_t beyond = beyond_frame(conn, frame->payload.n);
	struct spoa_parked *parked = NULL;

	if (may_wait(conn, beyond))
		parked = malloc(sizeof(*parked) + frame->payload.n);
	if (!parked) {
		spoa_notify_fail(conn, frame->stream_id, frame->frame_id, frame->payload,
			BASE_REASON_OVERLOAD, out);
		return SPOP_STATUS_NORMAL;
	}
	*parked = (struct spoa_parked){
		.conn = conn,
		.stream_id = frame->stream_id,
		.frame_id = frame->frame_id,
		.received_at = received_at,
		.late = late_reason(&need),
		.n = frame->payload.n,
	};
	memcpy(parked->payload, frame->payload.p, frame->payload.n);
	TAILQ_INSERT_TAIL(&worker->parked, parked, in_worker);
	TAILQ_INSERT_TAIL(&conn->parked, parked, in_conn);
	worker->n_parked++;
	worker->held += beyond;
	conn->session.waiting++;
	atomic_fetch_add_explicit(&worker->n_waiting, 1, memory_order_relaxed);
	spoa_metrics_add(&worker->metrics, SPOA_COUNT_PARKED, 1);
	arm_timer(worker);
	worker->owner.need_keys(worker->owner.arg, need);
	return SPOP_STATUS_NORMAL;
}

/* A parked NOTIFY has its answer in out: send it, and let a draining peer go with the last one. */
static void deliver(struct spoa_parked *parked, struct wr *out)
{
	struct spoa_conn *conn = parked->conn;
	uint64_t received_at = parked->received_at;

	unpark(parked);
	if (spoa_session_acked(&conn->session))
		spoa_session_disconnect(&conn->session, SPOP_STATUS_NORMAL, out);
	spoa_conn_send(conn, out);
	spoa_notify_sent(conn->worker, received_at);
}

/* Whatever is parked beyond its deadline gets its error. */
static void expire(struct spoa_worker *worker)
{
	struct spoa_parked *parked;

	base_clock_now(&worker->now);
	while ((parked = TAILQ_FIRST(&worker->parked))) {
		struct wr out = wr_of(worker->out, SPOA_WRITE_BYTES);
		struct span payload = {.p = parked->payload, .n = parked->n};

		if (parked->received_at + deadline_ns(worker) > worker->now.mono_ns)
			break;
		spoa_notify_fail(parked->conn, parked->stream_id, parked->frame_id, payload,
			parked->late, &out);
		deliver(parked, &out);
	}
}

void spoa_notify_retry(struct spoa_worker *worker)
{
	struct spoa_parked *next;

	/* After a pause of this process its timer and the snapshot come in any order. */
	expire(worker);
	for (struct spoa_parked *parked = TAILQ_FIRST(&worker->parked); parked; parked = next) {
		struct wr out = wr_of(worker->out, SPOA_WRITE_BYTES);
		struct span payload = {.p = parked->payload, .n = parked->n};
		struct spoa_need need = {0};

		next = TAILQ_NEXT(parked, in_worker);
		/* The payload was read once before, so it cannot be malformed now. */
		if (spoa_notify_settle(parked->conn, parked->stream_id, parked->frame_id, payload,
			    parked->received_at, &out, &need) == 0)
			deliver(parked, &out);
		else if (spoa_need_any(&need)) {
			parked->late = late_reason(&need);
			worker->owner.need_keys(worker->owner.arg, need);
		}
	}
	arm_timer(worker);
}

void spoa_notify_on_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct spoa_worker *worker = timer->data;

	(void)loop;
	(void)events;
	expire(worker);
	arm_timer(worker);
}

void spoa_notify_forget(struct spoa_conn *conn)
{
	struct spoa_parked *parked;

	while ((parked = TAILQ_FIRST(&conn->parked)))
		unpark(parked);
}
