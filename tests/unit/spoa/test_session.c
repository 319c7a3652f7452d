#include "tests/unit/spoa/suites.h"

#include "spoa/session.h"
#include "spop/disconnect.h"
#include "tests/unit/spoa/help.h"

#include <stdlib.h>

#define CAP 16380

static struct spoa_session session;
static unsigned char input[70000], output[70000];
static struct wr in, out;
static unsigned n_notifies;
static enum {
	ANSWER,
	OWE,
	REFUSE,
} manner;

/* The handler: an empty ACK at once, a debt, or a refusal. */
static enum spop_status on_notify(
	void *arg, struct spoa_session *s, const struct spop_frame *frame, struct wr *w)
{
	struct spop_frame_mark mark;

	ck_assert_ptr_eq(arg, &n_notifies);
	n_notifies++;
	if (manner == REFUSE)
		return SPOP_STATUS_INVALID;
	if (manner == OWE) {
		s->waiting++;
		return SPOP_STATUS_NORMAL;
	}
	mark = spop_frame_begin(w, SPOP_ACK, SPOP_FIN, frame->stream_id, frame->frame_id);
	spop_ack_unset(w, SPOP_SCOPE_TXN, SPAN("verdict"));
	ck_assert_int_eq(spop_frame_end(w, mark, s->max_frame), 0);
	return SPOP_STATUS_NORMAL;
}

static const struct spoa_session_handler HANDLER = {.notify = on_notify, .arg = &n_notifies};

static void setup(void)
{
	spoa_session_init(&session, CAP, false);
	in = wr_of(input, sizeof(input));
	out = wr_of(output, sizeof(output));
	n_notifies = 0;
	manner = ANSWER;
}

static void put_frame(uint8_t type, uint32_t flags, uint64_t stream_id, uint64_t frame_id)
{
	struct spop_frame_mark mark =
		spop_frame_begin(&in, (enum spop_frame_type)type, flags, stream_id, frame_id);

	ck_assert_int_eq(spop_frame_end(&in, mark, CAP), 0);
}

/* Everything that was put so far; what is left of it stays unread. */
static size_t feed(void)
{
	struct rd r = rd_of(in.start, wr_len(&in));

	while (spoa_session_step(&session, &HANDLER, &r, &out))
		;
	in = wr_of(input, sizeof(input));
	return rd_left(&r);
}

static struct rd outcome(void)
{
	struct rd r = rd_of(out.start, wr_len(&out));

	return r;
}

static struct spop_frame next(struct rd *r)
{
	struct spop_frame frame;

	ck_assert_int_eq(spop_frame_next(r, CAP, &frame), 1);
	ck_assert_uint_eq(frame.flags, SPOP_FIN);
	return frame;
}

/* Exactly one frame was written: a DISCONNECT with this status, and the session is over. */
static void expect_disconnect(enum spop_status status)
{
	struct rd r = outcome();
	struct spop_frame frame = next(&r);

	ck_assert_uint_eq(help_disconnect(&frame), status);
	ck_assert_uint_eq(frame.stream_id, 0);
	ck_assert_uint_eq(frame.frame_id, 0);
	ck_assert_uint_eq(rd_left(&r), 0);
	ck_assert_int_eq(session.state, SPOA_SESSION_CLOSED);
	ck_assert_int_eq(session.status, status);
}

/* Brings the session into a state, with nothing in the output. */
static void bring(enum spoa_session_state state)
{
	if (state == SPOA_SESSION_HELLO)
		return;
	help_hello(&in, CAP, true, false);
	feed();
	ck_assert_int_eq(session.state, SPOA_SESSION_READY);
	if (state == SPOA_SESSION_LEAVING) {
		session.waiting = 1;
		spoa_session_leave(&session, &out);
	}
	if (state == SPOA_SESSION_CLOSED)
		spoa_session_disconnect(&session, SPOP_STATUS_NORMAL, &out);
	ck_assert_int_eq(session.state, state);
	out = wr_of(output, sizeof(output));
}

static void put_type(uint8_t type)
{
	if (type == SPOP_HAPROXY_HELLO)
		help_hello(&in, CAP, true, false);
	else if (type == SPOP_NOTIFY)
		help_notify(&in, 3, 5, "t", "/");
	else
		put_frame(type, SPOP_FIN, 0, 0);
}

/* What comes of a frame of this type in this state: */
enum outcome {
	HELLO_BACK,
	ACKED,
	BYE,      /* the peer's goodbye is answered with status 0 */
	INVALID,  /* 4 */
	FRAGMENT, /* 10 */
	SILENCE,
};

