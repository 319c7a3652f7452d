#include "base/reason.h"
#include "tests/unit/base/suites.h"

#include <string.h>

START_TEST(table)
{
	/* Goal: every reason has a word that is one word, a help text and an allowed status. */
	const char *word = base_reason_word((enum base_reason)_i);
	int status = base_reason_status((enum base_reason)_i);

	ck_assert_uint_gt(strlen(word), 1);
	ck_assert_uint_eq(strspn(word, "abcdefghijklmnopqrstuvwxyz_"), strlen(word));
	ck_assert_uint_gt(strlen(base_reason_help((enum base_reason)_i)), 10);
	ck_assert(status == 200 || status == 401 || status == 403 || status == 503);
	ck_assert_int_eq(status == 200, _i == BASE_REASON_OK);
	for (int k = 0; k < _i; k++)
		ck_assert_str_ne(word, base_reason_word((enum base_reason)k));
}
END_TEST

START_TEST(ours_are_503)
{
	/* Goal: what is our fault or the kernel's never asks the caller for another token. */
	ck_assert_int_eq(base_reason_status(BASE_REASON_INTERNAL), 503);
	ck_assert_int_eq(base_reason_status(BASE_REASON_KEYS_UNAVAILABLE), 503);
	ck_assert_int_eq(base_reason_status(BASE_REASON_MAP_FULL), 503);
	ck_assert_int_eq(base_reason_status(BASE_REASON_IDENTITY_UNAVAILABLE), 503);
	ck_assert_int_eq(base_reason_status(BASE_REASON_NO_ROLE), 403);
	ck_assert_int_eq(base_reason_status(BASE_REASON_EXPIRED), 401);
}
END_TEST

Suite *reason_suite(void)
{
	Suite *suite = suite_create("reason");
	TCase *tc = tcase_create("reason");

	tcase_add_loop_test(tc, table, 0, BASE_REASON_COUNT);
	tcase_add_test(tc, ours_are_503);
	suite_add_tcase(suite, tc);
	return suite;
}
