#include "tests/unit/ctl/suites.h"

#include "ctl/out.h"

#include <string.h>

static const struct {
	const char *in;
	bool keep_newlines;
	const char *out;
} TEXTS[] = {
	{"", false, ""}, {"plain ~", false, "plain ~"}, {"a\033[31mb", false, "a?[31mb"},
	{"a\nb\tc\rd", false, "a?b?c?d"}, {"a\nb\tc\rd\n", true, "a\nb?c?d\n"},
	{"\x7f", false, "?"},
	{"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", false,
		"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
	{"\xc2\x9b"
	 "31m",
		false, "?31m"}, /* C1: CSI */
	{"\xe2\x80\xae"
	 "exe",
		false, "?exe"}, /* right-to-left override */
	{"\xe2\x81\xa6"
	 "x",
		false, "?x"}, /* isolate */
	{"\xef\xbb\xbf"
	 "x",
		false, "?x"},                                /* byte order mark */
	{"\xd8\x9cx", false, "?x"},                          /* Arabic letter mark */
	{"\xe1\xa0\x8ex", false, "?x"},                      /* Mongolian vowel separator */
	{"\xef\xbf\xb9x\xef\xbf\xbb", false, "?x?"},         /* interlinear annotation */
	{"\xf3\xa0\x80\x81x\xf3\xa0\x81\xbf", false, "?x?"}, /* tags */
	{"\xff\xfe", false, "??"}, {"\xc3", false, "?"},     /* cut off */
	{"\xc0\x80", false, "??"},                           /* overlong NUL */
	{"\xed\xa0\x80", false, "???"},                      /* surrogate */
};

START_TEST(clean)
{
	/* Goal: nothing that a terminal acts on survives, everything else does. */
	char text[64];

	snprintf(text, sizeof(text), "%s", TEXTS[_i].in);
	ctl_out_clean(text, TEXTS[_i].keep_newlines);
	ck_assert_str_eq(text, TEXTS[_i].out);
}
END_TEST

START_TEST(every_byte)
{
	/* Goal: no byte below space, and no DEL, comes out, whatever went in. */
	char text[256];

	for (int i = 0; i < 255; i++)
		text[i] = (char)(i + 1);
	text[255] = '\0';
	ctl_out_clean(text, false);
	for (const char *p = text; *p; p++)
		ck_assert((unsigned char)*p >= ' ' && *p != 0x7f);
	ck_assert_uint_eq(strlen(text), 255);
}
END_TEST

static void print_table(struct ctl_out_table *table, char **ret_text)
{
	size_t n;
	FILE *to = open_memstream(ret_text, &n);

	ctl_out_table_print(table, to);
	fclose(to);
}

START_TEST(table)
{
	/* Goal: columns are as wide as their widest cell in characters; the last is not filled. */
	static const char *const HEADERS[] = {"A", "LONG", "Z"};
	static const char *const CELLS[] = {
		"1", "2", "3", "\xc3\xa9\xc3\xa9\xc3\xa9", "\n", "last one"};
	cleanup(ctl_out_table) struct ctl_out_table t = {.headers = HEADERS, .n_columns = 3};
	cleanup(free) char *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(CELLS); i++)
		ctl_out_cell(&t, CELLS[i]);
	print_table(&t, &text);
	ck_assert_str_eq(text, "A    LONG  Z\n"
			       "1    2     3\n"
			       "\xc3\xa9\xc3\xa9\xc3\xa9  ?     last one\n");
}
END_TEST

START_TEST(table_empty)
{
	/* Goal: a table without rows prints nothing; one that lacked memory says so. */
	static const char *const HEADERS[] = {"A"};
	cleanup(ctl_out_table) struct ctl_out_table t = {.headers = HEADERS, .n_columns = 1};
	cleanup(free) char *none = NULL;
	cleanup(free) char *bad = NULL;

	print_table(&t, &none);
	ck_assert_str_eq(none, "");
	t.bad = true;
	print_table(&t, &bad);
	ck_assert_str_eq(bad, "(out of memory)\n");
}
END_TEST

Suite *suite_out(void)
{
	Suite *s = suite_create("ctl/out");
	TCase *tc = tcase_create("out");

	tcase_add_loop_test(tc, clean, 0, ARRAY_SIZE(TEXTS));
	tcase_add_test(tc, every_byte);
	tcase_add_test(tc, table);
	tcase_add_test(tc, table_empty);
	suite_add_tcase(s, tc);
	return s;
}
