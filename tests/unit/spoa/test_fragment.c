#include "tests/unit/spoa/suites.h"

#include "spoa/fragment.h"
#include "spoa/hold.h"
#include "spoa/notify.h"
#include "tests/unit/spoa/help.h"

#include <stdlib.h>
#include <string.h>

#define MAX_FRAME 2048
#define LIMIT     8192 /* spop.max_message_size of these tests */

/* A connection without a socket: frames go into its session, answers come out of it. */
static struct spoa_worker worker;
static struct spoa_conn conn;
static struct spoa_config *config;
static struct spoa_snapshot *snapshot;
static unsigned char input[65536], output[65536], message[65536];
static struct wr in, out;
static size_t message_len;
static char *good, *unknown;

static void on_need(void *arg, struct spoa_need need)
{
	(void)arg;
	(void)need;
}

/* The payload of a NOTIFY with this token, and a path that makes it this long at least. */
static void make_message(const char *token, size_t n)
{
	static char path[65536];
	struct wr w = wr_of(message, sizeof(message));
	struct spop_frame frame;
	struct rd r;

	memset(path, 'p', sizeof(path));
	path[0] = '/';
	path[n] = '\0';
	help_notify(&w, 1, 1, token, path);
	r = rd_of(message, wr_len(&w));
	ck_assert_int_eq(spop_frame_next(&r, sizeof(message), &frame), 1);
	message_len = frame.payload.n;
	memmove(message, frame.payload.p, frame.payload.n);
}

static void put(uint8_t type, uint32_t flags, uint64_t stream_id, const void *p, size_t n)
{
	struct spop_frame_mark mark =
		spop_frame_begin(&in, (enum spop_frame_type)type, flags, stream_id, 1);

	wr_bytes(&in, p, n);
	ck_assert_int_eq(spop_frame_end(&in, mark, MAX_FRAME), 0);
}

/* The message in pieces of this size. */
static void put_pieces(uint64_t stream_id, size_t size, uint32_t last_flags)
{
	for (size_t at = 0; at < message_len; at += size) {
		size_t n = size < message_len - at ? size : message_len - at;

		put(at ? SPOP_UNSET : SPOP_NOTIFY, at + n == message_len ? last_flags : 0,
			stream_id, message + at, n);
	}
}

static void feed(void)
{
	const struct spoa_session_handler handler = {
		.notify = spoa_notify, .fragment = spoa_fragment, .arg = &conn};
	struct rd r = rd_of(in.start, wr_len(&in));

	out = wr_of(output, sizeof(output));
	while (spoa_session_step(&conn.session, &handler, &r, &out))
		;
	in = wr_of(input, sizeof(input));
}

static struct spop_frame only_frame(void)
{
	struct rd r = rd_of(output, wr_len(&out));
	struct spop_frame frame;

	ck_assert_int_eq(spop_frame_next(&r, MAX_FRAME, &frame), 1);
	ck_assert_uint_eq(rd_left(&r), 0);
	return frame;
}

/* Exactly one ACK came out, for this stream, and nothing is kept any more. */
static void expect_reason(uint64_t stream_id, const char *reason)
{
	struct spop_frame frame = only_frame();
	struct help_ack ack = help_ack(&frame);

	ck_assert_uint_eq(ack.stream_id, stream_id);
	ck_assert_uint_eq(ack.frame_id, 1);
	help_is(&ack, "reason", reason);
	ck_assert_ptr_null(conn.message);
	ck_assert_uint_eq(worker.held, 0);
}

static void expect_disconnect(enum spop_status status)
{
	struct spop_frame frame = only_frame();

	ck_assert_uint_eq(help_disconnect(&frame), status);
	ck_assert_int_eq(conn.session.state, SPOA_SESSION_CLOSED);
}

static void ready(void)
{
	struct spop_agent_hello hello;
	struct spop_frame frame;

	spoa_session_init(&conn.session, MAX_FRAME, true);
	help_hello(&in, MAX_FRAME, true, false);
	feed();
	frame = only_frame();
	ck_assert_int_eq(spop_hello_parse_agent(frame.payload, &hello), SPOP_STATUS_NORMAL);
	ck_assert(hello.fragmentation && hello.pipelining);
}