static const uint8_t TYPES[] = {SPOP_UNSET, SPOP_HAPROXY_HELLO, SPOP_HAPROXY_DISCONNECT,
	SPOP_NOTIFY, 4, 100, SPOP_AGENT_HELLO, SPOP_AGENT_DISCONNECT, SPOP_ACK, 104, 255};

static enum outcome wanted(enum spoa_session_state state, uint8_t type)
{
	if (state == SPOA_SESSION_CLOSED)
		return SILENCE;
	if (type == SPOP_UNSET)
		return FRAGMENT;
	if (state == SPOA_SESSION_HELLO)
		return type == SPOP_HAPROXY_HELLO ? HELLO_BACK : INVALID;
	if (type == SPOP_NOTIFY)
		return ACKED;
	return type == SPOP_HAPROXY_DISCONNECT ? BYE : INVALID;
}

static void expect(enum outcome want, enum spoa_session_state before)
{
	struct rd r = outcome();
	struct spop_frame frame;

	switch (want) {
	case HELLO_BACK:
		frame = next(&r);
		ck_assert_uint_eq(frame.type, SPOP_AGENT_HELLO);
		ck_assert_int_eq(session.state, SPOA_SESSION_READY);
		return;
	case ACKED:
		frame = next(&r);
		ck_assert_uint_eq(frame.type, SPOP_ACK);
		ck_assert_int_eq(session.state, before);
		return;
	case BYE:
		frame = next(&r);
		ck_assert_uint_eq(help_disconnect(&frame), SPOP_STATUS_NORMAL);
		ck_assert_int_eq(session.state, SPOA_SESSION_CLOSED);
		ck_assert(session.by_peer);
		return;
	case INVALID:
		expect_disconnect(SPOP_STATUS_INVALID);
		return;
	case FRAGMENT:
		expect_disconnect(SPOP_STATUS_FRAGMENTED);
		return;
	case SILENCE:
		ck_assert_uint_eq(wr_len(&out), 0);
		ck_assert_int_eq(session.state, before);
		return;
	}
}

START_TEST(table)
{
	/* Every frame type in every state does what SPOE.txt 3.2 and the diagram say. */
	for (unsigned state = 0; state < SPOA_SESSION_STATES; state++) {
		for (size_t i = 0; i < ARRAY_SIZE(TYPES); i++) {
			setup();
			bring((enum spoa_session_state)state);
			put_type(TYPES[i]);
			feed();
			expect(wanted((enum spoa_session_state)state, TYPES[i]),
				(enum spoa_session_state)state);
			ck_assert_uint_eq(n_notifies,
				TYPES[i] == SPOP_NOTIFY && (state == SPOA_SESSION_READY ||
								   state == SPOA_SESSION_LEAVING));
		}
	}
}
END_TEST

START_TEST(no_fin)
{
	/* A frame without FIN is a fragment, which nobody offered: status 10, in every state. */
	for (unsigned state = 0; state < SPOA_SESSION_CLOSED; state++) {
		setup();
		bring((enum spoa_session_state)state);
		put_frame(SPOP_NOTIFY, 0, 1, 1);
		feed();
		expect_disconnect(SPOP_STATUS_FRAGMENTED);
		ck_assert_uint_eq(n_notifies, 0);
	}
}
END_TEST

START_TEST(hello_sizes)
{
	/* The smaller of both frame sizes is agreed on. */
	static const struct {
		uint32_t cap, announced, agreed;
	} CASES[] = {{CAP, CAP, CAP}, {CAP, 256, 256}, {CAP, 1000, 1000}, {CAP, 65532, CAP},
		{1024, CAP, 1024}, {256, 256, 256}, {256, CAP, 256}};

	for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
		struct spop_agent_hello hello;
		struct spop_frame frame;
		struct rd r;

		setup();
		spoa_session_init(&session, CASES[i].cap, false);
		help_hello(&in, CASES[i].announced, i % 2, false);
		feed();
		r = outcome();
		frame = next(&r);
		ck_assert_uint_eq(frame.type, SPOP_AGENT_HELLO);
		ck_assert_int_eq(spop_hello_parse_agent(frame.payload, &hello), SPOP_STATUS_NORMAL);
		ck_assert_uint_eq(hello.max_frame_size, CASES[i].agreed);
		ck_assert_int_eq(hello.pipelining, i % 2);
		ck_assert_uint_eq(session.max_frame, CASES[i].agreed);
		ck_assert_int_eq(session.pipelining, i % 2);
	}
}
END_TEST

