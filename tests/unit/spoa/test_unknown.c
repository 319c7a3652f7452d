#include "tests/unit/spoa/suites.h"

#include "spoa/unknown.h"

#include <stdio.h>

#define T0 (1000 * (uint64_t)NS_PER_S)

static struct spoa_unknown *unknown;

static void setup(void)
{
	unknown = spoa_unknown_new();
	ck_assert_ptr_nonnull(unknown);
}

static void teardown(void)
{
	spoa_unknown_free(unknown);
}

static uint64_t since(const char *kid, int alg, uint64_t received_at)
{
	return spoa_unknown_since(unknown, span_of(kid), alg, received_at);
}

START_TEST(repeated)
{
	/* Whoever repeats a key id gets the first one's time, until that is over. */
	ck_assert_uint_eq(since("k", 0, T0), T0);
	ck_assert_uint_eq(since("k", 0, T0 + 1), T0);
	ck_assert_uint_eq(since("k", 0, T0 + SPOA_UNKNOWN_NS - 1), T0);
	ck_assert_uint_eq(since("k", 0, T0 + SPOA_UNKNOWN_NS), T0 + SPOA_UNKNOWN_NS);
	ck_assert_uint_eq(since("k", 0, T0 + SPOA_UNKNOWN_NS + 1), T0 + SPOA_UNKNOWN_NS);
}
END_TEST

START_TEST(others)
{
	/* Another key id, or the same with another algorithm, is another question. */
	ck_assert_uint_eq(since("k", 0, T0), T0);
	ck_assert_uint_eq(since("l", 0, T0 + 1), T0 + 1);
	ck_assert_uint_eq(since("k", 1, T0 + 2), T0 + 2);
	ck_assert_uint_eq(since("", 0, T0 + 3), T0 + 3);
	ck_assert_uint_eq(since("k", 0, T0 + 4), T0);
}
END_TEST

START_TEST(older)
{
	/* A request that came before the first one that was remembered keeps its own time. */
	ck_assert_uint_eq(since("k", 0, T0), T0);
	ck_assert_uint_eq(since("k", 0, T0 - 5), T0 - 5);
	ck_assert_uint_eq(since("k", 0, T0 + 1), T0);
}
END_TEST

START_TEST(bounded)
{
	/* A flood of made-up ids takes no more room; it pushes others out, who are asked for anew. */
	char kid[32];

	ck_assert_uint_eq(since("k", 0, T0), T0);
	for (int i = 0; i < 100000; i++) {
		snprintf(kid, sizeof(kid), "made-up-%d", i);
		ck_assert_uint_eq(since(kid, 0, T0 + 1), T0 + 1);
	}
	ck_assert_uint_eq(since("k", 0, T0 + 2), T0 + 2);
}
END_TEST

Suite *suite_unknown(void)
{
	Suite *suite = suite_create("unknown");
	TCase *tc = tcase_create("unknown");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, repeated);
	tcase_add_test(tc, others);
	tcase_add_test(tc, older);
	tcase_add_test(tc, bounded);
	suite_add_tcase(suite, tc);
	return suite;
}
