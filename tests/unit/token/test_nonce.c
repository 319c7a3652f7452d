#include "tests/unit/token/suites.h"

#include "token/nonce.h"

#define NOW (1800000000 / TOKEN_NONCE_SLOT_S * TOKEN_NONCE_SLOT_S)

static const unsigned char KEY[TOKEN_NONCE_KEY] = "0123456789abcdef0123456789abcde";

START_TEST(life)
{
	/* Goal: row 33: a nonce is good in its slot and the next, under its key only. */
	static const unsigned char OTHER[TOKEN_NONCE_KEY] = "another";
	char text[TOKEN_NONCE_CHARS + 1];
	char again[TOKEN_NONCE_CHARS + 1];

	ck_assert_int_eq(token_nonce_make(KEY, NOW, text), 0);
	ck_assert_uint_eq(strlen(text), TOKEN_NONCE_CHARS);
	ck_assert_int_eq(token_nonce_make(KEY, NOW + TOKEN_NONCE_SLOT_S - 1, again), 0);
	ck_assert_str_eq(text, again);
	ck_assert_int_eq(token_nonce_make(KEY, NOW + TOKEN_NONCE_SLOT_S, again), 0);
	ck_assert_str_ne(text, again);
	ck_assert(token_nonce_check(KEY, span_of(text), NOW));
	ck_assert(token_nonce_check(KEY, span_of(text), NOW + 2 * TOKEN_NONCE_SLOT_S - 1));
	ck_assert(!token_nonce_check(KEY, span_of(text), NOW + 2 * TOKEN_NONCE_SLOT_S));
	ck_assert(!token_nonce_check(KEY, span_of(text), NOW - 1));
	ck_assert(!token_nonce_check(OTHER, span_of(text), NOW));
}
END_TEST

START_TEST(altered)
{
	/* Goal: no other text is a nonce. */
	char text[TOKEN_NONCE_CHARS + 1];

	ck_assert_int_eq(token_nonce_make(KEY, NOW, text), 0);
	for (size_t i = 0; i < TOKEN_NONCE_CHARS; i++) {
		char other[TOKEN_NONCE_CHARS + 1];

		memcpy(other, text, sizeof(other));
		other[i] = other[i] == 'A' ? 'B' : 'A';
		ck_assert(!token_nonce_check(KEY, span_of(other), NOW));
		ck_assert(!token_nonce_check(KEY, (struct span){text, i}, NOW));
	}
}
END_TEST

Suite *suite_nonce(void)
{
	Suite *suite = suite_create("nonce");
	TCase *tcase = tcase_create("nonce");

	tcase_add_test(tcase, life);
	tcase_add_test(tcase, altered);
	suite_add_tcase(suite, tcase);
	return suite;
}
