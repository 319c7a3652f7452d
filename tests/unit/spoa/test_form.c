#include "tests/unit/spoa/suites.h"

#include "spoa/form.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *body;
	int rc;
	const char *value;
} CASES[] = {
	{"t=abc", 0, "abc"},
	{"a=1&t=abc&b=2", 0, "abc"},
	{"t=", 0, ""},
	{"t", 0, ""},
	{"t=a=b", 0, "a=b"},
	{"t=a+b%2B%2e%20", 0, "a b+. "},
	{"t=12345678", 0, "12345678"},
	{"t=123456789", -EMSGSIZE, ""},
	{"t=%31%32%33%34%35%36%37%38%39", -EMSGSIZE, ""},
	{"", -ENOENT, ""},
	{"&&&", -ENOENT, ""},
	{"tt=abc", -ENOENT, ""},
	{"T=abc", -ENOENT, ""},
	{"x=t=abc", -ENOENT, ""},
	{"t=a&t=a", -EBADMSG, ""},
	{"t=a%", -EBADMSG, ""},
	{"t=a%2", -EBADMSG, ""},
	{"t=a%zz", -EBADMSG, ""},
};

START_TEST(fields)
{
	/* Goal: one field is found and decoded, or it is said why not; the output waits for success. */
	char buf[8];
	struct span value = SPAN("before");
	size_t n = strlen(CASES[_i].body);
	char *body =
		malloc(n ? n : 1); /* ends where the body ends: a sanitizer sees one byte more */

	memcpy(body, CASES[_i].body, n);
	ck_assert_int_eq(
		spoa_form_get((struct span){body, n}, "t", buf, sizeof(buf), &value), CASES[_i].rc);
	ck_assert(span_is(value, CASES[_i].rc ? "before" : CASES[_i].value));
	free(body);
}
END_TEST

Suite *suite_form(void)
{
	Suite *suite = suite_create("form");
	TCase *tc = tcase_create("form");

	tcase_add_loop_test(tc, fields, 0, ARRAY_SIZE(CASES));
	suite_add_tcase(suite, tc);
	return suite;
}
