#include "base/clock.h"
#include "tests/unit/base/suites.h"

#include <time.h>

START_TEST(now)
{
	/* Goal: the three clocks are the kernel's, in nanoseconds, and do not run back. */
	struct base_now first, second;
	time_t wall = time(NULL);

	base_clock_now(&first);
	base_clock_now(&second);
	ck_assert_int_ge(base_clock_wall_s(&first), wall - 1);
	ck_assert_int_le(base_clock_wall_s(&first), wall + 5);
	ck_assert_uint_gt(first.mono_ns, 0);
	ck_assert_uint_ge(first.boot_ns + NS_PER_S, first.mono_ns); /* boot time counts sleep too */
	ck_assert_uint_ge(second.mono_ns, first.mono_ns);
	ck_assert_uint_ge(second.boot_ns, first.boot_ns);
}
END_TEST

START_TEST(seconds)
{
	/* Goal: whole seconds are cut, not rounded. */
	struct base_now at = {.wall_ns = 1700000000999999999};

	ck_assert_int_eq(base_clock_wall_s(&at), 1700000000);
	at.wall_ns = 0;
	ck_assert_int_eq(base_clock_wall_s(&at), 0);
}
END_TEST

Suite *clock_suite(void)
{
	Suite *suite = suite_create("clock");
	TCase *tc = tcase_create("clock");

	tcase_add_test(tc, now);
	tcase_add_test(tc, seconds);
	suite_add_tcase(suite, tc);
	return suite;
}
