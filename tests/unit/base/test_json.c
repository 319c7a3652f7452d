#include "base/json.h"
#include "base/utf8.h"
#include "tests/unit/base/suites.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static unsigned char buf[8192];

static const char *text_of(struct wr *w)
{
	ck_assert(!w->bad);
	wr_u8(w, 0);
	return (const char *)buf;
}

START_TEST(nests)
{
	/* Goal: commas stand where RFC 8259 wants them, whatever is nested in what. */
	struct wr w = wr_of(buf, sizeof(buf));

	base_json_object(&w, NULL);
	base_json_array(&w, "a");
	base_json_object(&w, NULL);
	base_json_end_object(&w);
	base_json_object(&w, NULL);
	base_json_uint(&w, "n", UINT64_MAX);
	base_json_bool(&w, "y", true);
	base_json_bool(&w, "o", false);
	base_json_end_object(&w);
	base_json_str(&w, NULL, "x{");
	base_json_str(&w, NULL, "y");
	base_json_end_array(&w);
	base_json_array(&w, "e");
	base_json_end_array(&w);
	base_json_text_begin(&w, "p");
	base_json_text_piece(&w, SPAN("ab"), SIZE_MAX);
	base_json_text_piece(&w, SPAN("cd"), 1);
	base_json_text_end(&w);
	base_json_end_object(&w);
	ck_assert_str_eq(text_of(&w),
		"{\"a\":[{},{\"n\":18446744073709551615,\"y\":true,\"o\":false},\"x{\",\"y\"],"
		"\"e\":[],\"p\":\"abc\"}");
}
END_TEST

START_TEST(cuts)
{
	/* Goal: a text is cut between characters, never inside one. */
	static const char TEXT[] = "a\xc3\xa4\xe2\x82\xac"
				   "b";
	static const char *const CUT[] = {"", "a", "a", "a\xc3\xa4", "a\xc3\xa4", "a\xc3\xa4",
		"a\xc3\xa4\xe2\x82\xac",
		"a\xc3\xa4\xe2\x82\xac"
		"b"};

	for (size_t max = 0; max < sizeof(CUT) / sizeof(CUT[0]); max++) {
		struct wr w = wr_of(buf, sizeof(buf));

		base_json_text_piece(&w, span_of(TEXT), max);
		ck_assert_str_eq(text_of(&w), CUT[max]);
	}
}
END_TEST

START_TEST(every_byte)
{
	/* Goal: any bytes give valid JSON in UTF-8 that says the same wherever they were valid. */
	srandom(1);
	for (int round = 0; round < 20000; round++) {
		struct wr w = wr_of(buf, sizeof(buf));
		char bytes[16];
		size_t n = (size_t)random() % sizeof(bytes);
		struct span s = {.p = bytes, .n = n};
		json_t *value;

		for (size_t i = 0; i < n; i++)
			bytes[i] = (char)(random() % 4 ? random() % 128 : random());
		base_json_text(&w, NULL, s, SIZE_MAX);
		HOLDS(base_utf8_valid((struct span){.p = (char *)buf, .n = wr_len(&w)}));
		value = json_loadb((char *)buf, wr_len(&w), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		HOLDS(value);
		if (base_utf8_valid(s))
			HOLDS(json_string_length(value) == n &&
				!memcmp(json_string_value(value), bytes, n));
		json_decref(value);
	}
}
END_TEST

START_TEST(no_room)
{
	/* Goal: what does not fit sets bad and goes no further than the end. */
	for (size_t room = 0; room < 12; room++) {
		struct wr w = wr_of(buf, room);

		memset(buf, 'Z', sizeof(buf));
		base_json_object(&w, NULL);
		base_json_str(&w, "k", "\x01y");
		base_json_end_object(&w);
		ck_assert(w.bad);
		ck_assert_int_eq(buf[room], 'Z');
	}
}
END_TEST

Suite *json_suite(void)
{
	Suite *suite = suite_create("base/json");
	TCase *tcase = tcase_create("json");

	tcase_add_test(tcase, nests);
	tcase_add_test(tcase, cuts);
	tcase_add_test(tcase, every_byte);
	tcase_add_test(tcase, no_room);
	suite_add_tcase(suite, tcase);
	return suite;
}
