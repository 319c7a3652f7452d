#include "conf/near.h"

#include "suites.h"

#include <string.h>

static const struct {
	const char *a, *b;
	unsigned steps;
} PAIRS[] = {
	{"", "", 0},
	{"abc", "abc", 0},
	{"abc", "", 3},
	{"abc", "abd", 1},
	{"abc", "ab", 1},
	{"abc", "xabc", 1},
	{"abc", "acb", 1},
	{"listen", "listne", 1},
	{"deadline", "daedlnie", 2},
	{"kitten", "sitting", 3},
	{"0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef", 0},
	{"0123456789abcdef0123456789abcdefX", "0123456789abcdef0123456789abcdefX", 99},
};

START_TEST(counts_steps)
{
	/* The distance is right both ways round, and far for what no key is as long as. */
	ck_assert_uint_eq(conf_near_steps(PAIRS[_i].a, PAIRS[_i].b), PAIRS[_i].steps);
	ck_assert_uint_eq(conf_near_steps(PAIRS[_i].b, PAIRS[_i].a), PAIRS[_i].steps);
}
END_TEST

START_TEST(finds_the_nearest_key)
{
	/* A typo of up to two steps finds its key, anything further nothing. */
	ck_assert_str_eq(conf_near_key(&conf_keys, "lisen"), "listen");
	ck_assert_str_eq(conf_near_key(&conf_keys, "wrokes"), "workers");
	ck_assert_str_eq(conf_near_key(&conf_keys, "role"), "roles");
	ck_assert_str_eq(conf_near_key(&conf_keys, "roleees"), "roles");
	ck_assert_ptr_null(conf_near_key(&conf_keys, "roleeees"));
	ck_assert_ptr_null(conf_near_key(&conf_keys, "banana"));
	ck_assert_ptr_null(conf_near_key(&conf_keys, ""));
	ck_assert_ptr_null(conf_near_key(&conf_keys, "x"));
}
END_TEST

SUITE(near, EACH(counts_steps, PAIRS), ONE(finds_the_nearest_key))
