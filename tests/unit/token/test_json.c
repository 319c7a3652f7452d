#include "tests/unit/token/suites.h"

#include "token/json.h"

#include <errno.h>

static const struct token_json_caps CAPS = {.depth = 4, .elements = 10};

static int parse(struct span text)
{
	json_t *value;

	errno = 0;
	value = token_json_parse(text, CAPS);
	json_decref(value);
	return value ? 0 : errno;
}

static const struct {
	struct span text;
	int want;
} CASES[] = {
	{SPAN("{}"), 0},
	{SPAN(" { \"a\" : [ 1 , 2.5e3, null, true, \"x\\\"]}\" ] } \r\n"), 0},
	{SPAN("[1,2,3,4,5,6,7,8,9]"), 0},
	{SPAN("[1,2,3,4,5,6,7,8,9,10]"), E2BIG},
	{SPAN("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9}"), 0},
	{SPAN("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,\"j\":0}"),
		E2BIG},
	{SPAN("[[],[],[],[],[],[],[],[],[]]"), 0},
	{SPAN("[[],[],[],[],[],[],[],[],[],[]]"), E2BIG},
	{SPAN("[1,2,3,4,5,6,7,8,9,10 x ::::::::::"), E2BIG},
	{SPAN("[[[[]]]]"), 0},
	{SPAN("[[[[[]]]]]"), E2BIG},
	{SPAN("{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}"), E2BIG},
	{SPAN("\"[[[[[[[[\""), EBADMSG}, /* a scalar is no JSON text for us */
	{SPAN("[\"[[[[[[[[[[[[,,,,,,,,,,,,,,\"]"), 0},
	{SPAN("{\"a\":1,\"a\":1}"), EBADMSG},
	{SPAN("{\"a\":1,\"\\u0061\":1}"), EBADMSG},
	{SPAN("{\"x\":[{\"a\":1,\"a\":1}]}"), EBADMSG},
	{SPAN("{\"a\":1}\0"), EBADMSG},
	{SPAN("{\"a\":\"\0\"}"), EBADMSG},
	{SPAN("{\"a\":\"\\u0000\"}"), EBADMSG},
	{SPAN("{\"\\u0000\":1}"), EBADMSG},
	{SPAN("{\"a\":\"\\ud800\"}"), EBADMSG},
	{SPAN("{\"a\":\"\xff\"}"), EBADMSG},
	{SPAN("{\"a\":\"\xc0\x80\"}"), EBADMSG},
	{SPAN("\xef\xbb\xbf{}"), EBADMSG},
	{SPAN("{} {}"), EBADMSG},
	{SPAN("{}x"), EBADMSG},
	{SPAN("{}]"), EBADMSG},
	{SPAN("]"), EBADMSG},
	{SPAN("{"), EBADMSG},
	{SPAN(""), EBADMSG},
	{SPAN("  "), EBADMSG},
	{SPAN("{\"a\":18446744073709551616}"), EBADMSG},
	{SPAN("{\"a\":1e400}"), EBADMSG},
	{SPAN("{\"a\":NaN}"), EBADMSG},
	{SPAN("{\"a\":01}"), EBADMSG},
	{SPAN("{'a':1}"), EBADMSG},
	{SPAN("[1,]"), EBADMSG},
	{SPAN("[\"\\"), EBADMSG},
	{SPAN("[\"\\\""), EBADMSG},
};

START_TEST(table)
{
	/* Goal: attack rows 8, 9 and 11: each text gets its answer, read up to a guard page. */
	struct span text = {
		.p = guarded(CASES[_i].text.p, CASES[_i].text.n), .n = CASES[_i].text.n};

	ck_assert_msg(parse(text) == CASES[_i].want, "%s: %d", CASES[_i].text.p, parse(text));
}
END_TEST

START_TEST(prefixes)
{
	/* Goal: no strict prefix of a text is a text. */
	struct span text = SPAN("{\"a\":[1,\"b\\\\\",{\"c\":null}],\"d\":\"\xc3\xa9\"}");

	ck_assert_int_eq(parse(text), 0);
	for (size_t n = 0; n < text.n; n++)
		ck_assert_int_eq(parse((struct span){.p = guarded(text.p, n), .n = n}), EBADMSG);
}
END_TEST

START_TEST(text_member)
{
	/* Goal: only a string without control bytes and within max comes out; empty is not absent. */
	json_t *o = json_pack("{s:s, s:s, s:i, s:s, s:s}", "a", "abc", "e", "", "n", 1, "c", "a\nb",
		"d", "a\x7f");

	ck_assert(span_is(token_json_text(o, "a", 3), "abc"));
	ck_assert_ptr_null(token_json_text(o, "a", 2).p);
	ck_assert_ptr_nonnull(token_json_text(o, "e", 3).p);
	ck_assert_ptr_null(token_json_text(o, "n", 3).p);
	ck_assert_ptr_null(token_json_text(o, "c", 9).p);
	ck_assert_ptr_null(token_json_text(o, "d", 9).p);
	ck_assert_ptr_null(token_json_text(o, "x", 9).p);
	ck_assert_ptr_null(token_json_text(NULL, "x", 9).p);
	json_decref(o);
}
END_TEST

START_TEST(no_memory)
{
	/* Goal: whichever allocation fails, the answer is ENOMEM, never "malformed" nor a wrong text. */
	struct span text =
		SPAN("{\"a\":[1,2.5,\"b\",{\"c\":null}],\"a name to grow\":\"\xc3\xa9, and "
		     "a text that outgrows the first buffer of the lexer\"}");
	long n = 0;
	int err;

	do {
		allocations_left = n++;
		err = parse(text);
		allocations_left = -1;
		ck_assert_msg(!err || err == ENOMEM, "allocation %ld: %d", n, err);
	} while (err && n < 1000);
	ck_assert_int_eq(err, 0);
	ck_assert_int_gt(n, 5);
}
END_TEST

Suite *suite_json(void)
{
	Suite *suite = suite_create("json");
	TCase *tc = tcase_create("json");

	tcase_add_loop_test(tc, table, 0, sizeof(CASES) / sizeof(CASES[0]));
	tcase_add_test(tc, prefixes);
	tcase_add_test(tc, text_member);
	tcase_add_test(tc, no_memory);
	suite_add_tcase(suite, tc);
	return suite;
}
