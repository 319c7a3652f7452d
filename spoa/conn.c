#include "spoa/conn.h"

#include "spoa/farewell.h"
#include "spoa/fragment.h"
#include "spoa/hold.h"
#include "spoa/idle.h"
#include "spoa/notify.h"
#include "spoa/refusal.h"
#include "spoa/stall.h"
#include "spoa/turn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Answers of one step: an ACK, or a DISCONNECT; both if the ACK was the last before leaving. */
#define STEP_ROOM(session) (2 * SPOA_SESSION_ROOM((session)->max_frame))
_Static_assert(SPOA_WRITE_BYTES >= 2 * (UINT16_MAX + SPOP_FRAME_PREFIX) - 16, "room for a step");
_Static_assert(SPOA_READ_BYTES >= UINT16_MAX + SPOP_FRAME_PREFIX + SPOA_TURN_BYTES,
	"room for a whole frame but its last byte, and a read");

void spoa_conn_drop(struct spoa_conn *conn)
{
	struct spoa_worker *worker = conn->worker;

	spoa_notify_forget(conn);
	ev_io_stop(worker->loop, &conn->readable);
	ev_io_stop(worker->loop, &conn->writable);
	ev_timer_stop(worker->loop, &conn->patience);
	worker->n_refusing -= conn->refusing;
	spoa_turn_forget(conn);
	spoa_idle_done(conn);
	spoa_farewell_log(conn);
	spoa_metrics_add(&worker->metrics, conn->closed_as, 1);
	spoa_metrics_spop_error(
		&worker->metrics, conn->session.by_peer, (unsigned)conn->session.status);
	if (conn->session.by_peer)
		spoa_metrics_add(&worker->metrics, SPOA_COUNT_DISCONNECTS, 1);
	spoa_stream_done(&conn->stream);
	spoa_hold_done(conn);
	TAILQ_REMOVE(&worker->conns, conn, link);
	spoa_worker_count(worker, conn->is_tcp, false);
	free(conn);
	worker->owner.changed(worker->owner.arg);
}

/* One send of everything. 0: sent or held; -errno: the connection is of no more use. */
static int send_all(struct spoa_conn *conn, const unsigned char *p, size_t n)
{
	ssize_t sent = 0;

	if (!n)
		return 0;
	if (!conn->out_len) {
		sent = spoa_stream_write(&conn->stream, p, n);
		if (sent < 0 && sent != -EAGAIN)
			return (int)sent;
		if (sent < 0)
			sent = 0;
	}
	if ((size_t)sent == n)
		return 0;
	if (spoa_hold_output(conn, p + sent, n - (size_t)sent))
		return -ENOBUFS;
	/* Until it is gone nothing more is read: a peer that does not read gets no more answers. */
	ev_io_stop(conn->worker->loop, &conn->readable);
	ev_io_start(conn->worker->loop, &conn->writable);
	return 0;
}

/* Drops the connection if it is over; true when it did. */
static bool drop_if_over(struct spoa_conn *conn)
{
	bool said_all = conn->session.state == SPOA_SESSION_CLOSED && !conn->out_len;

	if (!conn->broken && !said_all)
		return false;
	if (conn->session.status != SPOP_STATUS_NORMAL && !conn->session.by_peer)
		conn->closed_as = SPOA_COUNT_CLOSED_ERROR;
	else if (conn->worker->draining && !conn->session.by_peer)
		conn->closed_as = SPOA_COUNT_CLOSED_DRAIN;
	spoa_conn_drop(conn);
	return true;
}

/*
 * Answers complete frames of the input, as many as one turn has; output goes
 * out whenever its buffer is full. *ret_more: the turn ended first.
 */
static int answer_frames(struct spoa_conn *conn, struct rd *in, bool *ret_more)
{
	const struct spoa_session_handler handler = {
		.notify = spoa_notify, .fragment = spoa_fragment, .arg = conn};
	struct spoa_worker *worker = conn->worker;
	struct wr out = wr_of(worker->out, SPOA_WRITE_BYTES);
	bool in_hello = conn->session.state == SPOA_SESSION_HELLO;
	unsigned left = SPOA_TURN_FRAMES;
	int rc;

	while (left && spoa_session_step(&conn->session, &handler, in, &out)) {
		left--;
		if (wr_left(&out) >= STEP_ROOM(&conn->session))
			continue;
		rc = send_all(conn, out.start, wr_len(&out));
		if (rc)
			return rc;
		out = wr_of(worker->out, SPOA_WRITE_BYTES);
		/* A peer that does not read gets no more answers to keep for it. */
		if (conn->out_len)
			break;
	}
	if (in_hello && conn->session.healthcheck)
		spoa_metrics_add(&worker->metrics, SPOA_COUNT_HEALTHCHECKS, 1);
	if (in_hello && conn->session.state != SPOA_SESSION_HELLO && !conn->session.refused)
		spoa_metrics_add(&worker->metrics, SPOA_COUNT_HELLOS, 1);
	*ret_more = !left && rd_left(in);
	if (conn->session.refused && spoa_refusal_may_wait(worker))
		return spoa_refusal_send_late(conn, &out);
	return send_all(conn, out.start, wr_len(&out));
}

