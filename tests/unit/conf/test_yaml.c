#include "conf/yaml.h"

#include "fail.h"
#include "say.h"
#include "suites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static const struct say_row REFUSED[] = {
	{"", "f:1:1: there is nothing in this file\n"},
	{"# only this\n", "f:1:1: there is nothing in this file\n"},
	{"a: &x 1\n", "f:1:4: anchors (&x) are not allowed\n"},
	{"&x a: 1\n", "f:1:1: anchors (&x) are not allowed\n"},
	{"a: &x [1]\nb: &y {c: 1}\n",
		"f:1:4: anchors (&x) are not allowed\nf:2:4: anchors (&y) are not allowed\n"},
	{"a: *x\n", "f:1:4: aliases (*) are not allowed\n"},
	{"a: !!str 1\n", "f:1:4: tags ('tag:yaml.org,2002:str') are not allowed\n"},
	{"a: ! 1\n", "f:1:4: tags ('!') are not allowed\n"},
	{"a: !x [1]\nb: !y {}\n",
		"f:1:4: tags ('!x') are not allowed\nf:2:4: tags ('!y') are not allowed\n"},
	{"a: !q!x 1\n", "f:1:4: tags are not allowed\n"},
	{"%YAML 1.1\n---\na: 1\n", "f:1:1: directives (%) are not allowed\n"},
	{"%TAG !x! tag:x,2000:\n---\na: 1\n", "f:1:1: directives (%) are not allowed\n"},
	{"a: 1\n<<: {b: 2}\n", "f:2:1: merge keys (<<) are not allowed\n"},
	{"a: 1\n---\nb: 2\n", "f:2:1: a second document starts here; only one is read\n"},
	{"a: 1\nb: 2\na: 3\n", "f:3:1: 'a' is given twice, first on line 1\n"},
	{"x:\n  a: 1\n  'a': 2\n  a: 3\n", "f:3:3: 'a' is given twice, first on line 2\n"
					   "f:4:3: 'a' is given twice, first on line 2\n"},
	{"? [a]\n: 1\n", "f:1:3: a key must be plain text, not a list\n"},
	{"{{a: 1}: 2}\n", "f:1:2: a key must be plain text, not a map\n"},
	{"a: \"x\\0y\"\n", "f:1:4: a NUL character cannot stand in a text\n"},
	{"a: b: c\n", "f:1:5: a ':' cannot stand here: quote the text before it, or check the "
		      "indentation\n"},
	{"a: 1\n\tb: 2\n", "f:2:1: a tab cannot indent: use blanks\n"},
	{"a: [1, 2\nb: 3\n", "f:2:2: a ',' or ']' was expected here\n"},
	{"a: {b: 1\n", "f:2:1: a ',' or '}' was expected here\n"},
	{"x: 1\na: 'open\nb: 1\n", "f:2:4: the quote that opens here is never closed\n"},
	{"a: 1\nbc\nd: 2\n", "f:2:1: a key needs a ':' and a blank after it\n"},
	{"a:\n  b: 1\n c: 2\n",
		"f:3:2: a key was expected here: check the indentation and the quotes\n"},
	{"- a\nb: 1\n", "f:2:1: a list entry that starts with '-' was expected here: check the "
			"indentation\n"},
	{"a: - b\n", "f:1:4: a '-' cannot stand here: start a new line for it, or check the "
		     "indentation\n"},
	{"a: \"\\q\"\n", "f:1:5: this backslash means nothing in double quotes: use single quotes "
			 "for plain text\n"},
	{"a: @b\n", "f:1:4: a value cannot start with this character: quote it, and indent with "
		    "blanks, not tabs\n"},
	{"\"\xc3\xa4\xc3\xb6\": b: c\n",
		"f:1:10: a ':' cannot stand here: quote the text before it, "
		"or check the indentation\n"},
	{"\xc3\xa4: 1\n\xc3\xa4: \xc3\xa4\nb: *c\n",
		"f:2:1: '\xc3\xa4' is given twice, first on line 1\n"
		"f:3:4: aliases (*) are not allowed\n"},
	{"a: b\n\x01: 1\n", "f:2:1: a control character cannot stand here\n"},
	{"a: b\nc: \xff\n", "f:2:4: this byte is not UTF-8\n"},
	{"a: b\nc: \xed\xa0\x80\n", "f:2:4: this byte is not UTF-8\n"},
	/* A byte order mark counts its three bytes, as everything else on its line does. */
	{"\xef\xbb\xbf"
	 "a: *x\n",
		"f:1:7: aliases (*) are not allowed\n"},
	/* The mark of UTF-16 is not UTF-8, so nobody guesses another encoding. */
	{"\xff\xfe", "f:1:1: this byte is not UTF-8\n"},
};

