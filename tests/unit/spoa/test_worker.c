#include "tests/unit/spoa/suites.h"

#include "spoa/conn.h"
#include "tests/unit/spoa/peer.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#define MAX_FRAME 16380

/* The deadline is long unless a test is about it; the last lines say the rest. */
static const char LIMITS[] =
	"spop: {deadline: %s, hello_timeout: %s, max_waiting: %d, max_in_flight: 4096}\nlog: "
	"{decisions_per_second: 1}\n";

static struct spoa_config *config;
static struct spoa_snapshot *snapshot;
static struct spoa_worker *worker;
static atomic_uint_fast64_t needed;
static atomic_uint n_asked, n_changed;
static unsigned char buf[256 * 1024];
static struct wr w;
static char *good, *unknown;

static void on_need(void *arg, struct spoa_need need)
{
	ck_assert_ptr_eq(arg, &needed);
	atomic_fetch_or(&needed, need.unknown | need.doubted);
	atomic_fetch_add(&n_asked, 1);
}

static void on_changed(void *arg)
{
	ck_assert_ptr_eq(arg, &needed);
	atomic_fetch_add(&n_changed, 1);
}

/* Starts the worker. Keys are from the year dot, so that an unknown key id has to wait. */
static void start(const char *deadline, const char *hello_timeout, int max_waiting)
{
	const struct spoa_worker_owner owner = {
		.need_keys = on_need, .changed = on_changed, .arg = &needed};
	char yaml[2048];
	size_t n;

	n = (size_t)snprintf(yaml, sizeof(yaml), "%s", HELP_HEAD HELP_ONE);
	snprintf(yaml + n, sizeof(yaml) - n, LIMITS, deadline, hello_timeout, max_waiting);
	atomic_store(&needed, 0);
	atomic_store(&n_asked, 0);
	atomic_store(&n_changed, 0);
	config = help_config(yaml);
	snapshot = help_snapshot(config);
	help_key(snapshot, 0, test_key_of(TOKEN_ES256), "k", 1);
	ck_assert_int_eq(spoa_worker_new(snapshot, &owner, 1, &worker), 0);
	w = wr_of(buf, sizeof(buf));
	good = help_token_now(test_key_of(TOKEN_ES256), "k", NULL);
	unknown = help_token_now(test_key_of(TOKEN_ES256), "new", NULL);
}

static void start_usual(void)
{
	start("999ms", "60s", 4096);
}

static void stop(void)
{
	spoa_worker_free(worker);
	worker = NULL;
	spoa_snapshot_unref(snapshot);
	spoa_config_unref(config);
	free(good);
	free(unknown);
}

static uint64_t count(enum spoa_counter c)
{
	struct spoa_metrics *sets[] = {&worker->metrics};

	return spoa_metrics_sum(sets, 1, c);
}

static uint64_t decisions(enum base_reason r)
{
	struct spoa_metrics *sets[] = {&worker->metrics};

	return spoa_metrics_decisions(sets, 1, r);
}

/* A snapshot with the key "new" beside nothing else, fetched this moment. */
static void publish_new_key(void)
{
	struct spoa_snapshot *next = help_snapshot(config);
	struct base_now now;

	base_clock_now(&now);
	help_key(next, 0, test_key_of(TOKEN_ES256), "new", now.mono_ns);
	spoa_worker_publish(worker, next);
	spoa_snapshot_unref(next);
}

static void put(uint64_t stream_id, const char *token)
{
	help_notify(&w, stream_id, 1, token, "/");
}

/* Takes n ACKs and asserts that each id from first on, in steps of 2, comes exactly once. */
static void take(struct peer *peer, unsigned first, unsigned n, const char *reason)
{
	bool seen[4096] = {false};

	for (unsigned i = 0; i < n; i++) {
		struct help_ack ack = peer_ack(peer);
		uint64_t at = (ack.stream_id - first) / 2;

		ck_assert_uint_lt(at, n);
		ck_assert(!seen[at]);
		ck_assert_uint_eq(ack.frame_id, 1);
		seen[at] = true;
		help_is(&ack, "reason", reason);
	}
}

