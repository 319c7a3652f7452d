#include "conf/value.h"

#include "conf/bind.h"
#include "conf/conf.h"
#include "conf/scalar.h"
#include "conf/yaml.h"
#include "say.h"
#include "suites.h"

#include <stdio.h>
#include <string.h>

/* Every row of the table that is no section, in one array. */
static const struct conf_key *rows[512];
static int n_rows;

static void collect(const struct conf_section *section)
{
	for (size_t i = 0; i < section->n_keys; i++)
		if (section->keys[i].section)
			collect(section->keys[i].section);
		else
			rows[n_rows++] = &section->keys[i];
}

static void setup(void)
{
	n_rows = 0;
	collect(&conf_keys);
}

/* Binds one row to a text; what is said about it, positions included. */
static const char *bind(const struct conf_key *key, const char *text)
{
	union {
		struct conf conf;
		struct conf_provider provider;
		struct conf_role role;
		struct conf_condition condition;
		struct conf_listen listen;
	} base = {0};
	const struct conf_section only = {key, 1, sizeof(base), NULL};
	struct base_diag diag;
	struct base_doc *doc = NULL;
	const char *said;

	base_diag_init(&diag, "f");
	ck_assert_int_eq(conf_yaml_parse(text, strlen(text), &doc, &diag), 0);
	ck_assert_int_eq(conf_value_bind(&(struct conf_value){key, doc, &base, &diag}), 0);
	said = say_diag(&diag);
	conf_bind_clear(&only, &base);
	base_doc_free(doc);
	base_diag_done(&diag);
	return said;
}

static void expect_good(const struct conf_key *key, const char *text)
{
	const char *said = bind(key, text);

	ck_assert_msg(!*said, "%s: %s gives %s", key->name, text, said);
}

/* Exactly one complaint, at the value, with the key's name and these words. */
static void expect_bad(const struct conf_key *key, const char *text, const char *words)
{
	const char *said = bind(key, text);

	ck_assert_msg(!strncmp(said, "f:1:1: '", 8) && strstr(said, words) &&
			      !strncmp(said + 8, key->name, strlen(key->name)) &&
			      strchr(said, '\n') == said + strlen(said) - 1,
		"%s: %s gives %s", key->name, text, said);
}

static bool is_number(const struct conf_key *key)
{
	return key->type < CONF_ENUM && key->type != CONF_BOOL;
}

static bool is_text(const struct conf_key *key)
{
	return key->type == CONF_TEXT || key->type == CONF_NAME || key->type == CONF_PATH;
}

START_TEST(takes_defaults_and_examples)
{
	/* Every row takes its own default and its own example. */
	for (int i = 0; i < n_rows; i++) {
		ck_assert_msg(rows[i]->fallback || rows[i]->example, "%s", rows[i]->name);
		if (rows[i]->fallback)
			expect_good(rows[i], rows[i]->fallback);
		if (rows[i]->example)
			expect_good(rows[i], rows[i]->example);
	}
}
END_TEST

START_TEST(refuses_wrong_types)
{
	/* Every row refuses a map and an empty value, and scalars refuse a list, saying what they take. */
	for (int i = 0; i < n_rows; i++) {
		bool list = rows[i]->type == CONF_TEXTS || rows[i]->type == CONF_PORTS;
		const char *takes = rows[i]->type == CONF_BOOL && rows[i]->min
					    ? "only true"
					    : conf_type_name(rows[i]->type);

		expect_bad(rows[i], "{a: b}", "is a map; it takes ");
		expect_bad(rows[i], "{a: b}", takes);
		expect_bad(rows[i], "''", "is empty in quotes; it takes ");
		if (!list)
			expect_bad(rows[i], "[a]", "is a list; it takes ");
		if (!list && !is_text(rows[i]))
			expect_bad(rows[i], "w!", "is 'w!'; it takes ");
	}
}
END_TEST

START_TEST(holds_numbers_to_their_range)
{
	/* Every number takes its limits and refuses one less, one more, and far more. */
	for (int i = 0; i < n_rows; i++) {
		const struct conf_key *key = rows[i];
		char lo[CONF_SCALAR_TEXT], hi[CONF_SCALAR_TEXT];

		if (!is_number(key))
			continue;
		conf_scalar_format(key->type, key->min, lo);
		conf_scalar_format(key->type, key->max, hi);
		expect_good(key, lo);
		expect_good(key, hi);
		conf_scalar_format(key->type, key->max + 1, hi);
		expect_bad(key, hi, key->type == CONF_MODE ? "it takes" : "is too large: at most ");
		if (key->type == CONF_INT || key->min > 0) {
			conf_scalar_format(key->type, key->min - 1, lo);
			expect_bad(key, lo, "is too small: at least ");
		}
		if (key->type != CONF_MODE)
			expect_bad(key,
				key->type == CONF_DURATION ? "99999999999999999999d"
							   : "99999999999999999999",
				"is too large: at most ");
	}
}
END_TEST

/* n bytes that any text takes. */
static const char *long_text(int64_t n)
{
	static char text[4096];

	memset(text, 'a', sizeof(text));
	text[0] = n > 1 ? '/' : 'a';
	text[n] = '\0';
	return text;
}

START_TEST(holds_texts_to_their_length)
{
	/* Every text takes its longest form, and neither one byte more nor one too few. */
	for (int i = 0; i < n_rows; i++) {
		const struct conf_key *key = rows[i];
		bool name = key->type == CONF_NAME;

		if (!is_text(key))
			continue;
		expect_good(key, long_text(key->max) + name);
		expect_bad(key, long_text(key->max + 1 + name) + name, "is too large: at most ");
		if (key->min > 1)
			expect_bad(key, "/", "is too small: at least 2 bytes");
	}
}
END_TEST

