#include "tests/unit/spoa/suites.h"

#include "spoa/memo.h"
#include "tests/unit/spoa/help.h"

#include <stdlib.h>
#include <string.h>

#define BYTES  (64 * 1024)
#define TOKENS 500

static struct spoa_memo *memo;
static char text[5000];

static void setup(void)
{
	memo = spoa_memo_new(BYTES);
	ck_assert_ptr_nonnull(memo);
}

static void teardown(void)
{
	spoa_memo_free(memo);
}

/* Token i, n bytes, different from others at the end and nowhere else. */
static struct span token(uint32_t i, size_t n)
{
	memset(text, 'a', n);
	for (size_t d = 0; d < 6; d++, i >>= 4)
		text[n - 1 - d] = (char)('A' + (i & 15));
	return (struct span){text, n};
}

static void put(struct span s)
{
	uint8_t hash[TOKEN_HASH_BYTES];

	token_hash_of(s, hash);
	spoa_memo_put(memo, s, hash);
}

/* Found is what SHA-256 says, or nothing. */
static bool knows(struct span s)
{
	uint8_t found[TOKEN_HASH_BYTES], hash[TOKEN_HASH_BYTES];

	if (!spoa_memo_find(memo, s, found))
		return false;
	token_hash_of(s, hash);
	if (memcmp(found, hash, sizeof(hash)))
		ck_abort_msg("a wrong hash for %.*s", SPAN_ARG(s));
	return true;
}

START_TEST(every_byte)
{
	/* A token is found by all of its bytes: with any one changed, missing or more it is another. */
	struct span s = token(7, 900);
	size_t wrong = 0;

	ck_assert(!knows(s));
	put(s);
	ck_assert(knows(s));
	for (size_t i = 0; i < s.n; i++) {
		text[i] ^= 1;
		wrong += knows(s);
		text[i] ^= 1;
	}
	for (size_t n = 0; n < s.n; n++)
		wrong += knows((struct span){text, n}) + knows((struct span){text + s.n - n, n});
	text[s.n] = 'a';
	wrong += knows((struct span){text, s.n + 1});
	ck_assert_uint_eq(wrong, 0);
	ck_assert(knows(s));
}
END_TEST

START_TEST(same_ends)
{
	/* Tokens that differ only before the end, so that they share their slots, are told apart. */
	struct span s = token(7, 900);

	for (int c = 0; c < 10; c++) {
		text[3] = (char)('0' + c);
		ck_assert(!knows(s));
		put(s);
		ck_assert(knows(s));
	}
	text[3] = '8';
	ck_assert(knows(s));
	text[3] = '0';
	ck_assert_msg(!knows(s), "more than a set holds");
}
END_TEST

START_TEST(round_and_round)
{
	/*
	 * Whatever was written over is not found, the newest always is, and of
	 * what fits most: many rounds of the ring with tokens of all lengths.
	 */
	size_t newest = 0, recent = 0;

	for (uint32_t i = 0; i < 50 * TOKENS; i++) {
		put(token(i, 100 + i * 37 % 1500));
		newest += knows(token(i, 100 + i * 37 % 1500));
		/* 20 of 850 bytes on average are a quarter of the ring. */
		if (i >= 20)
			recent += knows(token(i - 20, 100 + (i - 20) * 37 % 1500));
		ck_assert(!knows(token(i + 1, 100 + i * 37 % 1500)));
		if (i >= 2 * TOKENS)
			ck_assert(
				!knows(token(i - 2 * TOKENS, 100 + (i - 2 * TOKENS) * 37 % 1500)));
	}
	ck_assert_uint_eq(newest, 50 * TOKENS);
	ck_assert_uint_gt(recent, 45 * TOKENS);
}
END_TEST

START_TEST(faked)
{
	/* A place that was written over is not looked at, even if what lies there now looks like the token. */
	static const uint32_t N = 900;
	enum { FRONT = sizeof(N) + TOKEN_HASH_BYTES };
	char fake[4096], victim[900];
	size_t at; /* in fake, of what is to be taken for the victim */
	size_t rounds = 0;

	put(token(1, 100));
	memcpy(victim, token(7, N).p, N);
	put((struct span){victim, N});
	/* The ring's second entry begins behind the first, whose bytes begin behind its front. */
	at = (FRONT + 100 + 3) / 4 * 4 - FRONT;
	memset(fake, 'f', sizeof(fake));
	memcpy(fake + at, &N, sizeof(N));
	memcpy(fake + at + FRONT, victim, N);
	while (knows((struct span){victim, N})) {
		ck_assert_uint_lt(rounds, 2 * BYTES / sizeof(fake));
		memset(fake + sizeof(fake) - 24, (int)('A' + rounds++), 24);
		put((struct span){fake, sizeof(fake)});
	}
	ck_assert_uint_gt(rounds, BYTES / sizeof(fake) / 2);
}
END_TEST

START_TEST(bounded)
{
	/* Never more bytes than it was given; the share of a worker has a ceiling, too. */
	for (size_t bytes = 0; bytes < 300000; bytes += 1021) {
		cleanup(spoa_memo) struct spoa_memo *some = spoa_memo_new(bytes);

		ck_assert_ptr_nonnull(some);
		ck_assert_uint_le(spoa_memo_bytes(some), bytes);
	}
	ck_assert_uint_le(spoa_memo_bytes(memo), BYTES);
	ck_assert_uint_gt(spoa_memo_bytes(memo), BYTES / 2);
	ck_assert_uint_eq(spoa_memo_share(4096), 1024);
	ck_assert_uint_eq(spoa_memo_share((size_t)64 << 30), SPOA_MEMO_MAX);
}
END_TEST

START_TEST(out_of_range)
{
	/* What is too short, too long, or asked of a memo without room is not kept, and not missed. */
	cleanup(spoa_memo) struct spoa_memo *none = spoa_memo_new(0);
	uint8_t hash[TOKEN_HASH_BYTES] = {0};

	put(token(1, 23));
	ck_assert(!knows(token(1, 23)));
	put(token(1, 24));
	ck_assert(knows(token(1, 24)));
	put(token(1, 4096));
	ck_assert(knows(token(1, 4096)));
	put(token(1, 4097));
	ck_assert(!knows(token(1, 4097)));
	ck_assert(!knows((struct span){0}));
	spoa_memo_put(none, token(1, 900), hash);
	ck_assert(!spoa_memo_find(none, token(1, 900), hash));
	ck_assert_uint_eq(spoa_memo_bytes(none), 0);
}
END_TEST

Suite *suite_memo(void)
{
	Suite *suite = suite_create("memo");
	TCase *tc = tcase_create("memo");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, every_byte);
	tcase_add_test(tc, same_ends);
	tcase_add_test(tc, round_and_round);
	tcase_add_test(tc, faked);
	tcase_add_test(tc, bounded);
	tcase_add_test(tc, out_of_range);
	suite_add_tcase(suite, tc);
	return suite;
}