START_TEST(pipelining)
{
	/* Any number of NOTIFYs in one write get exactly as many ACKs, each with its ids. */
	static const unsigned N[] = {1, 2, 3, 17, 400};

	start_usual();
	for (size_t i = 0; i < ARRAY_SIZE(N); i++) {
		struct peer *peer = peer_new(worker, false);

		peer_hello(peer, MAX_FRAME);
		w = wr_of(buf, sizeof(buf));
		for (unsigned k = 0; k < N[i]; k++)
			put(1 + 2 * k, good);
		peer_send(peer, &w);
		take(peer, 1, N[i], "ok");
		ck_assert(peer_is_silent(peer, 20));
		peer_free(peer);
	}
	WAIT_UNTIL(atomic_load(&worker->n_conns) == 0);
	ck_assert_uint_eq(count(SPOA_COUNT_NOTIFIES), 423);
	ck_assert_uint_eq(decisions(BASE_REASON_OK), 423);
	ck_assert_uint_eq(count(SPOA_COUNT_CLOSED_PEER), ARRAY_SIZE(N));
	stop();
}
END_TEST

START_TEST(with_hello)
{
	/* NOTIFYs that arrive together with the HELLO are answered behind it. */
	struct spop_frame frame;
	struct peer *peer;

	start_usual();
	peer = peer_new(worker, false);
	help_hello(&w, MAX_FRAME, true, false);
	put(1, good);
	put(3, NULL);
	peer_send(peer, &w);
	ck_assert(peer_next(peer, &frame));
	ck_assert_uint_eq(frame.type, SPOP_AGENT_HELLO);
	take(peer, 1, 1, "ok");
	take(peer, 3, 1, "no_token");
	peer_free(peer);
	stop();
}
END_TEST

START_TEST(byte_at_a_time)
{
	/* A peer that sends single bytes gets the same answers. */
	struct spop_frame frame;
	struct peer *peer;

	start_usual();
	peer = peer_new(worker, false);
	help_hello(&w, MAX_FRAME, true, false);
	put(1, good);
	put(3, "nonsense");
	for (size_t i = 0; i < wr_len(&w); i++) {
		struct wr one = {.start = buf + i, .p = buf + i + 1, .end = buf + i + 1};

		peer_send(peer, &one);
		if (i % 16 == 0)
			usleep(500);
	}
	ck_assert(peer_next(peer, &frame));
	take(peer, 1, 1, "ok");
	take(peer, 3, 1, "token_malformed");
	peer_free(peer);
	stop();
}
END_TEST

START_TEST(parked_until_publish)
{
	/* NOTIFYs that need keys wait, ask for them, and are decided with the next snapshot. */
	struct peer *peer;

	start_usual();
	peer = peer_new(worker, false);
	peer_hello(peer, MAX_FRAME);
	put(1, unknown);
	put(3, good);
	put(5, unknown);
	peer_send(peer, &w);
	take(peer, 3, 1, "ok"); /* does not wait behind the first */
	WAIT_UNTIL(atomic_load(&n_asked) == 2);
	ck_assert_uint_eq(atomic_load(&needed), 1);
	ck_assert_uint_eq(atomic_load(&worker->n_waiting), 2);
	ck_assert(peer_is_silent(peer, 20));
	publish_new_key();
	for (unsigned i = 0; i < 2; i++) {
		struct help_ack ack = peer_ack(peer);

		ck_assert_uint_eq(ack.stream_id, 1 + 4 * i);
		help_is(&ack, "verdict", "allow");
	}
	ck_assert(peer_is_silent(peer, 20));
	ck_assert_uint_eq(atomic_load(&worker->n_waiting), 0);
	ck_assert_uint_eq(count(SPOA_COUNT_PARKED), 2);
	peer_free(peer);
	stop();
}
END_TEST

START_TEST(parked_again)
{
	/* A snapshot without newer keys leaves NOTIFYs parked and asks again. */
	struct peer *peer;

	start_usual();
	peer = peer_new(worker, false);
	peer_hello(peer, MAX_FRAME);
	put(1, unknown);
	peer_send(peer, &w);
	WAIT_UNTIL(atomic_load(&n_asked) == 1);
	spoa_worker_publish(worker, snapshot);
	WAIT_UNTIL(atomic_load(&n_asked) == 2);
	ck_assert(peer_is_silent(peer, 20));
	publish_new_key();
	take(peer, 1, 1, "ok");
	peer_free(peer);
	stop();
}
END_TEST

