#include "conf/text.h"

#include "suites.h"

#include <string.h>

#define TEN "0123456789"

static const struct {
	const char *text, *shown;
	int control;
} ROWS[] = {
	{"", "''", 0},
	{"abc", "'abc'", 0},
	{TEN TEN TEN TEN, "'" TEN TEN TEN TEN "'", 0},
	{TEN TEN TEN TEN "x", "'" TEN TEN TEN TEN "...'", 0},
	{TEN TEN TEN "012345678\xc3\xa4", "'" TEN TEN TEN "012345678...'", 0},
	{"a\nb\x1b[2J\x7f", "'a?b?[2J?'", 1},
	{"a\xc2\x85z", "'a?z'", 1},
	{"\xc2\xa0", "'\xc2\xa0'", 0},
	{"a\xff", "'a?'", 1},
};

START_TEST(shows_one_clean_line)
{
	/* What messages repeat is cut at a character and moves no cursor. */
	ck_assert_str_eq(conf_text_show(ROWS[_i].text).text, ROWS[_i].shown);
}
END_TEST

START_TEST(knows_control_characters)
{
	/* C0, DEL, C1 and broken UTF-8 are found; a no-break space is none of them. */
	ck_assert_int_eq(conf_text_has_control(ROWS[_i].text) != 0, ROWS[_i].control);
}
END_TEST

START_TEST(names_what_was_found)
{
	/* A value of the wrong kind is called what it is. */
	char empty[] = "", text[] = "x";

	ck_assert_str_eq(conf_text_found(&(struct base_doc){.kind = BASE_DOC_LIST}).text, "a list");
	ck_assert_str_eq(conf_text_found(&(struct base_doc){.kind = BASE_DOC_MAP}).text, "a map");
	ck_assert_str_eq(conf_text_found(&(struct base_doc){.text = empty}).text, "empty");
	ck_assert_str_eq(conf_text_found(&(struct base_doc){.text = text}).text, "'x'");
}
END_TEST

START_TEST(lists_words)
{
	/* Words get commas, and a buffer of any size is never overrun. */
	char out[16];

	conf_text_words("a bc d", out, sizeof(out));
	ck_assert_str_eq(out, "a, bc, d");
	for (size_t size = 1; size < sizeof(out); size++) {
		memset(out, 'x', sizeof(out));
		conf_text_words("a b c d e f g h", out, size);
		ck_assert_uint_lt(strlen(out), size);
		ck_assert_int_eq(out[size], 'x');
	}
}
END_TEST

SUITE(text, EACH(shows_one_clean_line, ROWS), EACH(knows_control_characters, ROWS),
	ONE(names_what_was_found), ONE(lists_words))
