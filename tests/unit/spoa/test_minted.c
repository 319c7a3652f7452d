#include "tests/unit/spoa/suites.h"

#include "spoa/minted.h"

#include <stdio.h>
#include <string.h>

static struct spoa_minted_key key_of(unsigned token, uint16_t which)
{
	struct spoa_minted_key key = {.config = 1, .which = which};

	token_hash_of((struct span){(char *)&token, sizeof(token)}, key.token);
	return key;
}

START_TEST(remembered)
{
	/* Goal: an assertion is found by its whole key and until its time, by nothing else. */
	cleanup(spoa_minted) struct spoa_minted *minted = spoa_minted_new();
	struct spoa_minted_key key = key_of(1, 0);
	struct spoa_minted_key other;

	ck_assert_uint_eq(spoa_minted_find(minted, &key, 5).n, 0);
	spoa_minted_put(minted, &key, strdup("one"), 10);
	ck_assert(span_is(spoa_minted_find(minted, &key, 9), "one"));
	ck_assert_uint_eq(spoa_minted_find(minted, &key, 10).n, 0);
	other = key_of(2, 0);
	ck_assert_uint_eq(spoa_minted_find(minted, &other, 5).n, 0);
	other = key_of(1, 1);
	ck_assert_uint_eq(spoa_minted_find(minted, &other, 5).n, 0);
	other = key;
	other.config = 2;
	ck_assert_uint_eq(spoa_minted_find(minted, &other, 5).n, 0);
	other = key;
	other.roles = 1;
	ck_assert_uint_eq(spoa_minted_find(minted, &other, 5).n, 0);
	/* The same key again replaces it. */
	spoa_minted_put(minted, &key, strdup("two"), 20);
	ck_assert(span_is(spoa_minted_find(minted, &key, 15), "two"));
}
END_TEST

START_TEST(many)
{
	/* Goal: whatever is found is what was put, however many there are. */
	cleanup(spoa_minted) struct spoa_minted *minted = spoa_minted_new();
	char text[32];
	size_t n = 0;

	for (unsigned i = 0; i < 3 * SPOA_MINTED_PLACES; i++) {
		struct spoa_minted_key key = key_of(i, 0);

		snprintf(text, sizeof(text), "%u", i);
		spoa_minted_put(minted, &key, strdup(text), 10 + i);
	}
	for (unsigned i = 0; i < 3 * SPOA_MINTED_PLACES; i++) {
		struct spoa_minted_key key = key_of(i, 0);
		struct span found = spoa_minted_find(minted, &key, 5);

		snprintf(text, sizeof(text), "%u", i);
		if (found.n && !span_is(found, text))
			ck_abort_msg("%u is %.*s", i, SPAN_ARG(found));
		n += found.n > 0;
	}
	ck_assert(n > SPOA_MINTED_PLACES / 2 && n <= SPOA_MINTED_PLACES);
}
END_TEST

Suite *suite_minted(void)
{
	Suite *suite = suite_create("minted");
	TCase *tc = tcase_create("minted");

	tcase_add_test(tc, remembered);
	tcase_add_test(tc, many);
	suite_add_tcase(suite, tc);
	return suite;
}