START_TEST(parked_to_unknown)
{
	/* Keys fetched after the NOTIFY came, without its key: the key is unknown, a 401. */
	struct peer *peer;
	char *stranger;

	start_usual();
	stranger = help_token_now(test_key_of(TOKEN_ES256), "nobody's", NULL);
	peer = peer_new(worker, false);
	peer_hello(peer, MAX_FRAME);
	put(1, stranger);
	peer_send(peer, &w);
	WAIT_UNTIL(atomic_load(&n_asked) == 1);
	publish_new_key();
	take(peer, 1, 1, "key_unknown");
	free(stranger);
	peer_free(peer);
	stop();
}
END_TEST

START_TEST(deadline)
{
	/* At the deadline a parked NOTIFY is an error verdict, not earlier and not much later. */
	struct base_now before, after;
	struct peer *peer;
	uint64_t ms;

	start("100ms", "60s", 4096);
	peer = peer_new(worker, false);
	peer_hello(peer, MAX_FRAME);
	put(1, unknown);
	put(3, unknown);
	base_clock_now(&before);
	peer_send(peer, &w);
	take(peer, 1, 2, "keys_unavailable");
	base_clock_now(&after);
	ms = (after.mono_ns - before.mono_ns) / (uint64_t)NS_PER_MS;
	ck_assert_uint_ge(ms, 95);
	ck_assert_uint_lt(ms, 1000);
	ck_assert_uint_eq(decisions(BASE_REASON_KEYS_UNAVAILABLE), 2);
	ck_assert_uint_eq(atomic_load(&worker->n_waiting), 0);
	/* Nothing is left over that a late snapshot would answer again. */
	publish_new_key();
	ck_assert(peer_is_silent(peer, 50));
	peer_free(peer);
	stop();
}
END_TEST

START_TEST(gone_while_parked)
{
	/* A peer that goes while its NOTIFYs wait leaves nothing behind, whatever comes then. */
	start("50ms", "60s", 4096);
	for (int i = 0; i < 4; i++) {
		struct peer *peer = peer_new(worker, false);

		peer_hello(peer, MAX_FRAME);
		w = wr_of(buf, sizeof(buf));
		for (unsigned k = 0; k < 20; k++)
			put(1 + 2 * k, unknown);
		peer_send(peer, &w);
		WAIT_UNTIL(atomic_load(&worker->n_waiting) == 20);
		if (i % 2)
			ck_assert_int_eq(shutdown(peer->fd, SHUT_RDWR), 0);
		peer_free(peer);
		if (i < 2)
			publish_new_key();
		WAIT_UNTIL(atomic_load(&worker->n_waiting) == 0);
		WAIT_UNTIL(atomic_load(&worker->n_conns) == 0);
		spoa_worker_publish(worker, snapshot); /* and the key is unknown again */
		usleep(5000);
	}
	WAIT_UNTIL(atomic_load(&n_changed) == 4);
	stop();
}
END_TEST

START_TEST(overload)
{
	/* Past max_waiting a NOTIFY that needs keys is an error at once; others are answered. */
	struct peer *peer;

	start("999ms", "60s", 3);
	peer = peer_new(worker, false);
	peer_hello(peer, MAX_FRAME);
	for (unsigned k = 0; k < 5; k++)
		put(1 + 2 * k, unknown);
	put(11, good);
	peer_send(peer, &w);
	take(peer, 7, 2, "overload");
	take(peer, 11, 1, "ok");
	ck_assert_uint_eq(atomic_load(&worker->n_waiting), 3);
	publish_new_key();
	take(peer, 1, 3, "ok");
	peer_free(peer);
	stop();
}
END_TEST

