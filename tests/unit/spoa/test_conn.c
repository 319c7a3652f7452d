#include "tests/unit/spoa/suites.h"

#include "spoa/conn.h"
#include "spoa/hold.h"
#include "spoa/notify.h"
#include "spoa/stall.h"
#include "spoa/turn.h"
#include "tests/unit/spoa/help.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/socket.h>

#define MAX_FRAME 16380

/* A worker without its thread: the test turns its loop, so everything is in one place. */
static struct spoa_worker worker;
static struct spoa_config *config;
static struct spoa_snapshot *snapshot;
static struct spoa_conn *conn;
static int fd; /* HAProxy's end */
static unsigned char buf[256 * 1024];
static struct wr w;
static char *good, *unknown;

static void on_need(void *arg, struct spoa_need need)
{
	(void)arg;
	ck_assert_uint_eq(need.unknown, 1);
}

static void on_changed(void *arg)
{
	(void)arg;
	conn = NULL;
}

static void setup_worker(void)
{
	worker = (struct spoa_worker){
		.owner = {on_need, on_changed, NULL},
		.n_workers = 1,
		.snapshot = spoa_snapshot_ref(snapshot),
		.loop = ev_loop_new(EVFLAG_AUTO),
		.in = malloc(SPOA_READ_BYTES),
		.out = malloc(SPOA_WRITE_BYTES),
	};
	TAILQ_INIT(&worker.conns);
	TAILQ_INIT(&worker.parked);
	spoa_turn_init(&worker);
	spoa_stall_init(&worker);
	ev_timer_init(&worker.park_timer, spoa_notify_on_deadline, 0., 0.);
	worker.park_timer.data = &worker;
	ck_assert_int_eq(spoa_state_init(&worker.state, HELP_CACHE), 0);
}

