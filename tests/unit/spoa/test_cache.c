#include "tests/unit/spoa/suites.h"

#include "spoa/cache.h"
#include "tests/unit/spoa/help.h"

#include <stdlib.h>
#include <string.h>

#define BYTES  (64 * 1024)
#define KEYS   4096
#define LENGTH 3000 /* of the longest text that these callers carry */

static struct spoa_cache *cache;
static struct spoa_caller *caller;

static void setup(void)
{
	cache = spoa_cache_new(BYTES);
	caller = calloc(1, SPOA_CALLER_MAX);
	ck_assert_ptr_nonnull(cache);
}

static void teardown(void)
{
	spoa_cache_free(cache);
	free(caller);
}

/* Key i; those of one family differ behind the part that chooses the slot. */
static void make_key(uint32_t i, uint32_t families, uint8_t key[SPOA_CACHE_KEY])
{
	uint32_t family = i % families;

	memset(key, 0, SPOA_CACHE_KEY);
	memcpy(key, &family, sizeof(family));
	memcpy(key + 20, &i, sizeof(i));
}

/* A caller that can be told from others: exp, and n bytes of text. */
static void put(const uint8_t key[SPOA_CACHE_KEY], int64_t exp, size_t n)
{
	caller->exp = exp;
	memset(caller->bytes, (int)(exp & 0xff), n);
	for (size_t t = 0; t < SPOA_TEXTS; t++)
		caller->end[t] = (uint16_t)n;
	spoa_cache_put(cache, key, caller);
}

/* It is this one, whole. */
static void is(const struct spoa_caller *found, int64_t exp)
{
	struct span text = spoa_caller_text(found, SPOA_TEXT_SUB);
	size_t wrong = 0;

	/* One assertion, not one for each byte: each of check's is a write. */
	for (size_t i = 0; i < text.n; i++)
		wrong += (uint8_t)text.p[i] != (uint8_t)(exp & 0xff);
	ck_assert_msg(found->exp == exp && !wrong, "%lld is not %lld, or %zu bytes of it",
		(long long)found->exp, (long long)exp, wrong);
}

START_TEST(finds)
{
	/* What was put is found by its key, whole, and by no other key. */
	uint8_t key[SPOA_CACHE_KEY], other[SPOA_CACHE_KEY];

	make_key(1, 1, key);
	make_key(2, 1, other);
	ck_assert_ptr_null(spoa_cache_find(cache, key));
	put(key, 7, 100);
	is(spoa_cache_find(cache, key), 7);
	ck_assert_ptr_null(spoa_cache_find(cache, other));
	for (size_t i = 0; i < SPOA_CACHE_KEY; i++) {
		memcpy(other, key, sizeof(key));
		other[i] ^= 1;
		ck_assert_ptr_null(spoa_cache_find(cache, other));
	}
	ck_assert_uint_eq(spoa_cache_use(cache).entries, 1);
}
END_TEST

START_TEST(replaces)
{
	/* The newer of two with one key is found, and still when the older one's room is used again. */
	uint8_t key[SPOA_CACHE_KEY], other[SPOA_CACHE_KEY];

	make_key(0, 1, key);
	put(key, 1, 200);
	for (uint32_t i = 1; i <= 100; i++) {
		make_key(i, 1, other);
		put(other, 50, 200);
	}
	put(key, 2, 200);
	is(spoa_cache_find(cache, key), 2);
	/* Enough to drop the older one, too little for the newer. */
	for (uint32_t i = 200; i < 300; i++) {
		make_key(i, 1, other);
		put(other, 50, 200);
		is(spoa_cache_find(cache, key), 2);
	}
}
END_TEST

