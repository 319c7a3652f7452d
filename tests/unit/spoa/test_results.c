#include "tests/unit/spoa/suites.h"

#include "spoa/results.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define T0 UINT64_C(1000)

static struct spoa_results *results;
static char buf[1024];
static struct spoa_result got;

static void setup(void)
{
	results = spoa_results_new();
	ck_assert_ptr_nonnull(results);
}

static void teardown(void)
{
	spoa_results_free(results);
	spoa_results_free(NULL);
}

static struct spoa_results_key key(unsigned token, uint64_t origin)
{
	struct spoa_results_key k = {.origin = origin};

	memcpy(k.hash, &token, sizeof(token));
	return k;
}

static enum spoa_said find(unsigned token, uint64_t now)
{
	struct spoa_results_key k = key(token, 1);

	return spoa_results_find(results, &k, now, buf, sizeof(buf), &got);
}

static void put(unsigned token, enum spoa_said said, uint64_t until, const char *json)
{
	struct spoa_results_key k = key(token, 1);

	spoa_results_put(results, &k,
		&(struct spoa_result){.said = said, .until = until, .json = span_of(json)});
}

START_TEST(life)
{
	/* A word counts until its time is over; a later one takes its place. */
	ck_assert_int_eq(find(1, T0), SPOA_SAID_NOTHING);
	put(1, SPOA_SAID_ACTIVE, T0 + 5, "{\"active\":true}");
	ck_assert_int_eq(find(1, T0 + 4), SPOA_SAID_ACTIVE);
	ck_assert(span_is(got.json, "{\"active\":true}"));
	ck_assert_ptr_eq(got.json.p, buf);
	ck_assert_int_eq(find(2, T0), SPOA_SAID_NOTHING);
	put(1, SPOA_SAID_INACTIVE, T0 + 9, "");
	ck_assert_int_eq(find(1, T0 + 8), SPOA_SAID_INACTIVE);
	ck_assert_int_eq(find(1, T0 + 9), SPOA_SAID_NOTHING);
}
END_TEST

START_TEST(single_flight)
{
	/* One of many asks; the others hear that it is being asked, or what was said. */
	struct spoa_results_key k = key(1, 1);
	struct spoa_results_key other = key(1, 2);

	ck_assert(spoa_results_claim(results, &k, T0, T0 + 100));
	ck_assert(!spoa_results_claim(results, &k, T0 + 1, T0 + 100));
	ck_assert_int_eq(find(1, T0 + 1), SPOA_SAID_PENDING);
	/* Another provider's word is another word: nothing of it leaks over. */
	ck_assert(spoa_results_claim(results, &other, T0, T0 + 100));
	put(1, SPOA_SAID_ACTIVE, T0 + 50, "{}");
	ck_assert(!spoa_results_claim(results, &k, T0 + 2, T0 + 100));
	ck_assert(spoa_results_claim(results, &k, T0 + 50, T0 + 100));
	/* Who asked never came back: another may. */
	ck_assert(spoa_results_claim(results, &k, T0 + 100, T0 + 200));
}
END_TEST

START_TEST(too_small)
{
	/* An answer that does not fit the reader is none. */
	struct spoa_results_key k = key(1, 1);
	char small[4];

	put(1, SPOA_SAID_ACTIVE, T0 + 5, "{\"a\":1}");
	ck_assert_int_eq(
		spoa_results_find(results, &k, T0, small, sizeof(small), &got), SPOA_SAID_NOTHING);
}
END_TEST

START_TEST(bounded)
{
	/* Made-up tokens push out each other, never what is active; that is bounded by bytes. */
	static char big[8 * 1024];
	size_t bytes, n;

	put(0, SPOA_SAID_ACTIVE, T0 + 5, "{}");
	for (unsigned i = 1; i <= 3 * SPOA_RESULTS_OTHERS; i++)
		put(i, SPOA_SAID_INACTIVE, T0 + 5, "");
	ck_assert_uint_eq(spoa_results_count(results, &bytes), SPOA_RESULTS_OTHERS + 1);
	ck_assert_int_eq(find(0, T0), SPOA_SAID_ACTIVE);
	ck_assert_int_eq(find(1, T0), SPOA_SAID_NOTHING);
	memset(big, 'x', sizeof(big) - 1);
	for (unsigned i = 0; i < 5000; i++)
		put(100000 + i, SPOA_SAID_ACTIVE, T0 + 5, big);
	n = spoa_results_count(results, &bytes);
	ck_assert_uint_le(bytes, SPOA_RESULTS_BYTES);
	ck_assert_uint_gt(bytes, SPOA_RESULTS_BYTES / 2);
	ck_assert_uint_gt(n, SPOA_RESULTS_OTHERS);
}
END_TEST

START_TEST(order)
{
	/* What is looked at stays; what nobody asks for goes first. */
	static char big[8 * 1024];

	memset(big, 'x', sizeof(big) - 1);
	put(1, SPOA_SAID_ACTIVE, T0 + 5, "{}");
	put(2, SPOA_SAID_ACTIVE, T0 + 5, "{}");
	for (unsigned i = 0; i < 3000; i++) {
		put(100 + i, SPOA_SAID_ACTIVE, T0 + 5, big);
		ck_assert_int_eq(find(1, T0), SPOA_SAID_ACTIVE);
	}
	ck_assert_int_eq(find(2, T0), SPOA_SAID_NOTHING);
}
END_TEST

static void *hammer(void *arg)
{
	char mine[64];
	struct spoa_result result;

	for (unsigned i = 0; i < 20000; i++) {
		struct spoa_results_key k = key(i % 97, 1);

		if (i % 3 == 0)
			spoa_results_put(arg, &k,
				&(struct spoa_result){
					.said = i % 2 ? SPOA_SAID_ACTIVE : SPOA_SAID_INACTIVE,
					.until = T0 + i,
					.json = SPAN("{}")});
		else if (spoa_results_find(arg, &k, T0 + i, mine, sizeof(mine), &result) ==
				 SPOA_SAID_ACTIVE &&
			 !span_is(result.json, "{}"))
			abort();
	}
	return NULL;
}

START_TEST(threads)
{
	/* Many threads may look and put at once (the race checker sees it if not). */
	pthread_t t[3];

	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, hammer, results), 0);
	for (size_t i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
}
END_TEST

Suite *suite_results(void)
{
	Suite *suite = suite_create("results");
	TCase *tc = tcase_create("results");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, life);
	tcase_add_test(tc, single_flight);
	tcase_add_test(tc, too_small);
	tcase_add_test(tc, bounded);
	tcase_add_test(tc, order);
	tcase_add_test(tc, threads);
	suite_add_tcase(suite, tc);
	return suite;
}