START_TEST(refuses_what_surprises)
{
	/* Each construct that is refused is named at its exact place, and all of them in one run. */
	const struct say_row *row = &REFUSED[_i];

	ck_assert_str_eq(say_yaml(row->text, strlen(row->text)), row->said);
}
END_TEST

static struct base_doc *read_good(const char *text)
{
	struct base_diag diag;
	struct base_doc *doc = NULL;

	base_diag_init(&diag, "f");
	ck_assert_int_eq(conf_yaml_parse(text, strlen(text), &doc, &diag), 0);
	base_diag_done(&diag);
	return doc;
}

START_TEST(keeps_texts_and_places)
{
	/* Every value becomes text with its line and column, and knows whether it was quoted. */
	static const char text[] = "a: no\n"
				   "\xc3\xa4"
				   "b: 'no'\n"
				   "list:\n"
				   "- x\n"
				   "- {k: \"\\u00e4\"}\r\n"
				   "empty:\n"
				   "'<<': 1\n";
	cleanup(base_doc) struct base_doc *doc = read_good(text);
	const struct base_doc *value = base_doc_get(doc, "a");

	ck_assert_int_eq(doc->kind, BASE_DOC_MAP);
	ck_assert_uint_eq(doc->n_entries, 5);
	ck_assert_str_eq(value->text, "no");
	ck_assert(!value->quoted && value->line == 1 && value->column == 4);
	value = base_doc_get(doc, "\xc3\xa4"
				  "b");
	ck_assert(value->quoted && value->line == 2 && value->column == 6);
	value = base_doc_get(doc, "list");
	ck_assert_int_eq(value->kind, BASE_DOC_LIST);
	ck_assert(value->line == 4 && value->column == 1 && value->n_entries == 2);
	value = value->entries[1].value;
	ck_assert(value->line == 5 && value->column == 3);
	ck_assert(value->entries[0].key_line == 5 && value->entries[0].key_column == 4);
	ck_assert_str_eq(base_doc_get(value, "k")->text, "\xc3\xa4");
	ck_assert_str_eq(base_doc_get(doc, "empty")->text, "");
	ck_assert_str_eq(base_doc_get(doc, "<<")->text, "1");
}
END_TEST

START_TEST(passes_a_byte_order_mark)
{
	/* A UTF-8 mark at the start, as some editors write it, changes nothing. */
	cleanup(base_doc) struct base_doc *doc = read_good("\xef\xbb\xbf"
							   "a: 1\n");

	ck_assert_str_eq(base_doc_get(doc, "a")->text, "1");
}
END_TEST

START_TEST(limits_depth)
{
	/* 16 lists in each other are read, 17 are not. */
	char text[64] = "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]";

	ck_assert_str_eq(say_yaml(text, 32), "");
	memset(text, '[', 17);
	memset(text + 17, ']', 17);
	ck_assert_str_eq(say_yaml(text, 34), "f:1:17: more than 16 lists and maps in each other\n");
}
END_TEST