/*
 * A frame that was begun is to be finished, an answer to be read: whoever
 * does neither holds memory for nothing. progress: a frame was completed.
 */
static void watch_patience(struct spoa_conn *conn, bool progress)
{
	struct ev_loop *loop = conn->worker->loop;
	double seconds = (double)conn->worker->snapshot->config->conf->spop.hello_timeout / 1000.;
	bool owing = conn->in_len || conn->out_len || conn->session.fragments.open;

	if (conn->session.state == SPOA_SESSION_HELLO || conn->refusing)
		return;
	if (!owing || progress)
		ev_timer_stop(loop, &conn->patience);
	if (!owing || ev_is_active(&conn->patience))
		return;
	ev_timer_set(&conn->patience, seconds, 0.);
	ev_timer_start(loop, &conn->patience);
}

/* The next turn comes without an event, for frames that wait in in_held or in the stream. */
static void go_on_later(struct spoa_conn *conn, bool more)
{
	if (conn->broken || conn->out_len || conn->session.state == SPOA_SESSION_CLOSED)
		return;
	if (more)
		ev_io_stop(conn->worker->loop, &conn->readable);
	else
		ev_io_start(conn->worker->loop, &conn->readable);
	conn->is_behind = more;
	if (more || spoa_stream_pending(&conn->stream))
		spoa_turn_again(conn);
}

/* Says goodbye to a peer that has to go, but not in front of requests that are here already. */
static void leave_if_done(struct spoa_conn *conn)
{
	struct wr out = wr_of(conn->worker->out, SPOA_WRITE_BYTES);

	if (!conn->leaving || conn->session.state > SPOA_SESSION_READY)
		return;
	if (conn->session.state == SPOA_SESSION_READY && conn->in_len)
		return;
	spoa_session_leave(&conn->session, &out);
	spoa_conn_send(conn, &out);
}

static void process(struct spoa_conn *conn, size_t n)
{
	struct rd in = rd_of(conn->worker->in, n);
	bool stuck = conn->out_len > 0;
	bool more = false;
	uint64_t since;

	base_clock_now(&conn->worker->now);
	since = conn->worker->now.mono_ns;
	spoa_idle_heard(conn, since);
	if (answer_frames(conn, &in, &more))
		conn->broken = true;
	spoa_notify_sent(conn->worker, since);
	if (conn->session.state == SPOA_SESSION_CLOSED)
		in.p = in.end; /* whatever is behind the end is not kept */
	if (spoa_hold_input(conn, &in))
		conn->broken = true;
	watch_patience(conn, !stuck && conn->in_len < n);
	leave_if_done(conn);
	go_on_later(conn, more);
	/* A goodbye may have to wait for the socket; nothing is to be said behind it. */
	if (conn->session.state == SPOA_SESSION_CLOSED)
		spoa_notify_forget(conn);
	drop_if_over(conn);
}

/* What was held back, as if it had just come. */
static void process_held(struct spoa_conn *conn)
{
	size_t n = conn->in_len;

	memcpy(conn->worker->in, conn->in_held, n);
	process(conn, n);
}

/* EOF and reset without a DISCONNECT are HAProxy's normal goodbye. */
static void end_of_input(struct spoa_conn *conn, ssize_t error)
{
	if (error == -EPROTO) {
		conn->closed_as = SPOA_COUNT_CLOSED_TLS;
		spoa_farewell_log_tls(conn);
	}
	spoa_conn_drop(conn);
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct spoa_conn *conn = watcher->data;
	struct spoa_worker *worker = conn->worker;
	size_t held = conn->in_len;
	ssize_t got;

	(void)events;
	if (drop_if_over(conn) || conn->out_len)
		return;
	if (spoa_stall_is_stale(worker)) {
		conn->closed_as = SPOA_COUNT_CLOSED_STALE;
		spoa_conn_drop(conn);
		return;
	}
	if (held)
		memcpy(worker->in, conn->in_held, held);
	got = spoa_stream_read(&conn->stream, worker->in + held, SPOA_TURN_BYTES);
	if (conn->stream.wants_write)
		ev_io_start(loop, &conn->writable);
	if (got == -EAGAIN)
		return;
	if (got <= 0) {
		end_of_input(conn, got);
		return;
	}
	if (!conn->may_bind)
		conn->may_bind = spoa_stream_verified(&conn->stream);
	process(conn, held + (size_t)got);
}