/* A list of n entries that are different and good for this row. */
static const char *long_list(const struct conf_key *key, int64_t n)
{
	static char text[8192];
	char *p = text;

	*p++ = '[';
	for (int64_t i = 0; i < n; i++)
		if (key->words)
			p += sprintf(p, "%.*s,", (int)strcspn(key->words, " "), key->words);
		else
			p += snprintf(p, 16, key->type == CONF_PORTS ? "%d," : "a%d,", (int)i + 1);
	*p++ = ']';
	*p = '\0';
	return text;
}

START_TEST(holds_lists_to_their_length)
{
	/* Every list takes as many entries as it may have, and neither one more nor one too few. */
	for (int i = 0; i < n_rows; i++) {
		const struct conf_key *key = rows[i];

		if (key->type != CONF_TEXTS && key->type != CONF_PORTS)
			continue;
		expect_good(key, long_list(key, key->max));
		expect_bad(key, long_list(key, key->max + 1), "is too large: at most ");
		if (key->min > 0)
			expect_bad(key, "[]", "is too small: at least 1 entries");
		else
			expect_good(key, "[]");
	}
}
END_TEST

static const struct say_row ROWS[] = {
	/* No Norway problem: the schema decides. */
	{"log: {level: off}\n",
		"f:5:14: 'level' is 'off'; it takes one word out of error, warning, info, debug, "
		"for example info\n"},
	{"admin: {group: no}\nchallenge: {realm: on}\nidentity: {cluster: '1'}\n", ""},
	{"workers: '2'\n",
		"f:5:10: 'workers' is '2' in quotes; it takes a whole number, for example 1\n"},
	{"workers: 0x10\n",
		"f:5:10: 'workers' is '0x10'; it takes a whole number, for example 1\n"},
	{"workers: 65\n", "f:5:10: 'workers' is too large: at most 64\n"},
	{"workers: 0\n", "f:5:10: 'workers' is too small: at least 1\n"},
	{"workers: 9999999999999999999999\n", "f:5:10: 'workers' is too large: at most 64\n"},
	{"workers: -9999999999999999999999\n", "f:5:10: 'workers' is too small: at least 1\n"},
	{"workers: [1]\n", "f:5:10: 'workers' is a list; it takes a whole number, for example 1\n"},
	{"spop: {deadline: 150}\n",
		"f:5:18: 'deadline' is '150'; it takes a duration, for example 150ms\n"},
	{"spop:\n  deadline: 1s\n", "f:6:13: 'deadline' is too large: at most 999ms\n"},
	{"spop: {max_frame_size: 1GiB}\n",
		"f:5:24: 'max_frame_size' is too large: at most 65532\n"},
	{"admin: {mode: 660}\n",
		"f:5:15: 'mode' is '660'; it takes octal permission bits, for example 0660\n"},
	{"admin: {unix: run/x}\n",
		"f:5:15: 'unix' is 'run/x'; it takes an absolute path, for example "
		"/run/identityd/admin.sock\n"},
	{"admin: {group: \"a\\nb\"}\n", "f:5:16: 'a?b' holds a control character\n"},
	{"identity: {cluster: Main}\n",
		"f:5:21: 'cluster' is 'Main'; it takes a name of a-z, 0-9 and '-', for example "
		"default\n"},
	{"bpf: {ports: [80, 0, 65536, x, '1', [2], 65535, 80]}\n",
		"f:5:19: 'ports' has '0'; it takes a list of ports from 1 to 65535, for example "
		"[]\n"
		"f:5:22: 'ports' has '65536'; it takes a list of ports from 1 to 65535, for "
		"example "
		"[]\n"
		"f:5:29: 'ports' has 'x'; it takes a list of ports from 1 to 65535, for example "
		"[]\n"
		"f:5:32: 'ports' has '1' in quotes; it takes a list of ports from 1 to 65535, for "
		"example []\n"
		"f:5:37: 'ports' has a list; it takes a list of ports from 1 to 65535, for example "
		"[]\n"
		"f:5:49: port 80 is given twice\n"},
	{"bpf: {ports: 443}\n", ""},
	{"exports: [a, {b: c}, '', d]\n",
		"f:5:14: 'exports' has a map; it takes a list of texts, for example []\n"
		"f:5:22: 'exports' has empty in quotes; it takes a list of texts, for example "
		"[]\n"},
	{"exports: email\n", ""},
};

START_TEST(says_what_is_wrong)
{
	/* A bad value is named with its place, what it is, what is taken, and an example. */
	char text[1024];

	snprintf(text, sizeof(text), "%s%s", MINIMAL, ROWS[_i].text);
	ck_assert_str_eq(say_conf(text), ROWS[_i].said);
}
END_TEST

START_TEST(limits_entries_of_lists)
{
	/* An entry of a list has at most 1024 bytes. */
	char text[8192];

	snprintf(text, sizeof(text), "%sexports:\n  - %s\n", MINIMAL, long_text(1025));
	ck_assert_str_eq(
		say_conf(text), "f:6:5: an entry of 'exports' is too large: at most 1024 bytes\n");
}
END_TEST

Suite *suite_value(void)
{
	Suite *suite = suite_create("conf/value");
	TCase *tc = tcase_create("value");

	setup();
	tcase_add_test(tc, takes_defaults_and_examples);
	tcase_add_test(tc, refuses_wrong_types);
	tcase_add_test(tc, holds_numbers_to_their_range);
	tcase_add_test(tc, holds_texts_to_their_length);
	tcase_add_test(tc, holds_lists_to_their_length);
	tcase_add_test(tc, limits_entries_of_lists);
	tcase_add_loop_test(tc, says_what_is_wrong, 0, ARRAY_SIZE(ROWS));
	suite_add_tcase(suite, tc);
	return suite;
}