START_TEST(hello_refused)
{
	/* A HELLO that does not do is refused with the status that the HELLO parser names. */
	put_frame(SPOP_HAPROXY_HELLO, SPOP_FIN, 0, 0);
	feed();
	expect_disconnect(SPOP_STATUS_NO_VERSION);
	setup();
	help_hello(&in, 255, true, false);
	feed();
	expect_disconnect(SPOP_STATUS_BAD_FRAME_SIZE);
	setup();
	help_hello(&in, CAP, true, false);
	input[9] = 1; /* a stream-id */
	feed();
	expect_disconnect(SPOP_STATUS_INVALID);
}
END_TEST

START_TEST(health_check)
{
	/* A health check gets one HELLO of at most 1024 bytes, and not a byte more whatever follows. */
	struct spop_agent_hello hello;
	struct spop_frame frame;
	struct rd r;

	help_hello(&in, CAP, true, true);
	help_notify(&in, 1, 1, "t", "/");
	put_frame(SPOP_HAPROXY_DISCONNECT, SPOP_FIN, 0, 0);
	feed();
	r = outcome();
	frame = next(&r);
	ck_assert_uint_eq(frame.type, SPOP_AGENT_HELLO);
	ck_assert_int_eq(spop_hello_parse_agent(frame.payload, &hello), SPOP_STATUS_NORMAL);
	ck_assert_uint_le(hello.max_frame_size, 1024);
	ck_assert_uint_eq(rd_left(&r), 0);
	ck_assert_int_eq(session.state, SPOA_SESSION_CLOSED);
	ck_assert(session.healthcheck);
	ck_assert_int_eq(session.status, SPOP_STATUS_NORMAL);
	ck_assert_uint_eq(n_notifies, 0);
}
END_TEST

START_TEST(split)
{
	/* Wherever the input is cut, the output is the same and nothing is lost. */
	unsigned char whole[600];
	unsigned char want[600];
	size_t n, n_want;

	help_hello(&in, CAP, true, false);
	help_notify(&in, 1, 1, "t", "/a");
	help_notify(&in, 3, 1, "t", "/b");
	put_frame(SPOP_HAPROXY_DISCONNECT, SPOP_FIN, 0, 0);
	n = wr_len(&in);
	ck_assert_uint_le(n, sizeof(whole));
	memcpy(whole, input, n);
	feed();
	n_want = wr_len(&out);
	memcpy(want, output, n_want);
	for (size_t cut = 0; cut <= n; cut++) {
		size_t left;

		setup();
		wr_bytes(&in, whole, cut);
		left = feed();
		ck_assert_uint_le(left, cut);
		wr_bytes(&in, whole + cut - left, n - cut + left);
		feed();
		ck_assert_uint_eq(wr_len(&out), n_want);
		ck_assert_mem_eq(output, want, n_want);
		ck_assert_uint_eq(n_notifies, 2);
	}
}
END_TEST

START_TEST(lengths)
{
	/* A length beyond the limit is status 3, one below 7 is 4, as soon as it can be seen. */
	static const struct {
		uint32_t length;
		enum spop_status status;
	} CASES[] = {{0, SPOP_STATUS_INVALID}, {6, SPOP_STATUS_INVALID},
		{1025, SPOP_STATUS_TOO_BIG}, {CAP, SPOP_STATUS_TOO_BIG},
		{UINT32_MAX, SPOP_STATUS_TOO_BIG}};

	for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
		setup();
		help_hello(&in, 1024, true, false);
		feed();
		out = wr_of(output, sizeof(output));
		wr_u32be(&in, CASES[i].length);
		feed();
		expect_disconnect(CASES[i].status);
	}
	setup();
	wr_u32be(&in, CAP + 1);
	feed();
	expect_disconnect(SPOP_STATUS_TOO_BIG);
	setup();
	help_hello(&in, 1024, true, false);
	wr_u32be(&in, 1024);
	feed();
	ck_assert_int_eq(session.state, SPOA_SESSION_READY);
}
END_TEST

START_TEST(refusing_handler)
{
	/* What the handler refuses ends the connection with its status, and nothing after it counts. */
	bring(SPOA_SESSION_READY);
	manner = REFUSE;
	help_notify(&in, 1, 1, "t", "/");
	help_notify(&in, 3, 1, "t", "/");
	feed();
	expect_disconnect(SPOP_STATUS_INVALID);
	ck_assert(!session.by_peer);
	ck_assert_uint_eq(n_notifies, 1);
}
END_TEST

