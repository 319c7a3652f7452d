#include "policy/path.h"

#include "tests/unit/policy/suites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *path, *query, *want; /* want NULL: refused */
} PATHS[] = {
	{"/", NULL, "/"},
	{"/api/x", NULL, "/api/x"},
	{"/api/x", "q=1", "/api/x?q=1"},
	{"/api/x", "", "/api/x?"},
	{"/%61pi/%7Ejoe", NULL, "/api/~joe"},
	{"/a%2dz", NULL, "/a-z"},
	{"/a%20b%c3%a4", NULL, "/a%20b%C3%A4"},
	{"/a;b=c/d", NULL, "/a;b=c/d"},
	{"/...", NULL, "/..."},
	{"/.a/b.", NULL, "/.a/b."},
	{"/a?", "x", NULL},
	{"*", NULL, "*"},
	{"/a/../b", NULL, NULL},
	{"/a/./b", NULL, NULL},
	{"/..", NULL, NULL},
	{"/a/.", NULL, NULL},
	{"/%2e%2e/b", NULL, NULL},
	{"/.%2E/b", NULL, NULL},
	{"/a/..;x/b", NULL, NULL},
	{"/a/.;/b", NULL, NULL},
	{"//api", NULL, NULL},
	{"/a//b", NULL, NULL},
	{"/a/", NULL, "/a/"},
	{"/a%2fb", NULL, NULL},
	{"/a%2Fb", NULL, NULL},
	{"/a%5cb", NULL, NULL},
	{"/a\\b", NULL, NULL},
	{"/a%00", NULL, NULL},
	{"/a%0d%0a", NULL, NULL},
	{"/a%", NULL, NULL},
	{"/a%2", NULL, NULL},
	{"/a%zz", NULL, NULL},
	{"/a b", NULL, NULL},
	{"/a#b", NULL, NULL},
	{"api", NULL, NULL},
	{"", NULL, NULL},
	{"http://h/", NULL, NULL},
	{"/a", "x\ny", NULL},
};

/* Goal: what a backend might read as another path is refused, the rest has one form. */
START_TEST(paths_have_one_form)
{
	char buf[POLICY_INPUT_MAX];
	const char *query = PATHS[_i].query, *why = NULL;
	struct span path = {0};
	int err = policy_path_normal(
		span_of(PATHS[_i].path), query != NULL, span_of(query), buf, &path, &why);

	if (PATHS[_i].want) {
		ck_assert_msg(err == 0, "%s: %s", PATHS[_i].path, why ? why : "");
		ck_assert_msg(span_is(path, PATHS[_i].want), "%s became %.*s", PATHS[_i].path,
			SPAN_ARG(path));
	} else {
		ck_assert_msg(err == -EINVAL, "%s was taken", PATHS[_i].path);
		ck_assert_ptr_nonnull(why);
	}
}
END_TEST

/* Goal: every strict prefix of a path is read without looking past its end. */
START_TEST(prefixes_are_safe)
{
	static const char TEXT[] = "/a%2d/b;c/..%5C";
	char buf[POLICY_INPUT_MAX];

	for (size_t n = 0; n < sizeof(TEXT); n++) {
		char *copy = malloc(n ? n : 1);
		struct span path;
		const char *why;

		memcpy(copy, TEXT, n);
		(void)!policy_path_normal(
			(struct span){copy, n}, false, SPAN(""), buf, &path, &why);
		free(copy);
	}
}
END_TEST

/* Goal: a path that fills the buffer is taken, one byte more is "too long", not "wrong". */
START_TEST(length_is_bounded)
{
	char text[POLICY_INPUT_MAX + 1], buf[POLICY_INPUT_MAX];
	struct span path;
	const char *why;

	memset(text, 'a', sizeof(text));
	text[0] = '/';
	ck_assert_int_eq(policy_path_normal((struct span){text, POLICY_INPUT_MAX}, false, SPAN(""),
				 buf, &path, &why),
		0);
	ck_assert_int_eq(policy_path_normal((struct span){text, POLICY_INPUT_MAX + 1}, false,
				 SPAN(""), buf, &path, &why),
		-E2BIG);
}
END_TEST

Suite *path_suite(void)
{
	Suite *suite = suite_create("policy/path");
	TCase *tc = tcase_create("path");

	tcase_add_loop_test(tc, paths_have_one_form, 0, sizeof(PATHS) / sizeof(PATHS[0]));
	tcase_add_test(tc, prefixes_are_safe);
	tcase_add_test(tc, length_is_bounded);
	suite_add_tcase(suite, tc);
	return suite;
}
