#include "base/mem.h"
#include "base/utf8.h"
#include "tests/unit/base/suites.h"

#include <stdint.h>
#include <stdlib.h>

/* RFC 3629 3, by arithmetic instead of by its grammar: a second opinion. */
static size_t encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

START_TEST(every_code_point)
{
	/* Goal: every code point passes whole, fails one byte short, and surrogates fail. */
	for (uint32_t c = 0; c < 0x200000; c++) {
		cleanup(free) char *exact = NULL;
		char bytes[4];
		size_t n = encode(c, bytes);
		bool good = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);

		HOLDS(base_utf8_next((struct span){bytes, n}) == (good ? n : 0));
		if (c % 997 || n == 1)
			continue;
		/* Exactly as large as the input: a sanitizer sees a read past it. */
		exact = malloc(n - 1);
		memcpy(exact, bytes, n - 1);
		ck_assert_uint_eq(base_utf8_next((struct span){exact, n - 1}), 0);
	}
}
END_TEST

START_TEST(every_three_bytes)
{
	/* Goal: of all runs of up to three bytes exactly the shortest forms of code points pass. */
	static uint8_t good[1 << 24];
	size_t n_good = 0;

	for (uint32_t c = 0; c < 0x10000; c++) {
		char b[4] = {0};
		size_t n = encode(c, b);

		if (c < 0xd800 || c > 0xdfff)
			good[(uint32_t)(uint8_t)b[0] << 16 | (uint32_t)(uint8_t)b[1] << 8 |
				(uint8_t)b[2]] = (uint8_t)n;
	}
	for (uint32_t i = 0; i < 1 << 24; i++) {
		char b[3] = {(char)(i >> 16), (char)(i >> 8), (char)i};
		size_t n = base_utf8_next((struct span){b, 3});
		uint32_t key = n == 1 ? i & 0xff0000 : n == 2 ? i & 0xffff00 : i;

		if (!n)
			continue;
		if (good[key] != n)
			ck_abort_msg("%06x: %zu", i, n);
		n_good += i == key;
	}
	ck_assert_uint_eq(n_good, 0x10000 - 0x800);
}
END_TEST

static const struct {
	const char *text;
	size_t n;
	bool valid;
} TEXTS[] = {
	{"", 0, true},
	{NULL, 0, true},
	{"plain", 5, true},
	{"a\0b", 3, true},
	{"gr\xc3\xbc\xc3\x9f", 6, true},
	{"\xf0\x9f\x98\x80", 4, true},
	{"\x80", 1, false},
	{"a\x80", 2, false},
	{"\xc0\x80", 2, false},
	{"\xc1\xbf", 2, false},
	{"\xe0\x9f\xbf", 3, false},
	{"\xed\xa0\x80", 3, false},
	{"\xf0\x8f\xbf\xbf", 4, false},
	{"\xf4\x90\x80\x80", 4, false},
	{"\xf5\x80\x80\x80", 4, false},
	{"\xff", 1, false},
	{"ok\xc3", 3, false},
	{"\xc3(", 2, false},
	{"\xe2\x82\x28", 3, false},
	{"\xf0\x9f\x98(", 4, false},
};

START_TEST(texts)
{
	/* Goal: a text is valid when every sequence in it is. */
	ck_assert_int_eq(
		base_utf8_valid((struct span){TEXTS[_i].text, TEXTS[_i].n}), TEXTS[_i].valid);
}
END_TEST

START_TEST(anywhere)
{
	/* Goal: a byte that is wrong is found at every place of a text of every length. */
	char text[40];
	size_t wrong = 0;

	for (size_t n = 1; n <= sizeof(text); n++) {
		struct span s = {text, n};

		memset(text, 'a', n);
		wrong += !base_utf8_valid(s);
		for (size_t i = 0; i < n; i++) {
			text[i] = '\x80';
			wrong += base_utf8_valid(s);
			text[i] = 'a';
		}
	}
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

Suite *utf8_suite(void)
{
	Suite *suite = suite_create("utf8");
	TCase *tc = tcase_create("utf8");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, every_code_point);
	tcase_add_test(tc, every_three_bytes);
	tcase_add_loop_test(tc, texts, 0, ARRAY_SIZE(TEXTS));
	tcase_add_test(tc, anywhere);
	suite_add_tcase(suite, tc);
	return suite;
}