START_TEST(drain_idle)
{
	/* A session that owes nothing says goodbye at once; one before HELLO just ends. */
	bring(SPOA_SESSION_READY);
	spoa_session_leave(&session, &out);
	expect_disconnect(SPOP_STATUS_NORMAL);
	ck_assert(!session.by_peer);
	setup();
	spoa_session_leave(&session, &out);
	ck_assert_int_eq(session.state, SPOA_SESSION_CLOSED);
	ck_assert_uint_eq(wr_len(&out), 0);
}
END_TEST

START_TEST(drain_waiting)
{
	/* A session that owes ACKs goes after the last; NOTIFYs that still come are answered. */
	bring(SPOA_SESSION_READY);
	manner = OWE;
	help_notify(&in, 1, 1, "t", "/");
	help_notify(&in, 3, 1, "t", "/");
	feed();
	spoa_session_leave(&session, &out);
	spoa_session_leave(&session, &out);
	ck_assert_int_eq(session.state, SPOA_SESSION_LEAVING);
	help_notify(&in, 5, 1, "t", "/");
	feed();
	ck_assert_uint_eq(session.waiting, 3);
	ck_assert_uint_eq(wr_len(&out), 0);
	ck_assert(!spoa_session_acked(&session));
	ck_assert(!spoa_session_acked(&session));
	ck_assert(spoa_session_acked(&session));
	spoa_session_disconnect(&session, SPOP_STATUS_NORMAL, &out);
	expect_disconnect(SPOP_STATUS_NORMAL);
}
END_TEST

START_TEST(acked_without_drain)
{
	/* Paying the last debt is no goodbye while nobody drains. */
	bring(SPOA_SESSION_READY);
	session.waiting = 1;
	ck_assert(!spoa_session_acked(&session));
	ck_assert_int_eq(session.state, SPOA_SESSION_READY);
}
END_TEST

START_TEST(peer_goes)
{
	/* A peer's DISCONNECT is answered once with 0; its status is kept, nothing after it counts. */
	struct spop_frame_mark mark;
	struct spop_frame frame;
	struct rd r;

	bring(SPOA_SESSION_READY);
	mark = spop_frame_begin(&in, SPOP_HAPROXY_DISCONNECT, SPOP_FIN, 0, 0);
	spop_disconnect_encode(&in, SPOP_STATUS_TIMEOUT);
	ck_assert_int_eq(spop_frame_end(&in, mark, CAP), 0);
	help_notify(&in, 1, 1, "t", "/");
	feed();
	r = outcome();
	frame = next(&r);
	ck_assert_uint_eq(help_disconnect(&frame), SPOP_STATUS_NORMAL);
	ck_assert_uint_eq(rd_left(&r), 0);
	ck_assert(session.by_peer);
	ck_assert_int_eq(session.status, SPOP_STATUS_TIMEOUT);
	ck_assert_uint_eq(n_notifies, 0);
}
END_TEST

START_TEST(disconnect_twice)
{
	/* A session says goodbye at most once. */
	bring(SPOA_SESSION_READY);
	spoa_session_disconnect(&session, SPOP_STATUS_RESOURCES, &out);
	spoa_session_disconnect(&session, SPOP_STATUS_NORMAL, &out);
	spoa_session_leave(&session, &out);
	expect_disconnect(SPOP_STATUS_RESOURCES);
}
END_TEST

START_TEST(no_room_for_goodbye)
{
	/* Without room for a DISCONNECT the session ends all the same, with nothing half written. */
	bring(SPOA_SESSION_READY);
	out = wr_of(output, 20);
	spoa_session_disconnect(&session, SPOP_STATUS_NORMAL, &out);
	ck_assert_uint_eq(wr_len(&out), 0);
	ck_assert_int_eq(session.state, SPOA_SESSION_CLOSED);
}
END_TEST

Suite *suite_session(void)
{
	Suite *suite = suite_create("session");
	TCase *tc = tcase_create("session");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, table);
	tcase_add_test(tc, no_fin);
	tcase_add_test(tc, hello_sizes);
	tcase_add_test(tc, hello_refused);
	tcase_add_test(tc, health_check);
	tcase_add_test(tc, split);
	tcase_add_test(tc, lengths);
	tcase_add_test(tc, refusing_handler);
	tcase_add_test(tc, drain_idle);
	tcase_add_test(tc, drain_waiting);
	tcase_add_test(tc, acked_without_drain);
	tcase_add_test(tc, peer_goes);
	tcase_add_test(tc, disconnect_twice);
	tcase_add_test(tc, no_room_for_goodbye);
	suite_add_tcase(suite, tc);
	return suite;
}