/* n lines, of a list or of a map with different keys. */
static char *many(size_t n, bool map)
{
	char *text = malloc(n * 16 + 1), *p = text;

	for (size_t i = 0; i < n; i++)
		p += map ? snprintf(p, 16, "k%zu: a\n", i) : snprintf(p, 16, "- a\n");
	return text;
}

START_TEST(limits_entries)
{
	/* A list or map has at most CONF_YAML_ENTRIES entries. */
	static const char *const SAID[] = {"f:2049:3: more than 2048 entries in one list or map\n",
		"f:2049:1: more than 2048 entries in one list or map\n"};

	for (size_t i = 0; i < ARRAY_SIZE(SAID); i++) {
		cleanup(free) char *fits = many(CONF_YAML_ENTRIES, i == 1);
		cleanup(free) char *one_more = many(CONF_YAML_ENTRIES + 1, i == 1);

		ck_assert_str_eq(say_yaml(fits, strlen(fits)), "");
		ck_assert_str_eq(say_yaml(one_more, strlen(one_more)), SAID[i]);
	}
}
END_TEST

START_TEST(limits_size)
{
	/* 1 MiB is read, one byte more is not. */
	cleanup(free) char *text = malloc(CONF_YAML_BYTES + 1);

	memset(text, ' ', CONF_YAML_BYTES + 1);
	memcpy(text, "a: 1\n#", 6);
	ck_assert_str_eq(say_yaml(text, CONF_YAML_BYTES), "");
	ck_assert_str_eq(say_yaml(text, CONF_YAML_BYTES + 1), "f: larger than 1048576 bytes\n");
}
END_TEST

START_TEST(refuses_a_nul_byte)
{
	/* A NUL byte anywhere is named with its place. */
	ck_assert_str_eq(say_yaml("a: 1\nb\0: 2", 10), "f:2:2: a NUL byte cannot stand here\n");
	ck_assert_str_eq(say_yaml("", 1), "f:1:1: a NUL byte cannot stand here\n");
}
END_TEST

START_TEST(reads_every_prefix_at_a_guard_page)
{
	/* Every strict prefix of a file, ending where reading on would crash, ends in 0 or -EINVAL. */
	static const char text[] = MINIMAL "log:\n  level: \"inf\\u00f6\"\nspop: {deadline: 5ms}\n";
	size_t n = sizeof(text) - 1, page = 4096;
	char *map =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(map, MAP_FAILED);
	ck_assert_int_eq(mprotect(map + page, page, PROT_NONE), 0);
	for (size_t i = 0; i <= n; i++) {
		memcpy(map + page - i, text, i);
		say_yaml(map + page - i, i);
	}
	ck_assert_str_eq(say_yaml(map + page - n, n), "");
	munmap(map, 2 * page);
}
END_TEST

START_TEST(survives_no_memory)
{
	/* Whichever allocation fails, ours or libyaml's, the answer is -ENOMEM and nothing leaks. */
	static const char text[] = "a: [1, {b: 'c'}]\nd:\n  e: f\n  g: [h, i]\n";
	struct base_diag diag;
	struct base_doc *doc = NULL;
	int err = -ENOMEM;
	long n = 0;

	base_diag_init(&diag, "f");
	for (; err; n++) {
		fail_after(n);
		err = conf_yaml_parse(text, strlen(text), &doc, &diag);
		ck_assert(fail_stop() == (err != 0));
		ck_assert(err == 0 || (err == -ENOMEM && !doc));
	}
	ck_assert_int_gt(n, 20);
	ck_assert(fail_reached_libyaml());
	ck_assert_uint_eq(diag.n_found, 0);
	base_doc_free(doc);
	base_diag_done(&diag);
}
END_TEST

SUITE(yaml, EACH(refuses_what_surprises, REFUSED), ONE(keeps_texts_and_places),
	ONE(passes_a_byte_order_mark), ONE(limits_depth), ONE(limits_entries), ONE(limits_size),
	ONE(refuses_a_nul_byte), ONE(reads_every_prefix_at_a_guard_page), ONE(survives_no_memory))
