#include "conf/place.h"

#include "suites.h"

static const char TEXT[] = "a\xc3\xa4"
			   "b\r\n\ncd\n";

static const struct {
	size_t chars, bytes;
	unsigned line, column;
} PLACES[] = {
	{0, 0, 1, 1},
	{1, 1, 1, 2},
	{2, 3, 1, 4}, /* behind two bytes that are one character */
	{3, 4, 1, 5},
	{4, 5, 1, 6},
	{5, 6, 2, 1},
	{6, 7, 3, 1},
	{7, 8, 3, 2},
	{8, 9, 3, 3},
	{9, 10, 4, 1},
};

START_TEST(finds_by_character_and_byte)
{
	/* Both ways to a place give its line and byte column, also when going back. */
	struct conf_place place = conf_place_start(TEXT, sizeof(TEXT) - 1);

	for (size_t before = 0; before < 10; before++) {
		conf_place_to_char(&place, before);
		conf_place_to_char(&place, PLACES[_i].chars);
		ck_assert_uint_eq(place.bytes, PLACES[_i].bytes);
		ck_assert_uint_eq(place.line, PLACES[_i].line);
		ck_assert_uint_eq(place.column, PLACES[_i].column);
		conf_place_to_char(&place, before);
		conf_place_to_byte(&place, PLACES[_i].bytes);
		ck_assert_uint_eq(place.chars, PLACES[_i].chars);
		ck_assert_uint_eq(place.line, PLACES[_i].line);
		ck_assert_uint_eq(place.column, PLACES[_i].column);
	}
}
END_TEST

START_TEST(stops_at_the_end)
{
	/* Past the end is the end, and bytes that are no UTF-8 count one each. */
	struct conf_place place = conf_place_start("\xff\xc3", 2);

	conf_place_to_char(&place, 100);
	ck_assert_uint_eq(place.chars, 2);
	ck_assert_uint_eq(place.bytes, 2);
	conf_place_to_byte(&place, 100);
	ck_assert_uint_eq(place.column, 3);
}
END_TEST

SUITE(place, EACH(finds_by_character_and_byte, PLACES), ONE(stops_at_the_end))