START_TEST(oldest_goes)
{
	/* When the room is used up the oldest go, as few as must, and the bytes stay within the bound. */
	size_t present = 0;

	for (uint32_t i = 0; i < KEYS; i++) {
		uint8_t key[SPOA_CACHE_KEY];

		make_key(i, KEYS, key);
		put(key, i, 300);
		is(spoa_cache_find(cache, key), i);
		ck_assert_uint_le(spoa_cache_use(cache).bytes, BYTES);
	}
	for (uint32_t i = KEYS; i-- > 0;) {
		uint8_t key[SPOA_CACHE_KEY];

		make_key(i, KEYS, key);
		if (!spoa_cache_find(cache, key))
			break;
		present++;
	}
	ck_assert_uint_eq(present, spoa_cache_use(cache).entries);
	/* 300 bytes of text and what goes with them: at least 130 of them fit into 64 KiB. */
	ck_assert_uint_ge(present, 130);
}
END_TEST

START_TEST(model)
{
	/*
	 * Whatever the lengths and however keys collide: what is found is the last
	 * that was put, and what was put last is found.
	 */
	static const uint32_t FAMILIES[] = {1, 3, 64, KEYS};
	static int64_t last[KEYS];
	static size_t puts;

	srandom(1);
	memset(last, 0xff, sizeof(last));
	for (int round = 1; round < 60000; round++) {
		uint32_t i = (uint32_t)random() % (round % 3 ? 200 : KEYS);
		uint8_t key[SPOA_CACHE_KEY];
		const struct spoa_caller *found;

		make_key(i, FAMILIES[_i], key);
		found = spoa_cache_find(cache, key);
		if (found)
			is(found, last[i]);
		if (round % 2)
			continue;
		put(key, round, (size_t)random() % (round % 7 ? 300 : LENGTH));
		last[i] = round;
		is(spoa_cache_find(cache, key), round);
		puts++;
	}
	ck_assert_uint_gt(puts, spoa_cache_use(cache).entries);
	ck_assert_uint_gt(spoa_cache_use(cache).entries, 20);
}
END_TEST

START_TEST(too_large)
{
	/* What is larger than the whole cache is left out; everything else stays. */
	uint8_t key[SPOA_CACHE_KEY], large[SPOA_CACHE_KEY];

	make_key(1, 1, key);
	make_key(2, 1, large);
	put(key, 1, 100);
	put(large, 2, UINT16_MAX);
	ck_assert_ptr_null(spoa_cache_find(cache, large));
	is(spoa_cache_find(cache, key), 1);
}
END_TEST

START_TEST(sizes)
{
	/* Of every size, down to nothing: the bound holds, and what fits is found. */
	uint8_t key[SPOA_CACHE_KEY];

	for (size_t bytes = 0; bytes < 3 * SPOA_CACHE_MIN; bytes += 97) {
		spoa_cache_free(cache);
		cache = spoa_cache_new(bytes);
		for (uint32_t i = 0; i < 300; i++) {
			make_key(i, 2, key);
			put(key, i, i);
			ck_assert_int_eq(
				spoa_cache_find(cache, key) != NULL, bytes >= SPOA_CACHE_MIN);
			ck_assert_uint_le(spoa_cache_use(cache).bytes, bytes);
		}
	}
}
END_TEST

START_TEST(smallest)
{
	/* Entries smaller than the index expects are bounded by its slots. */
	uint8_t key[SPOA_CACHE_KEY];

	for (uint32_t i = 0; i < KEYS; i++) {
		make_key(i, KEYS, key);
		put(key, i, 0);
		is(spoa_cache_find(cache, key), i);
	}
	ck_assert_uint_gt(spoa_cache_use(cache).entries, 90);
}
END_TEST

Suite *suite_cache(void)
{
	Suite *suite = suite_create("cache");
	TCase *tc = tcase_create("cache");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, finds);
	tcase_add_test(tc, replaces);
	tcase_add_test(tc, oldest_goes);
	tcase_add_loop_test(tc, model, 0, 4);
	tcase_add_test(tc, too_large);
	tcase_add_test(tc, sizes);
	tcase_add_test(tc, smallest);
	suite_add_tcase(suite, tc);
	return suite;
}