static void setup(void)
{
	config = help_config(
		HELP_HEAD HELP_ONE "spop: {max_frame_size: 2048, max_message_size: 8192}\n"
				   "log: {decisions_per_second: 1}\n");
	snapshot = help_snapshot(config);
	help_key(snapshot, 0, test_key_of(TOKEN_ES256), "k", 1);
	good = help_token_now(test_key_of(TOKEN_ES256), "k", NULL);
	unknown = help_token_now(test_key_of(TOKEN_ES256), "new", NULL);
	worker = (struct spoa_worker){
		.owner = {.need_keys = on_need},
		.n_workers = 1,
		.snapshot = snapshot,
		.loop = ev_loop_new(EVFLAG_AUTO),
	};
	TAILQ_INIT(&worker.parked);
	ck_assert_int_eq(spoa_state_init(&worker.state, HELP_CACHE), 0);
	base_clock_now(&worker.now);
	ev_timer_init(&worker.park_timer, spoa_notify_on_deadline, 0., 0.);
	conn = (struct spoa_conn){.worker = &worker, .peer = "test"};
	TAILQ_INIT(&conn.parked);
	in = wr_of(input, sizeof(input));
	ready();
}

static void teardown(void)
{
	spoa_notify_forget(&conn);
	spoa_hold_done(&conn);
	ck_assert_uint_eq(worker.held, 0);
	ev_timer_stop(worker.loop, &worker.park_timer);
	ev_loop_destroy(worker.loop);
	spoa_state_done(&worker.state);
	spoa_snapshot_unref(snapshot);
	spoa_config_unref(config);
	free(good);
	free(unknown);
}

START_TEST(any_pieces)
{
	/* Whatever the size of the pieces: one ACK, with the answer that the whole message gets. */
	static const size_t SIZES[] = {1, 2, 3, 100, 1000, 2000};

	for (size_t i = 0; i < ARRAY_SIZE(SIZES); i++) {
		make_message(good, SIZES[i] == 1 ? 1 : 4000);
		put_pieces(2 * i, SIZES[i], SPOP_FIN);
		feed();
		expect_reason(2 * i, "ok");
	}
	ck_assert_uint_eq(
		atomic_load(&worker.metrics.counters[SPOA_COUNT_FRAGMENTED]), ARRAY_SIZE(SIZES));
}
END_TEST

START_TEST(up_to_the_limit)
{
	/* A message of exactly the limit is judged; one byte more is refused, and only that one. */
	make_message(good, 10);
	make_message(good, 10 + LIMIT - message_len - 2); /* its length takes two bytes more */
	ck_assert_uint_eq(message_len, LIMIT);
	put_pieces(1, 2000, SPOP_FIN);
	feed();
	expect_reason(1, "ok");
	make_message(good, strlen("/") + LIMIT);
	put_pieces(3, 2000, SPOP_FIN);
	feed();
	expect_reason(3, "message_too_large");
	make_message(good, 10);
	put_pieces(5, 20, SPOP_FIN);
	feed();
	expect_reason(5, "ok");
}
END_TEST

START_TEST(never_kept_beyond_the_limit)
{
	/* However much comes: what is kept is at most the limit, and is counted. */
	memset(message, 'x', sizeof(message));
	put(SPOP_NOTIFY, 0, 1, message, 2000);
	for (unsigned i = 0; i < 50; i++) {
		put(SPOP_UNSET, 0, 1, message, 2000);
		feed();
		ck_assert_uint_le(conn.message_size, LIMIT);
		ck_assert_uint_eq(worker.held, conn.message_size);
	}
	ck_assert_uint_eq(worker.held, 0); /* given up, and given back, long ago */
	put(SPOP_UNSET, SPOP_FIN, 1, message, 1);
	feed();
	expect_reason(1, "message_too_large");
}
END_TEST

START_TEST(no_room)
{
	/* When the worker holds all it may, the message is refused and the connection goes on. */
	make_message(good, 3000);
	worker.held = spoa_hold_limit(&worker) - 1500;
	put_pieces(1, 1000, SPOP_FIN);
	feed();
	worker.held -= spoa_hold_limit(&worker) - 1500;
	expect_reason(1, "overload");
	put_pieces(3, 1000, SPOP_FIN);
	feed();
	expect_reason(3, "ok");
}
END_TEST

