#include "tests/unit/token/suites.h"

#include "token/replay.h"

#include <openssl/sha.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define NOW 1800000000

static void id_of(unsigned n, unsigned char ret_id[TOKEN_REPLAY_ID])
{
	SHA256((unsigned char *)&n, sizeof(n), ret_id);
}

static enum token_replay_result note(
	struct token_replay *replay, unsigned n, uint64_t request, int64_t expires, int64_t now)
{
	unsigned char id[TOKEN_REPLAY_ID];

	id_of(n, id);
	return token_replay_note(replay, id, request, expires, now);
}

START_TEST(once)
{
	/* Goal: row 33: a proof is good once; the same request asked again is no replay. */
	cleanup(token_replay) struct token_replay *replay = token_replay_new(100);

	unsigned char id[TOKEN_REPLAY_ID];

	id_of(1, id);
	ck_assert(!token_replay_has(replay, id, NOW));
	ck_assert_int_eq(note(replay, 1, 7, NOW + 60, NOW), TOKEN_REPLAY_NEW);
	ck_assert(token_replay_has(replay, id, NOW + 60));
	ck_assert(!token_replay_has(replay, id, NOW + 61));
	ck_assert_int_eq(note(replay, 1, 7, NOW + 60, NOW + 1), TOKEN_REPLAY_SAME);
	ck_assert_int_eq(note(replay, 1, 8, NOW + 60, NOW + 1), TOKEN_REPLAY_SEEN);
	ck_assert_int_eq(note(replay, 2, 8, NOW + 60, NOW + 1), TOKEN_REPLAY_NEW);
	/* Until its last second, and not a second longer. */
	ck_assert_int_eq(note(replay, 1, 8, NOW + 60, NOW + 60), TOKEN_REPLAY_SEEN);
	ck_assert_uint_eq(token_replay_count(replay, NOW + 60), 2);
	ck_assert_uint_eq(token_replay_count(replay, NOW + 61), 0);
	ck_assert_int_eq(note(replay, 1, 8, NOW + 120, NOW + 61), TOKEN_REPLAY_NEW);
}
END_TEST

START_TEST(full)
{
	/*
	 * Goal: as many as asked for fit; past that it says so, forgets nothing
	 * that is not expired, and has room again once they are.
	 */
	enum { ASKED = 20000 };
	cleanup(token_replay) struct token_replay *replay = token_replay_new(ASKED);
	unsigned n = 0;

	while (n < 4 * ASKED && note(replay, n, 1, NOW + 60, NOW) == TOKEN_REPLAY_NEW)
		n++;
	ck_assert_uint_ge(n, ASKED);
	ck_assert_uint_lt(n, 4 * ASKED);
	ck_assert_uint_eq(token_replay_count(replay, NOW), n);
	ck_assert_int_eq(note(replay, n, 1, NOW + 60, NOW), TOKEN_REPLAY_FULL);
	for (unsigned i = 0; i < n; i++)
		if (note(replay, i, 2, NOW + 60, NOW) != TOKEN_REPLAY_SEEN)
			ck_abort_msg("%u is forgotten", i);
	ck_assert_int_eq(note(replay, n, 1, NOW + 120, NOW + 61), TOKEN_REPLAY_NEW);
}
END_TEST

struct race {
	struct token_replay *replay;
	atomic_uint n_new;
	uint64_t next_request;
};

static void *present(void *arg)
{
	struct race *race = arg;
	uint64_t request = __atomic_add_fetch(&race->next_request, 1, __ATOMIC_RELAXED);

	for (unsigned i = 0; i < 5000; i++)
		if (note(race->replay, i, request, NOW + 60, NOW) == TOKEN_REPLAY_NEW)
			atomic_fetch_add(&race->n_new, 1);
	return NULL;
}

START_TEST(at_once)
{
	/* Goal: of threads that present the same proofs at once, one wins for each. */
	cleanup(token_replay) struct token_replay *replay = token_replay_new(5000);
	struct race race = {.replay = replay};
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, present, &race), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(atomic_load(&race.n_new), 5000);
}
END_TEST

START_TEST(no_memory)
{
	/* Goal: every allocation may fail. */
	struct token_replay *replay = NULL;
	long n = 0;

	for (; !replay && n < 1000; n++) {
		allocations_left = n;
		replay = token_replay_new(100);
	}
	allocations_left = -1;
	ck_assert_ptr_nonnull(replay);
	ck_assert_int_gt(n, 2);
	token_replay_free(replay);
	token_replay_free(NULL);
}
END_TEST

Suite *suite_replay(void)
{
	Suite *suite = suite_create("replay");
	TCase *tcase = tcase_create("replay");

	tcase_add_test(tcase, once);
	tcase_add_test(tcase, full);
	tcase_add_test(tcase, at_once);
	tcase_add_test(tcase, no_memory);
	suite_add_tcase(suite, tcase);
	return suite;
}
