#include "spoa/conn.h"

#include "spoa/fragment.h"
#include "spoa/hold.h"
#include "spoa/notify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Lines a second about peers that we hung up on, for each worker. */
#define CLOSE_LINES 5

/* Answers of one step: an ACK, or a DISCONNECT; both if the ACK was the last before leaving. */
#define STEP_ROOM(session) (2 * SPOA_SESSION_ROOM((session)->max_frame))
_Static_assert(SPOA_WRITE_BYTES >= 2 * (UINT16_MAX + SPOP_FRAME_PREFIX) - 16, "room for a step");
_Static_assert(SPOA_READ_BYTES >= UINT16_MAX + SPOP_FRAME_PREFIX + SPOA_TURN_BYTES,
	"room for a whole frame but its last byte, and a read");

static uint64_t mono_now(void)
{
	struct base_now now;

	base_clock_now(&now);
	return now.mono_ns;
}

/*
 * Which log line an end deserves: the peer's mistakes are worth one, and so is
 * its complaint about us. HAProxy's ordinary goodbyes are not: the end of the
 * connection, with or without a reset, and DISCONNECT with 0, 1 or 2.
 */
static void log_close(const struct spoa_conn *conn)
{
	enum spop_status status = conn->session.status;
	struct base_log log;
	uint64_t lost = 0;
	bool mistake = conn->session.state == SPOA_SESSION_CLOSED &&
		       status > (conn->session.by_peer ? SPOP_STATUS_TIMEOUT : SPOP_STATUS_NORMAL);

	if (mistake &&
		!spoa_log_allowed(&conn->worker->close_lines, CLOSE_LINES, mono_now(), &lost)) {
		spoa_metrics_add(&conn->worker->metrics, SPOA_COUNT_LOG_LINES_LOST, 1);
		return;
	}
	if (!spoa_log_open(&log, mistake ? BASE_LOG_WARNING : BASE_LOG_DEBUG, "disconnect"))
		return;
	base_log_str(&log, "peer", conn->peer);
	base_log_int(&log, "status", (int64_t)status);
	base_log_str(&log, "why", spop_status_text((unsigned)status));
	base_log_bool(&log, "by_peer", conn->session.by_peer);
	base_log_int(&log, "unanswered", (int64_t)conn->session.waiting);
	if (lost)
		base_log_int(&log, "suppressed", (int64_t)lost);
	spoa_log_close(&log);
}