START_TEST(parked)
{
	/* One that waits for keys holds what is beyond a frame, and gives it back. */
	make_message(unknown, 4000);
	put_pieces(1, 1000, SPOP_FIN);
	feed();
	ck_assert_uint_eq(wr_len(&out), 0);
	ck_assert_uint_eq(worker.n_parked, 1);
	ck_assert_uint_eq(worker.held, message_len - MAX_FRAME);
	worker.held += spoa_hold_limit(&worker) - message_len;
	put_pieces(3, 2000, SPOP_FIN);
	feed();
	worker.held -= spoa_hold_limit(&worker) - message_len;
	ck_assert_uint_eq(worker.n_parked, 1); /* no room for a second one */
	spoa_notify_forget(&conn);
	ck_assert_uint_eq(worker.held, 0);
}
END_TEST

START_TEST(cancelled)
{
	/* FIN and ABORT: no ACK, nothing is kept, the next message is judged. */
	make_message(good, 100);
	put_pieces(1, 50, SPOP_FIN | SPOP_ABORT);
	feed();
	ck_assert_uint_eq(wr_len(&out), 0);
	ck_assert_ptr_null(conn.message);
	ck_assert_uint_eq(worker.held, 0);
	put_pieces(3, 50, SPOP_FIN);
	feed();
	expect_reason(3, "ok");
}
END_TEST

START_TEST(interlaced)
{
	/* Another NOTIFY, or a fragment of another, between the fragments: status 11. */
	make_message(good, 100);
	put(SPOP_NOTIFY, 0, 1, message, 50);
	put(SPOP_NOTIFY, SPOP_FIN, 3, message, message_len);
	feed();
	expect_disconnect(SPOP_STATUS_INTERLACED);
	ready();
	put(SPOP_NOTIFY, 0, 1, message, 50);
	put(SPOP_UNSET, SPOP_FIN, 3, message + 50, message_len - 50);
	feed();
	expect_disconnect(SPOP_STATUS_INTERLACED);
	ready();
	put(SPOP_UNSET, SPOP_FIN, 3, message + 50, message_len - 50);
	feed();
	expect_disconnect(SPOP_STATUS_NO_FRAME_ID);
}
END_TEST

START_TEST(malformed)
{
	/* What is no list of messages once it is together: status 4, as in one frame. */
	make_message(good, 100);
	message_len--;
	put_pieces(1, 50, SPOP_FIN);
	feed();
	expect_disconnect(SPOP_STATUS_INVALID);
	ck_assert_uint_eq(worker.held, 0);
}
END_TEST

START_TEST(drain)
{
	/* A drain waits for the rest of a message that was begun, and then says goodbye. */
	struct spop_frame frame;
	struct rd r;

	make_message(good, 100);
	put(SPOP_NOTIFY, 0, 1, message, 50);
	feed();
	spoa_session_leave(&conn.session, &out);
	ck_assert_int_eq(conn.session.state, SPOA_SESSION_LEAVING);
	put(SPOP_UNSET, SPOP_FIN, 1, message + 50, message_len - 50);
	feed();
	r = rd_of(output, wr_len(&out));
	ck_assert_int_eq(spop_frame_next(&r, MAX_FRAME, &frame), 1);
	ck_assert_uint_eq(frame.type, SPOP_ACK);
	ck_assert_int_eq(spop_frame_next(&r, MAX_FRAME, &frame), 1);
	ck_assert_uint_eq(help_disconnect(&frame), SPOP_STATUS_NORMAL);
	ck_assert_int_eq(conn.session.state, SPOA_SESSION_CLOSED);
}
END_TEST

START_TEST(not_announced)
{
	/* A health check is told nothing of fragments. */
	struct spop_agent_hello hello;
	struct spop_frame frame;

	spoa_session_init(&conn.session, MAX_FRAME, true);
	help_hello(&in, MAX_FRAME, true, true);
	feed();
	frame = only_frame();
	ck_assert_int_eq(spop_hello_parse_agent(frame.payload, &hello), SPOP_STATUS_NORMAL);
	ck_assert(!hello.fragmentation);
}
END_TEST

Suite *suite_fragment(void)
{
	Suite *s = suite_create("fragment");
	TCase *tc = tcase_create("messages");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, any_pieces);
	tcase_add_test(tc, up_to_the_limit);
	tcase_add_test(tc, never_kept_beyond_the_limit);
	tcase_add_test(tc, no_room);
	tcase_add_test(tc, parked);
	tcase_add_test(tc, cancelled);
	tcase_add_test(tc, interlaced);
	tcase_add_test(tc, malformed);
	tcase_add_test(tc, drain);
	tcase_add_test(tc, not_announced);
	suite_add_tcase(s, tc);
	return s;
}
