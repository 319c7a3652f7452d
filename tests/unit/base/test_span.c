#include "base/span.h"

#include "base/mem.h"
#include "tests/unit/base/suites.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *text, *parts[4];
} ROWS[] = {
	{"", {NULL}},
	{"a", {"a"}},
	{"a,bc", {"a", "bc"}},
	{"a,", {"a"}},
	{",a", {"", "a"}},
	{"a,,b", {"a", "", "b"}},
	{",", {""}},
};

START_TEST(next)
{
	/* Goal: the parts of a list, one by one, without a look at the byte behind it. */
	size_t n = strlen(ROWS[_i].text), i = 0;
	cleanup(free) char *exact = malloc(n + !n);
	struct span rest = {.p = exact, .n = n}, part;

	memcpy(exact, ROWS[_i].text, n);
	for (; span_next(&rest, ',', &part); i++)
		ck_assert(ROWS[_i].parts[i] && span_is(part, ROWS[_i].parts[i]));
	ck_assert_ptr_null(ROWS[_i].parts[i]);
}
END_TEST

Suite *span_suite(void)
{
	Suite *s = suite_create("span");
	TCase *tc = tcase_create("span");

	tcase_add_loop_test(tc, next, 0, ARRAY_SIZE(ROWS));
	suite_add_tcase(s, tc);
	return s;
}