void spoa_conn_continue(struct spoa_conn *conn)
{
	if (conn->is_behind && !conn->out_len)
		process_held(conn);
	else
		on_readable(conn->worker->loop, &conn->readable, EV_READ);
}

/* Sends what was held; false: there is still more, or the connection is gone. */
static bool flush_held(struct spoa_conn *conn)
{
	ssize_t sent = spoa_stream_write(&conn->stream, conn->out_held, conn->out_len);

	if (sent == -EAGAIN)
		return false;
	if (sent < 0) {
		conn->broken = true;
		drop_if_over(conn);
		return false;
	}
	conn->out_len -= (size_t)sent;
	memmove(conn->out_held, conn->out_held + sent, conn->out_len);
	if (conn->out_len || drop_if_over(conn))
		return false;
	spoa_hold_release_output(conn);
	return true;
}

static void on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct spoa_conn *conn = watcher->data;

	(void)events;
	if (conn->out_len && !flush_held(conn))
		return;
	ev_io_stop(loop, &conn->writable);
	ev_io_start(loop, &conn->readable);
	watch_patience(conn, true);
	/* Whole frames may have been held back with the answers: no event will tell of them. */
	if (conn->in_len)
		process_held(conn);
	else
		go_on_later(conn, false);
}

static void on_impatience(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct spoa_conn *conn = timer->data;

	(void)loop;
	(void)events;
	conn->closed_as = SPOA_COUNT_CLOSED_TIMEOUT;
	spoa_conn_drop(conn);
}

/* Sees to it that drop_if_over is asked soon, outside whatever runs now. */
static void look_soon(struct spoa_conn *conn)
{
	ev_feed_event(conn->worker->loop, &conn->readable, EV_READ);
}

void spoa_conn_send(struct spoa_conn *conn, const struct wr *out)
{
	if (send_all(conn, out->start, wr_len(out)))
		conn->broken = true;
	watch_patience(conn, false);
	if (conn->broken || conn->session.state == SPOA_SESSION_CLOSED)
		look_soon(conn);
}

bool spoa_conn_leave(struct spoa_conn *conn)
{
	if (conn->leaving || conn->session.state > SPOA_SESSION_READY)
		return false;
	conn->leaving = true;
	leave_if_done(conn);
	return true;
}

static void init_watchers(struct spoa_conn *conn, double patience)
{
	ev_io_init(&conn->readable, on_readable, conn->stream.fd, EV_READ);
	ev_io_init(&conn->writable, on_writable, conn->stream.fd, EV_WRITE);
	ev_timer_init(&conn->patience, on_impatience, patience, 0.);
	conn->readable.data = conn->writable.data = conn->patience.data = conn;
	ev_io_start(conn->worker->loop, &conn->readable);
	ev_timer_start(conn->worker->loop, &conn->patience);
}

int spoa_conn_new(struct spoa_worker *worker, const struct spoa_newcomer *newcomer)
{
	const struct spoa_config *config = worker->snapshot->config;
	struct spoa_conn *conn = calloc(1, sizeof(*conn));

	if (!conn) {
		close(newcomer->fd);
		return -ENOMEM;
	}
	if (spoa_stream_init(&conn->stream, newcomer->fd, config->tls[newcomer->listener])) {
		free(conn);
		return -ENOMEM;
	}
	conn->worker = worker;
	conn->is_tcp = newcomer->is_tcp;
	conn->may_bind = !newcomer->is_tcp;
	conn->cannot_mark = newcomer->cannot_mark;
	conn->closed_as = SPOA_COUNT_CLOSED_PEER;
	snprintf(conn->peer, sizeof(conn->peer), "%s", newcomer->peer);
	spoa_session_init(&conn->session, (uint32_t)config->conf->spop.max_frame_size,
		config->conf->spop.max_message_size > config->conf->spop.max_frame_size);
	TAILQ_INIT(&conn->parked);
	init_watchers(conn, (double)config->conf->spop.hello_timeout / 1000.);
	TAILQ_INSERT_TAIL(&worker->conns, conn, link);
	spoa_stall_watch(worker);
	spoa_idle_init(conn);
	spoa_metrics_add(&worker->metrics, SPOA_COUNT_CONNECTIONS, 1);
	return 0;
}