START_TEST(patience)
{
	/* Who begins a frame and does not finish it, or reads no answers, is closed; who is idle stays. */
	struct peer *idle, *half, *deaf;

	start("50ms", "100ms", 10);
	idle = peer_new(worker, false);
	peer_hello(idle, MAX_FRAME);
	half = peer_new(worker, false);
	peer_hello(half, MAX_FRAME);
	deaf = peer_new(worker, true);
	peer_hello(deaf, MAX_FRAME);
	w = wr_of(buf, sizeof(buf));
	put(1, good);
	w.p -= 5;
	peer_send(half, &w);
	w = wr_of(buf, sizeof(buf));
	for (unsigned i = 0; i < 60; i++)
		put(1 + i, good);
	peer_send(deaf, &w);
	peer_expect_closed(half);
	WAIT_UNTIL(count(SPOA_COUNT_CLOSED_TIMEOUT) == 2);
	ck_assert(peer_is_silent(idle, 150));
	w = wr_of(buf, sizeof(buf));
	put(1, good);
	peer_send(idle, &w);
	take(idle, 1, 1, "ok");
	peer_free(idle);
	peer_free(half);
	peer_free(deaf);
	stop();
}
END_TEST

START_TEST(hello_timeout)
{
	/* Who does not finish a HELLO in time is closed, without a word; who did stays. */
	struct peer *silent, *half, *ready;

	start("50ms", "100ms", 10);
	ready = peer_new(worker, false);
	peer_hello(ready, MAX_FRAME);
	silent = peer_new(worker, false);
	half = peer_new(worker, false);
	help_hello(&w, MAX_FRAME, true, false);
	w.p -= 5;
	peer_send(half, &w);
	peer_expect_closed(silent);
	peer_expect_closed(half);
	ck_assert_uint_eq(count(SPOA_COUNT_CLOSED_TIMEOUT), 2);
	ck_assert(peer_is_silent(ready, 50));
	w = wr_of(buf, sizeof(buf));
	put(1, good);
	peer_send(ready, &w);
	take(ready, 1, 1, "ok");
	peer_free(silent);
	peer_free(half);
	peer_free(ready);
	stop();
}
END_TEST

START_TEST(health_check)
{
	/* A health check gets its HELLO and then the end, and is counted. */
	struct spop_frame frame;
	struct peer *peer;

	start_usual();
	peer = peer_new(worker, false);
	help_hello(&w, MAX_FRAME, false, true);
	peer_send(peer, &w);
	ck_assert(peer_next(peer, &frame));
	ck_assert_uint_eq(frame.type, SPOP_AGENT_HELLO);
	peer_expect_closed(peer);
	ck_assert_uint_eq(count(SPOA_COUNT_HEALTHCHECKS), 1);
	ck_assert_uint_eq(count(SPOA_COUNT_CLOSED_ERROR), 0);
	peer_free(peer);
	stop();
}
END_TEST

START_TEST(malformed)
{
	/* A bad frame: what came before is answered, then DISCONNECT with the status, then the end. */
	struct spop_frame frame;
	struct peer *peer;

	start_usual();
	peer = peer_new(worker, false);
	peer_hello(peer, MAX_FRAME);
	put(1, good);
	wr_u32be(&w, MAX_FRAME + 1);
	peer_send(peer, &w);
	take(peer, 1, 1, "ok");
	ck_assert(peer_next(peer, &frame));
	ck_assert_uint_eq(help_disconnect(&frame), SPOP_STATUS_TOO_BIG);
	peer_expect_closed(peer);
	ck_assert_uint_eq(count(SPOA_COUNT_CLOSED_ERROR), 1);
	peer_free(peer);
	stop();
}
END_TEST

START_TEST(wrong_message)
{
	/* Good SPOP that is not the contract's message is an error verdict, not the connection's end. */
	struct spop_frame_mark mark;
	struct peer *peer;

	start_usual();
	peer = peer_new(worker, false);
	peer_hello(peer, MAX_FRAME);
	mark = spop_frame_begin(&w, SPOP_NOTIFY, SPOP_FIN, 1, 1);
	spop_message_encode(&w, SPAN("somebody-else's"), 0);
	ck_assert_int_eq(spop_frame_end(&w, mark, MAX_FRAME), 0);
	put(3, good);
	peer_send(peer, &w);
	take(peer, 1, 1, "request_malformed");
	take(peer, 3, 1, "ok");
	peer_free(peer);
	stop();
}
END_TEST

