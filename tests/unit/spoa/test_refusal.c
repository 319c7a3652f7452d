#include "tests/unit/spoa/suites.h"

#include "spoa/conn.h"
#include "tests/unit/spoa/peer.h"

#define MAX_FRAME 16380
#define AT_ONCE   2 /* of 8 connections may wait for their refusal */

static struct spoa_config *config;
static struct spoa_snapshot *snapshot;
static struct spoa_worker *worker;
static unsigned char buf[4096];
static struct wr w;
static char *good;

static void on_need(void *arg, struct spoa_need need)
{
	(void)arg;
	(void)need;
}

static void on_changed(void *arg)
{
	(void)arg;
}

static void setup(void)
{
	const struct spoa_worker_owner owner = {.need_keys = on_need, .changed = on_changed};

	config = help_config(HELP_HEAD HELP_ONE "spop: {max_connections: 8}\n");
	snapshot = help_snapshot(config);
	help_key(snapshot, 0, test_key_of(TOKEN_ES256), "k", 1);
	good = help_token_now(test_key_of(TOKEN_ES256), "k", NULL);
	ck_assert_int_eq(spoa_worker_new(snapshot, &owner, 1, &worker), 0);
	w = wr_of(buf, sizeof(buf));
}

static void teardown(void)
{
	spoa_worker_free(worker);
	spoa_snapshot_unref(snapshot);
	spoa_config_unref(config);
	free(good);
}

/* A peer whose first frame is no HELLO, with more behind it. */
static struct peer *stranger(void)
{
	struct peer *peer = peer_new(worker, false);

	w = wr_of(buf, sizeof(buf));
	help_notify(&w, 1, 1, NULL, "/");
	help_notify(&w, 3, 1, NULL, "/");
	peer_send(peer, &w);
	return peer;
}

static void expect_refused(struct peer *peer)
{
	struct spop_frame frame;

	ck_assert(peer_next(peer, &frame));
	ck_assert_uint_eq(help_disconnect(&frame), SPOP_STATUS_INVALID);
	peer_expect_closed(peer);
	peer_free(peer);
}

START_TEST(late)
{
	/* A refusal comes late, so that HAProxy cannot come back thousands of times a second. */
	struct peer *peer = stranger();

	ck_assert(peer_is_silent(peer, 400));
	expect_refused(peer);
}
END_TEST

START_TEST(not_for_all)
{
	/* Only so many may wait for it, whatever more come; and nobody else waits. */
	struct peer *waiting[AT_ONCE];
	struct base_now before, after;
	struct peer *peer;

	base_clock_now(&before);
	for (unsigned i = 0; i < AT_ONCE; i++)
		waiting[i] = stranger();
	for (unsigned i = 0; i < AT_ONCE; i++)
		ck_assert(peer_is_silent(waiting[i], 10));
	for (unsigned i = 0; i < 20; i++)
		expect_refused(stranger());
	peer = peer_new(worker, false);
	peer_hello(peer, MAX_FRAME);
	w = wr_of(buf, sizeof(buf));
	help_notify(&w, 1, 1, good, "/");
	peer_send(peer, &w);
	(void)peer_ack(peer);
	peer_free(peer);
	base_clock_now(&after);
	/* One after the other with half a second each would have taken ten. */
	ck_assert_uint_lt(after.mono_ns - before.mono_ns, 5 * (uint64_t)NS_PER_S);
	for (unsigned i = 0; i < AT_ONCE; i++)
		expect_refused(waiting[i]);
	peer = stranger(); /* their places are free again */
	ck_assert(peer_is_silent(peer, 100));
	peer_free(peer);
}
END_TEST

START_TEST(peer_gone)
{
	/* A peer that leaves before its refusal, and a worker that ends then, leave nothing behind. */
	peer_free(stranger());
	expect_refused(stranger());
	WAIT_UNTIL(atomic_load(&worker->n_conns) == 0);
	peer_free(stranger());
}
END_TEST

Suite *suite_refusal(void)
{
	Suite *s = suite_create("refusal");
	TCase *tc = tcase_create("hello");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, late);
	tcase_add_test(tc, not_for_all);
	tcase_add_test(tc, peer_gone);
	suite_add_tcase(s, tc);
	return s;
}
