#include "tests/unit/spop/support.h"

#include "base/mem.h"
#include "spop/status.h"

#include <limits.h>

/* SPOE.txt 3.5, the numbers that exist. */
static const unsigned known[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};

START_TEST(every_status_has_its_own_text)
{
	/* Goal: every code of the list has a text, and no two share one. */
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		ck_assert_str_ne(spop_status_text(known[i]), "unknown error");
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(spop_status_text(known[i]), spop_status_text(known[j]));
	}
	ck_assert_str_eq(spop_status_text(SPOP_STATUS_BAD_VERSION), "unsupported version");
}
END_TEST

START_TEST(other_numbers_are_unknown)
{
	/* Goal: a number outside the list never leaves the table. */
	static const unsigned others[] = {14, 50, 98, 99, 100, 255, 256, INT_MAX, UINT_MAX};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		ck_assert_str_eq(spop_status_text(others[i]), "unknown error");
}
END_TEST

Suite *suite_status(void)
{
	Suite *s = suite_create("spop/status");
	TCase *t = tcase_create("status");

	tcase_add_test(t, every_status_has_its_own_text);
	tcase_add_test(t, other_numbers_are_unknown);
	suite_add_tcase(s, t);
	return s;
}