START_TEST(small_frames)
{
	/* Where the answer does not fit the frame it is an error verdict in the shortest form. */
	struct peer *peer;

	start_usual();
	peer = peer_new(worker, false);
	peer_hello(peer, 600);
	put(1, good);
	peer_send(peer, &w);
	take(peer, 1, 1, "ok");
	peer_free(peer);
	peer = peer_new(worker, false);
	peer_hello(peer, 256);
	w = wr_of(buf, sizeof(buf));
	put(3, "x");
	peer_send(peer, &w);
	take(peer, 3, 1, "answer_too_long");
	peer_free(peer);
	stop();
}
END_TEST

START_TEST(drain)
{
	/* Drain: idle peers get a goodbye, waiting ones after their last ACK, new ones the door. */
	struct peer *idle, *waiting, *late;
	struct spop_frame frame;

	start_usual();
	idle = peer_new(worker, false);
	peer_hello(idle, MAX_FRAME);
	waiting = peer_new(worker, false);
	peer_hello(waiting, MAX_FRAME);
	put(1, unknown);
	peer_send(waiting, &w);
	WAIT_UNTIL(atomic_load(&worker->n_waiting) == 1);
	spoa_worker_drain(worker, false);
	ck_assert(peer_next(idle, &frame));
	ck_assert_uint_eq(help_disconnect(&frame), SPOP_STATUS_NORMAL);
	peer_expect_closed(idle);
	w = wr_of(buf, sizeof(buf));
	put(3, good);
	peer_send(waiting, &w);
	take(waiting, 3, 1, "ok");
	late = peer_new(worker, false);
	peer_expect_closed(late);
	publish_new_key();
	take(waiting, 1, 1, "ok");
	ck_assert(peer_next(waiting, &frame));
	ck_assert_uint_eq(help_disconnect(&frame), SPOP_STATUS_NORMAL);
	peer_expect_closed(waiting);
	WAIT_UNTIL(atomic_load(&worker->n_conns) == 0);
	ck_assert_uint_eq(count(SPOA_COUNT_CLOSED_DRAIN), 3);
	peer_free(idle);
	peer_free(waiting);
	peer_free(late);
	stop();
}
END_TEST

START_TEST(stop_at_once)
{
	/* A worker may be ended with peers, parked NOTIFYs and a full mailbox. */
	struct peer *peers[8];

	start_usual();
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
		peers[i] = peer_new(worker, false);
		if (i % 2)
			continue;
		peer_hello(peers[i], MAX_FRAME);
		w = wr_of(buf, sizeof(buf));
		put(1, unknown);
		peer_send(peers[i], &w);
	}
	spoa_worker_publish(worker, snapshot);
	stop();
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
		peer_expect_closed(peers[i]);
		peer_free(peers[i]);
	}
	spoa_worker_free(NULL);
}
END_TEST

START_TEST(many_snapshots)
{
	/* Snapshots that come faster than they are taken replace each other, and requests go on. */
	struct peer *peer;

	start_usual();
	peer = peer_new(worker, false);
	peer_hello(peer, MAX_FRAME);
	for (unsigned k = 0; k < 300; k++) {
		w = wr_of(buf, sizeof(buf));
		put(1, good);
		spoa_worker_publish(worker, snapshot);
		peer_send(peer, &w);
		spoa_worker_publish(worker, snapshot);
		take(peer, 1, 1, "ok");
	}
	peer_free(peer);
	stop();
}
END_TEST

Suite *suite_worker(void)
{
	Suite *suite = suite_create("worker");
	TCase *tc = tcase_create("worker");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, pipelining);
	tcase_add_test(tc, with_hello);
	tcase_add_test(tc, byte_at_a_time);
	tcase_add_test(tc, parked_until_publish);
	tcase_add_test(tc, parked_again);
	tcase_add_test(tc, parked_to_unknown);
	tcase_add_test(tc, deadline);
	tcase_add_test(tc, gone_while_parked);
	tcase_add_test(tc, overload);
	tcase_add_test(tc, patience);
	tcase_add_test(tc, hello_timeout);
	tcase_add_test(tc, health_check);
	tcase_add_test(tc, malformed);
	tcase_add_test(tc, wrong_message);
	tcase_add_test(tc, small_frames);
	tcase_add_test(tc, drain);
	tcase_add_test(tc, stop_at_once);
	tcase_add_test(tc, many_snapshots);
	suite_add_tcase(suite, tc);
	return suite;
}