static void connect_peer(void)
{
	struct spoa_newcomer newcomer = {.peer = "test"};
	int size = 4096;
	int fds[2];

	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	ck_assert_int_eq(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	fd = fds[0];
	newcomer.fd = fds[1];
	atomic_fetch_add(&worker.n_conns, 1);
	ck_assert_int_eq(spoa_conn_new(&worker, &newcomer), 0);
	conn = TAILQ_FIRST(&worker.conns);
}

static void turn(void)
{
	for (int i = 0; i < 20; i++)
		ev_run(worker.loop, EVRUN_NOWAIT);
}

static void send_all(void)
{
	ck_assert(!w.bad);
	ck_assert_int_eq(send(fd, buf, wr_len(&w), MSG_NOSIGNAL), (ssize_t)wr_len(&w));
	w = wr_of(buf, sizeof(buf));
	turn();
}

/* Reads and counts frames until there are no more; asserts that a DISCONNECT is the last. */
static unsigned read_acks(unsigned *ret_disconnects)
{
	static unsigned char in[4 * 1024 * 1024];
	size_t len = 0;
	unsigned acks = 0;
	struct spop_frame frame;
	ssize_t n;
	struct rd r;

	*ret_disconnects = 0;
	for (int quiet = 0; quiet < 3;) {
		n = recv(fd, in + len, sizeof(in) - len, 0);
		quiet = n > 0 ? 0 : quiet + 1;
		len += n > 0 ? (size_t)n : 0;
		turn();
	}
	r = rd_of(in, len);
	while (rd_left(&r)) {
		ck_assert_int_eq(spop_frame_next(&r, MAX_FRAME, &frame), 1);
		ck_assert_uint_eq(*ret_disconnects, 0);
		acks += frame.type == SPOP_ACK;
		*ret_disconnects += frame.type == SPOP_AGENT_DISCONNECT;
	}
	return acks;
}

static void setup(void)
{
	unsigned disconnects;

	config = help_config(HELP_HEAD HELP_ONE
		"spop: {deadline: 999ms, max_frame_size: 65532, max_in_flight: 4096}\n"
		"log: {decisions_per_second: 1}\n");
	snapshot = help_snapshot(config);
	help_key(snapshot, 0, test_key_of(TOKEN_ES256), "k", 1);
	good = help_token_now(test_key_of(TOKEN_ES256), "k", NULL);
	unknown = help_token_now(test_key_of(TOKEN_ES256), "new", NULL);
	w = wr_of(buf, sizeof(buf));
	setup_worker();
	connect_peer();
	help_hello(&w, MAX_FRAME, true, false);
	send_all();
	(void)read_acks(&disconnects);
	ck_assert_int_eq(conn->session.state, SPOA_SESSION_READY);
}

static void teardown(void)
{
	if (conn)
		spoa_conn_drop(conn);
	close(fd);
	ck_assert_uint_eq(worker.held, 0);
	ck_assert_uint_eq(worker.n_parked, 0);
	ck_assert_uint_eq(atomic_load(&worker.n_conns), 0);
	ck_assert(TAILQ_EMPTY(&worker.conns));
	ck_assert(TAILQ_EMPTY(&worker.parked));
	ev_timer_stop(worker.loop, &worker.park_timer);
	spoa_stall_done(&worker);
	ev_loop_destroy(worker.loop);
	spoa_state_done(&worker.state);
	spoa_snapshot_unref(worker.snapshot);
	spoa_snapshot_unref(snapshot);
	spoa_config_unref(config);
	free(worker.in);
	free(worker.out);
	free(good);
	free(unknown);
}

/* Whatever the buffers really take has to be in the sum that is limited. */
static void held_is_honest(void)
{
	size_t real = 0;

	if (conn && conn->in_held)
		real += malloc_usable_size(conn->in_held);
	if (conn && conn->out_held)
		real += malloc_usable_size(conn->out_held);
	/* Besides what is counted each connection may hold one frame. */
	if (conn)
		real -= real < SPOA_SESSION_ROOM(conn->session.max_frame)
				? real
				: SPOA_SESSION_ROOM(conn->session.max_frame);
	ck_assert_msg(real <= worker.held + 64, "%zu bytes are allocated, %zu are counted", real,
		worker.held);
}

START_TEST(does_not_read)
{
	/*
	 * HAPROXY.md 2.6.14: a peer that does not read is not read from; what it gets back
	 * later, in pieces, is all it is owed.
	 */
	unsigned sent = 0;
	unsigned disconnects;
	size_t highest = 0;

	for (;;) {
		struct wr one = wr_of(buf, sizeof(buf));
		ssize_t n;

		help_notify(&one, 1 + 2 * sent, 1, NULL, "/");
		n = send(fd, buf, wr_len(&one), MSG_NOSIGNAL);
		turn();
		highest = worker.held > highest ? worker.held : highest;
		if (n < 0)
			break;
		ck_assert_int_eq(n, (ssize_t)wr_len(&one));
		sent++;
		ck_assert_uint_lt(sent, 100000);
	}
	ck_assert_uint_gt(sent, 50);
	ck_assert_uint_gt(conn->out_len, 0);
	ck_assert_uint_le(highest, SPOA_READ_BYTES + SPOA_WRITE_BYTES);
	ck_assert_uint_eq(read_acks(&disconnects), sent);
	ck_assert_uint_eq(disconnects, 0);
	ck_assert_uint_eq(conn->out_len, 0);
	held_is_honest();
}
END_TEST

START_TEST(batch_larger_than_output)
{
	/* One read whose answers exceed one write buffer: every NOTIFY is answered once. */
	unsigned disconnects;
	unsigned n = 0;

	while (wr_len(&w) < SPOA_READ_BYTES - 100)
		help_notify(&w, 1 + 2 * n++, 1, NULL, "/");
	for (size_t at = 0; at < wr_len(&w);) {
		ssize_t sent = send(fd, buf + at, wr_len(&w) - at, MSG_NOSIGNAL);

		if (sent < 0)
			break;
		at += (size_t)sent;
		if (at == wr_len(&w))
			goto sent_all;
	}
	ck_abort_msg("the socket is too small for this test");
sent_all:
	turn();
	held_is_honest();
	ck_assert_uint_eq(read_acks(&disconnects), n);
	held_is_honest();
}
END_TEST

/* Parks n NOTIFYs. */
static void park(unsigned n)
{
	while (n) {
		for (unsigned i = 0; i < 40 && n; i++, n--)
			help_notify(&w, 1001 + 2 * n, 1, unknown, "/");
		send_all();
	}
}

static void publish_new_key(void)
{
	spoa_snapshot_unref(worker.snapshot);
	worker.snapshot = help_snapshot(config);
	help_key(worker.snapshot, 0, test_key_of(TOKEN_ES256), "new", UINT64_MAX);
	spoa_notify_retry(&worker);
}

START_TEST(held_answers)
{
	/* Answers of parked NOTIFYs that the peer does not read are counted, and freed once read. */
	unsigned disconnects;
	unsigned char some[8192];

	park(1000);
	ck_assert_uint_eq(worker.n_parked, 1000);
	publish_new_key();
	ck_assert_uint_eq(worker.n_parked, 0);
	ck_assert_uint_gt(conn->out_len, 100000);
	held_is_honest();
	while (conn->out_len > 10000) {
		ck_assert_int_gt(recv(fd, some, sizeof(some), 0), 0);
		turn();
	}
	held_is_honest();
	while (recv(fd, some, sizeof(some), 0) > 0)
		turn();
	ck_assert_uint_eq(conn->out_len, 0);
	held_is_honest();
	help_notify(&w, 1, 1, unknown, "/");
	send_all();
	ck_assert_uint_eq(read_acks(&disconnects), 1);
}
END_TEST

START_TEST(nothing_after_goodbye)
{
	/* After a DISCONNECT that still waits to be sent, no parked NOTIFY is answered any more. */
	unsigned disconnects;

	park(3);
	for (unsigned k = 0; k < 60; k++)
		help_notify(&w, 1 + 2 * k, 1, NULL, "/");
	wr_u32be(&w, 1); /* a frame that is too short */
	send_all();
	ck_assert_int_eq(conn->session.state, SPOA_SESSION_CLOSED);
	ck_assert_uint_gt(conn->out_len, 0);
	publish_new_key();
	ck_assert_uint_eq(read_acks(&disconnects), 60);
	ck_assert_uint_eq(disconnects, 1);
	ck_assert_ptr_null(conn);
}
END_TEST

START_TEST(goodbye_by_peer_while_parked)
{
	/* A peer that says goodbye while its NOTIFYs wait gets one goodbye back. */
	struct spop_frame_mark mark;
	unsigned disconnects;

	park(3);
	mark = spop_frame_begin(&w, SPOP_HAPROXY_DISCONNECT, SPOP_FIN, 0, 0);
	ck_assert_int_eq(spop_frame_end(&w, mark, MAX_FRAME), 0);
	send_all();
	ck_assert_ptr_null(conn);
	ck_assert_uint_eq(worker.n_parked, 0);
	ck_assert_uint_eq(read_acks(&disconnects), 0);
	ck_assert_uint_eq(disconnects, 1);
	ck_assert_uint_eq(atomic_load(&worker.metrics.counters[SPOA_COUNT_CLOSED_PEER]), 1);
}
END_TEST

START_TEST(no_more_room)
{
	/* When all that may be held is held, a frame may still come in pieces; unread answers end it. */
	worker.held += spoa_hold_limit(&worker) - 10;
	help_notify(&w, 1, 1, good, "/");
	ck_assert_int_eq(send(fd, w.start, 10, 0), 10);
	turn();
	ck_assert_ptr_nonnull(conn);
	ck_assert_uint_eq(conn->in_len, 10);
	ck_assert_int_gt(send(fd, w.start + 10, wr_len(&w) - 10, 0), 0);
	turn();
	ck_assert_ptr_nonnull(conn);
	ck_assert_uint_eq(conn->in_len, 0);
	w = wr_of(buf, sizeof(buf));
	park(1000);
	publish_new_key();
	turn();
	worker.held -= spoa_hold_limit(&worker) - 10;
	ck_assert_ptr_null(conn);
	ck_assert_uint_eq(atomic_load(&worker.metrics.counters[SPOA_COUNT_CLOSED_RESOURCES]), 1);
}
END_TEST

START_TEST(reset_while_held)
{
	/* A peer that goes with answers unread and NOTIFYs parked leaves nothing behind. */
	park(50);
	for (unsigned k = 0; k < 200; k++)
		help_notify(&w, 1 + 2 * k, 1, NULL, "/");
	send_all();
	ck_assert_uint_gt(conn->out_len, 0);
	ck_assert_int_eq(shutdown(fd, SHUT_RDWR), 0);
	turn();
	if (conn) /* the write is what tells */
		publish_new_key();
	turn();
	ck_assert_ptr_null(conn);
	ck_assert_uint_eq(worker.n_parked, 0);
}
END_TEST

/* A second peer on the same worker; read_acks and send_all are about fd, so the test swaps it. */
static int second_peer(void)
{
	int first = fd;
	int second;
	unsigned disconnects;

	connect_peer();
	help_hello(&w, MAX_FRAME, true, false);
	send_all();
	(void)read_acks(&disconnects);
	second = fd;
	fd = first;
	conn = TAILQ_FIRST(&worker.conns);
	return second;
}

/* As many of the smallest NOTIFYs as one read takes. */
static unsigned flood(void)
{
	struct wr one = wr_of(buf, sizeof(buf));
	int room = 1 << 20;
	unsigned n = 0;

	while (wr_len(&one) < SPOA_TURN_BYTES - 100)
		help_notify(&one, 1 + 2 * n++, 1, NULL, NULL);
	ck_assert_int_eq(
		setsockopt(conn->stream.fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
	ck_assert_int_eq(send(fd, buf, wr_len(&one), 0), (ssize_t)wr_len(&one));
	return n;
}

START_TEST(fair_turns)
{
	/* A flood of tiny NOTIFYs is answered by the turn, and others are served in between. */
	unsigned n_flood = flood();
	int second = second_peer();
	uint64_t notifies = atomic_load(&worker.metrics.counters[SPOA_COUNT_NOTIFIES]);
	unsigned done = 0, disconnects;
	char ack[4096];

	ck_assert_uint_gt(n_flood, 8 * SPOA_TURN_FRAMES);
	done += read_acks(&disconnects); /* the hello of the second let it have turns */
	done += flood() * 0;
	while (TAILQ_EMPTY(&worker.again))
		ev_run(worker.loop, EVRUN_NOWAIT);
	notifies = atomic_load(&worker.metrics.counters[SPOA_COUNT_NOTIFIES]);
	w = wr_of(buf, sizeof(buf));
	help_notify(&w, 7, 1, good, "/");
	ck_assert_int_eq(send(second, buf, wr_len(&w), 0), (ssize_t)wr_len(&w));
	w = wr_of(buf, sizeof(buf));
	ev_run(worker.loop, EVRUN_NOWAIT);
	ck_assert_int_gt(recv(second, ack, sizeof(ack), 0), 0);
	ck_assert_uint_le(atomic_load(&worker.metrics.counters[SPOA_COUNT_NOTIFIES]) - notifies,
		1 + 2 * SPOA_TURN_FRAMES);
	ck_assert(!TAILQ_EMPTY(&worker.again));
	turn();
	ck_assert_uint_eq(done + read_acks(&disconnects), 2 * n_flood);
	close(second);
	turn();
	conn = TAILQ_FIRST(&worker.conns);
}
END_TEST

START_TEST(gone_in_line)
{
	/* A connection that ends while it waits for its next turn leaves the line. */
	(void)flood();
	while (TAILQ_EMPTY(&worker.again))
		ev_run(worker.loop, EVRUN_NOWAIT);
	spoa_conn_drop(conn);
	ck_assert(TAILQ_EMPTY(&worker.again));
	ck_assert_uint_eq(worker.n_again, 0);
	turn();
}
END_TEST

START_TEST(leave_in_line)
{
	/* A peer that has to go gets all its answers first, and the goodbye behind them. */
	unsigned n = flood();
	unsigned disconnects;

	while (TAILQ_EMPTY(&worker.again))
		ev_run(worker.loop, EVRUN_NOWAIT);
	ck_assert(spoa_conn_leave(conn));
	ck_assert(!spoa_conn_leave(conn));
	ck_assert_uint_eq(read_acks(&disconnects), n);
	ck_assert_uint_eq(disconnects, 1);
	ck_assert_ptr_null(conn);
}
END_TEST

START_TEST(stood_still)
{
	/* After a stop longer than spop.max_stall, who waits is hung up on without an answer. */
	char some[16];

	ck_assert(ev_is_active(&worker.beat));
	worker.last_beat -= (uint64_t)(NS_PER_S / 2);
	help_notify(&w, 1, 1, good, "/");
	ck_assert_int_gt(send(fd, buf, wr_len(&w), 0), 0);
	while (!spoa_stall_is_stale(&worker))
		ev_feed_event(worker.loop, &worker.beat, EV_TIMER),
			ev_run(worker.loop, EVRUN_NOWAIT);
	ck_assert_uint_lt(worker.stale_until, base_clock_mono_ns() + NS_PER_S);
	turn();
	ck_assert_ptr_null(conn);
	ck_assert_int_le(recv(fd, some, sizeof(some), 0), 0);
	ck_assert_uint_eq(atomic_load(&worker.metrics.counters[SPOA_COUNT_CLOSED_STALE]), 1);
	ck_assert_uint_eq(atomic_load(&worker.metrics.counters[SPOA_COUNT_STALLS]), 1);
}
END_TEST

START_TEST(beats)
{
	/* A worker that is only idle, or a little late, has not stood still. */
	worker.last_beat -= (uint64_t)(NS_PER_S / 5);
	ev_feed_event(worker.loop, &worker.beat, EV_TIMER);
	turn();
	ck_assert(!spoa_stall_is_stale(&worker));
	help_notify(&w, 1, 1, good, "/");
	send_all();
	ck_assert_ptr_nonnull(conn);
	spoa_conn_drop(conn);
	ev_feed_event(worker.loop, &worker.beat, EV_TIMER);
	turn();
	ck_assert(!ev_is_active(&worker.beat)); /* nobody to be late for */
}
END_TEST

START_TEST(too_many_in_flight)
{
	/* What one connection may let wait is bounded; beyond it the answer is an error at once. */
	struct conf *conf = (struct conf *)config->conf;
	unsigned disconnects;

	conf->spop.max_in_flight = 3;
	park(5);
	ck_assert_uint_eq(worker.n_parked, 3);
	ck_assert_uint_eq(read_acks(&disconnects), 2);
	ck_assert_uint_eq(atomic_load(&worker.metrics.decisions[0][BASE_REASON_OVERLOAD]), 2);
	publish_new_key();
	ck_assert_uint_eq(read_acks(&disconnects), 3);
}
END_TEST

START_TEST(too_much_for_one)
{
	/* A connection that would need more than its own share is closed, whatever is left in all. */
	struct conf *conf = (struct conf *)config->conf;

	park(1000);
	conf->spop.max_buffered_per_connection = 50000;
	publish_new_key();
	turn();
	ck_assert_ptr_null(conn);
	ck_assert_uint_eq(worker.held, 0);
	ck_assert_uint_eq(atomic_load(&worker.metrics.counters[SPOA_COUNT_CLOSED_RESOURCES]), 1);
}
END_TEST

START_TEST(idle)
{
	/* A silent peer is let go with a goodbye; one that was heard of, or that waits, is not. */
	struct conf *conf = (struct conf *)config->conf;
	unsigned disconnects;

	conf->spop.idle_timeout = 100000;
	ck_assert(!ev_is_active(&conn->idle)); /* none was wanted when it came */
	ev_feed_event(worker.loop, &conn->idle, EV_TIMER);
	turn();
	ck_assert(ev_is_active(&conn->idle)); /* heard of just now, by a clock that never steps */
	ck_assert_uint_le(conn->heard, base_clock_mono_ns());
	ck_assert_uint_gt(conn->heard + 100 * NS_PER_S, base_clock_mono_ns());
	ck_assert_uint_eq(read_acks(&disconnects) + disconnects, 0);
	park(1);
	conn->heard -= UINT64_C(101) * NS_PER_S;
	ev_feed_event(worker.loop, &conn->idle, EV_TIMER);
	turn();
	ck_assert_ptr_nonnull(conn);
	publish_new_key();
	ck_assert_uint_eq(read_acks(&disconnects), 1);
	conn->heard -= UINT64_C(101) * NS_PER_S;
	ev_feed_event(worker.loop, &conn->idle, EV_TIMER);
	turn();
	ck_assert_ptr_null(conn);
	(void)read_acks(&disconnects);
	ck_assert_uint_eq(disconnects, 1);
	ck_assert_uint_eq(atomic_load(&worker.metrics.counters[SPOA_COUNT_CLOSED_IDLE]), 1);
}
END_TEST

START_TEST(leave_in_every_state)
{
	/* Draining works before HELLO, when idle and while answers are held, more than once. */
	unsigned disconnects;

	for (unsigned k = 0; k < 200; k++)
		help_notify(&w, 1 + 2 * k, 1, NULL, "/");
	send_all();
	worker.draining = true;
	spoa_conn_leave(conn);
	spoa_conn_leave(conn);
	turn();
	ck_assert_ptr_nonnull(conn); /* the goodbye waits behind the answers */
	ck_assert_uint_eq(read_acks(&disconnects), 200);
	ck_assert_uint_eq(disconnects, 1);
	ck_assert_ptr_null(conn);
	close(fd);
	connect_peer();
	spoa_conn_leave(conn);
	turn();
	ck_assert_ptr_null(conn);
	ck_assert_uint_eq(atomic_load(&worker.metrics.counters[SPOA_COUNT_CLOSED_DRAIN]), 2);
}
END_TEST

Suite *suite_conn(void)
{
	Suite *suite = suite_create("conn");
	TCase *tc = tcase_create("conn");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, does_not_read);
	tcase_add_test(tc, batch_larger_than_output);
	tcase_add_test(tc, too_many_in_flight);
	tcase_add_test(tc, too_much_for_one);
	tcase_add_test(tc, idle);
	tcase_add_test(tc, fair_turns);
	tcase_add_test(tc, stood_still);
	tcase_add_test(tc, beats);
	tcase_add_test(tc, gone_in_line);
	tcase_add_test(tc, leave_in_line);
	tcase_add_test(tc, held_answers);
	tcase_add_test(tc, nothing_after_goodbye);
	tcase_add_test(tc, goodbye_by_peer_while_parked);
	tcase_add_test(tc, no_more_room);
	tcase_add_test(tc, reset_while_held);
	tcase_add_test(tc, leave_in_every_state);
	suite_add_tcase(suite, tc);
	return suite;
}