void spoa_conn_drop(struct spoa_conn *conn)
{
	struct spoa_worker *worker = conn->worker;

	spoa_notify_forget(conn);
	ev_io_stop(worker->loop, &conn->readable);
	ev_io_stop(worker->loop, &conn->writable);
	ev_timer_stop(worker->loop, &conn->patience);
	worker->n_refusing -= conn->refusing;
	log_close(conn);
	spoa_metrics_add(&worker->metrics, conn->closed_as, 1);
	close(conn->fd);
	spoa_hold_done(conn);
	TAILQ_REMOVE(&worker->conns, conn, link);
	spoa_worker_count(worker, conn->may_bind, false);
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
		sent = send(conn->fd, p, n, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
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
 * HAProxy up to 3.0 whose HELLO is refused connects again at once, thousands
 * of times a second, until its timeout processing. So the refusal is sent
 * late. Nothing is read meanwhile, a frame of some 70 bytes is kept, and only
 * one in four of the connections that may be open at all may wait like this;
 * beyond that, refusals are sent at once.
 */
#define REFUSAL_SECONDS 0.5
#define REFUSAL_SHARE   4

static void on_refusal(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct spoa_conn *conn = timer->data;

	(void)events;
	conn->refusing = false;
	conn->worker->n_refusing--;
	ev_io_start(loop, &conn->writable);
}

static bool may_refuse_late(const struct spoa_worker *worker)
{
	size_t limit = (size_t)worker->snapshot->config->conf->spop.max_connections;

	return worker->n_refusing < limit / REFUSAL_SHARE / worker->n_workers;
}

static int refuse_late(struct spoa_conn *conn, const struct wr *out)
{
	struct ev_loop *loop = conn->worker->loop;
	int rc = spoa_hold_output(conn, out->start, wr_len(out));

	if (rc)
		return rc;
	conn->refusing = true;
	conn->worker->n_refusing++;
	ev_io_stop(loop, &conn->readable);
	ev_timer_stop(loop, &conn->patience);
	ev_set_cb(&conn->patience, on_refusal);
	ev_timer_set(&conn->patience, REFUSAL_SECONDS, 0.);
	ev_timer_start(loop, &conn->patience);
	return 0;
}

/* Answers every complete frame of the input; output goes out whenever its buffer is full. */
static int answer_frames(struct spoa_conn *conn, struct rd *in)
{
	const struct spoa_session_handler handler = {
		.notify = spoa_notify, .fragment = spoa_fragment, .arg = conn};
	struct spoa_worker *worker = conn->worker;
	struct wr out = wr_of(worker->out, SPOA_WRITE_BYTES);
	bool in_hello = conn->session.state == SPOA_SESSION_HELLO;
	int rc;

	while (spoa_session_step(&conn->session, &handler, in, &out)) {
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
	if (conn->session.refused && may_refuse_late(worker))
		return refuse_late(conn, &out);
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

static void process(struct spoa_conn *conn, size_t n)
{
	struct rd in = rd_of(conn->worker->in, n);
	bool stuck = conn->out_len > 0;

	if (answer_frames(conn, &in))
		conn->broken = true;
	if (conn->session.state == SPOA_SESSION_CLOSED)
		in.p = in.end; /* whatever is behind the end is not kept */
	if (spoa_hold_input(conn, &in))
		conn->broken = true;
	watch_patience(conn, !stuck && conn->in_len < n);
	/* A goodbye may have to wait for the socket; nothing is to be said behind it. */
	if (conn->session.state == SPOA_SESSION_CLOSED)
		spoa_notify_forget(conn);
	drop_if_over(conn);
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct spoa_conn *conn = watcher->data;
	struct spoa_worker *worker = conn->worker;
	size_t held = conn->in_len;
	ssize_t got;

	(void)loop;
	(void)events;
	if (drop_if_over(conn) || conn->out_len)
		return;
	if (held)
		memcpy(worker->in, conn->in_held, held);
	got = recv(conn->fd, worker->in + held, SPOA_TURN_BYTES, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) { /* EOF and reset without a DISCONNECT are HAProxy's normal goodbye */
		spoa_conn_drop(conn);
		return;
	}
	process(conn, held + (size_t)got);
}

static void on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct spoa_conn *conn = watcher->data;
	ssize_t sent = send(conn->fd, conn->out_held, conn->out_len, MSG_NOSIGNAL);
	size_t n;

	(void)events;
	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (sent < 0) {
		conn->broken = true;
		drop_if_over(conn);
		return;
	}
	n = (size_t)sent;
	conn->out_len -= n;
	memmove(conn->out_held, conn->out_held + n, conn->out_len);
	if (conn->out_len || drop_if_over(conn))
		return;
	spoa_hold_release_output(conn);
	ev_io_stop(loop, &conn->writable);
	ev_io_start(loop, &conn->readable);
	watch_patience(conn, true);
	/* Whole frames may have been held back with the answers: no event will tell of them. */
	n = conn->in_len;
	if (n) {
		memcpy(conn->worker->in, conn->in_held, n);
		process(conn, n);
	}
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
	struct wr out = wr_of(conn->worker->out, SPOA_WRITE_BYTES);

	if (conn->session.state > SPOA_SESSION_READY)
		return false;
	spoa_session_leave(&conn->session, &out);
	spoa_conn_send(conn, &out);
	return true;
}

static bool is_unix(int fd)
{
	int domain = AF_UNSPEC;
	socklen_t size = sizeof(domain);

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) && domain == AF_UNIX;
}

int spoa_conn_new(struct spoa_worker *worker, const struct spoa_newcomer *newcomer)
{
	const struct conf *conf = worker->snapshot->config->conf;
	struct spoa_conn *conn = calloc(1, sizeof(*conn));

	if (!conn) {
		close(newcomer->fd);
		return -ENOMEM;
	}
	conn->worker = worker;
	conn->fd = newcomer->fd;
	conn->may_bind = newcomer->may_bind;
	conn->same_clock = is_unix(conn->fd);
	conn->closed_as = SPOA_COUNT_CLOSED_PEER;
	snprintf(conn->peer, sizeof(conn->peer), "%s", newcomer->peer);
	spoa_session_init(&conn->session, (uint32_t)conf->spop.max_frame_size,
		conf->spop.max_message_size > conf->spop.max_frame_size);
	TAILQ_INIT(&conn->parked);
	ev_io_init(&conn->readable, on_readable, conn->fd, EV_READ);
	ev_io_init(&conn->writable, on_writable, conn->fd, EV_WRITE);
	ev_timer_init(&conn->patience, on_impatience, (double)conf->spop.hello_timeout / 1000., 0.);
	conn->readable.data = conn->writable.data = conn->patience.data = conn;
	ev_io_start(worker->loop, &conn->readable);
	ev_timer_start(worker->loop, &conn->patience);
	TAILQ_INSERT_TAIL(&worker->conns, conn, link);
	spoa_metrics_add(&worker->metrics, SPOA_COUNT_CONNECTIONS, 1);
	return 0;
}
