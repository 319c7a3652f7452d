#include "tests/unit/token/suites.h"

#include "token/workload.h"

#include "base/mem.h"

#include <string.h>

static const struct {
	const char *claims, *sub, *text;
} ROWS[] = {
	/* A bound token, as an API server writes it. */
	{"{\"kubernetes.io\": {\"namespace\": \"shop\", \"node\": {\"name\": \"n1\", \"uid\": "
	 "\"u\"}, "
	 "\"pod\": {\"name\": \"cart-0\", \"uid\": \"u\"}, \"serviceaccount\": {\"name\": "
	 "\"cart\", "
	 "\"uid\": \"u\"}, \"warnafter\": 1}}",
		"system:serviceaccount:shop:cart", "shop/cart/cart-0"},
	{"{\"kubernetes.io\": {\"namespace\": \"shop\", \"serviceaccount\": {\"name\": \"cart\"}}}",
		"x", "shop/cart/"},
	{"{\"kubernetes.io\": {\"namespace\": \"shop\"}}", "x", "shop//"},
	/* The claim counts before the subject: it is what the API server vouches for. */
	{"{\"kubernetes.io\": {\"namespace\": \"a\", \"serviceaccount\": {\"name\": \"b\"}}}",
		"system:serviceaccount:shop:cart", "a/b/"},
	{"{\"kubernetes.io/serviceaccount/namespace\": \"shop\", "
	 "\"kubernetes.io/serviceaccount/service-account.name\": \"cart\"}",
		"x", "shop/cart/"},
	{"{}", "system:serviceaccount:shop:cart", "shop/cart/"},
	{"{\"kubernetes.io\": {}}", "system:serviceaccount:shop:cart", "shop/cart/"},
	/* Names that nobody has. */
	{"{\"kubernetes.io\": {\"namespace\": \"sh/op\", \"serviceaccount\": {\"name\": 7}}}", "x",
		"?/?/"},
	{"{\"kubernetes.io\": {\"namespace\": \"\", \"pod\": {\"name\": \"Cart\"}}}", "x", "?//?"},
	{"{\"kubernetes.io\": {\"namespace\": \"a\\u0000b\"}}", "x", "?//"},
	{"{\"kubernetes.io\": 7}", "x", "?//"},
	{"{}", "system:serviceaccount:", ""},
	{"{}", "system:serviceaccount:shop", "shop/?/"},
	{"{}", "system:serviceaccount::cart", "?/cart/"},
	{"{}", "system:serviceaccount:shop:a:b", "shop/?/"},
	/* No workload. */
	{"{}", "alice", ""},
	{"{}", "", ""},
	{"{\"kubernetes.io\": null}", "alice", "?//"},
};

START_TEST(rows)
{
	/* What a token says about its workload becomes one text, and no claim can forge a part. */
	json_t *claims = json_loads(ROWS[_i].claims, JSON_ALLOW_NUL, NULL);
	unsigned char buf[1024];
	struct wr to = wr_of(buf, sizeof(buf));

	ck_assert_ptr_nonnull(claims);
	token_workload_write(claims, span_of(ROWS[_i].sub), &to);
	ck_assert(!to.bad);
	ck_assert_uint_eq(wr_len(&to), strlen(ROWS[_i].text));
	ck_assert_int_eq(memcmp(buf, ROWS[_i].text, wr_len(&to)), 0);
	json_decref(claims);
}
END_TEST

START_TEST(split)
{
	/* The three names come back, and from a short text what is there. */
	static const char *const TEXTS[] = {"a/b/c", "a//", "//c", "", "a", "?/?/?"};
	static const char *const NAMES[][3] = {{"a", "b", "c"}, {"a", "", ""}, {"", "", "c"},
		{"", "", ""}, {"a", "", ""}, {"?", "?", "?"}};
	struct span names[3];

	token_workload_split(span_of(TEXTS[_i]), names);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(names[i].n, strlen(NAMES[_i][i]));
		ck_assert(!names[i].n || !memcmp(names[i].p, NAMES[_i][i], names[i].n));
	}
}
END_TEST

Suite *suite_workload(void)
{
	Suite *suite = suite_create("token/workload");
	TCase *tcase = tcase_create("all");

	tcase_add_loop_test(tcase, rows, 0, ARRAY_SIZE(ROWS));
	tcase_add_loop_test(tcase, split, 0, 6);
	suite_add_tcase(suite, tcase);
	return suite;
}
