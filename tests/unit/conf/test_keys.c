#include "conf/keys.h"

#include "conf/bind.h"
#include "conf/conf.h"
#include "conf/field.h"
#include "conf/value.h"
#include "conf/yaml.h"
#include "say.h"
#include "suites.h"

#include <stdio.h>
#include <string.h>

#define SAMPLE SOURCE_DIR "/conf/identityd.yaml"

static const size_t WIDTHS[CONF_TYPES] = {
	[CONF_BOOL] = sizeof(bool),
	[CONF_INT] = sizeof(int64_t),
	[CONF_DURATION] = sizeof(int64_t),
	[CONF_SIZE] = sizeof(int64_t),
	[CONF_MODE] = sizeof(int),
	[CONF_ENUM] = sizeof(int),
	[CONF_TEXT] = sizeof(char *),
	[CONF_NAME] = sizeof(char *),
	[CONF_PATH] = sizeof(char *),
	[CONF_TEXTS] = sizeof(struct conf_strings),
	[CONF_ADDRESS] = sizeof(char *),
	[CONF_SECTIONS] = sizeof(void *),
};

/* A row that would mislead the code. */
static void check_row(const struct conf_key *key, bool parent_reloads)
{
	size_t width = WIDTHS[key->type];

	if (key->type == CONF_PORTS)
		width = (size_t)key->max * sizeof(uint16_t);
	if (key->type == CONF_INT && key->width == sizeof(uint32_t))
		width = sizeof(uint32_t);
	ck_assert_msg(key->width == width, "%s has the wrong field", key->name);
	ck_assert_msg(key->help && key->help[strlen(key->help) - 1] == '.', "%s", key->name);
	ck_assert_msg(key->min <= key->max, "%s", key->name);
	ck_assert_msg(!(key->required && key->fallback), "%s", key->name);
	ck_assert_msg(!key->required || key->example, "%s", key->name);
	ck_assert_msg(
		(key->section != NULL) == (key->type == CONF_SECTION || key->type == CONF_SECTIONS),
		"%s", key->name);
	ck_assert_msg(key->type != CONF_ENUM || key->words, "%s", key->name);
	/* conf_check_reload does not look into lists that a reload replaces. */
	ck_assert_msg(!parent_reloads || key->reloadable, "%s", key->name);
}

static void check_section(const struct conf_section *section, bool reloads)
{
	for (size_t i = 0; i < section->n_keys; i++) {
		const struct conf_key *key = &section->keys[i];

		check_row(key, reloads);
		for (size_t k = 0; k < i; k++)
			ck_assert_str_ne(section->keys[k].name, key->name);
		if (key->section)
			check_section(key->section,
				key->type == CONF_SECTIONS ? key->reloadable : reloads);
	}
}

START_TEST(rows_make_sense)
{
	/* Every row fits its field and says all that the messages need. */
	check_section(&conf_keys, false);
}
END_TEST

static char *read_sample(void)
{
	FILE *f = fopen(SAMPLE, "r");
	char *text = calloc(1, CONF_YAML_BYTES);

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_gt(fread(text, 1, CONF_YAML_BYTES - 1, f), 0);
	fclose(f);
	return text;
}

static bool is_key(const struct conf_section *section, const char *name, size_t n)
{
	for (size_t i = 0; i < section->n_keys; i++) {
		const struct conf_key *key = &section->keys[i];

		if ((strlen(key->name) == n && !memcmp(key->name, name, n)) ||
			(key->section && is_key(key->section, name, n)))
			return true;
	}
	return false;
}

/* "  # - key: value" is a setting behind a '#'; returns where its '#' is, or NULL. */
static char *find_setting(char *line)
{
	char *hash = line + strspn(line, " ");
	char *name;
	size_t n;

	if (hash[0] != '#' || hash[1] != ' ')
		return NULL;
	name = hash + 2 + strspn(hash + 2, " ");
	if (!strncmp(name, "- ", 2))
		name += 2;
	n = strspn(name, "abcdefghijklmnopqrstuvwxyz_");
	return name[n] == ':' && is_key(&conf_keys, name, n) ? hash : NULL;
}

/* The sample with every setting live. */
static char *uncomment(void)
{
	cleanup(free) char *text = read_sample();
	char *live = NULL, *next = text, *line;
	size_t n = 0;
	FILE *to = open_memstream(&live, &n);

	while ((line = strsep(&next, "\n"))) {
		char *hash = find_setting(line);

		if (hash)
			fprintf(to, "%.*s%s\n", (int)(hash - line), line, hash + 2);
		else
			fprintf(to, "%s\n", line);
	}
	fclose(to);
	return live;
}

static struct base_doc *all_settings(void)
{
	cleanup(free) char *live = uncomment();
	struct base_doc *doc = NULL;
	struct base_diag diag;

	base_diag_init(&diag, SAMPLE);
	ck_assert_msg(conf_yaml_parse(live, strlen(live), &doc, &diag) == 0, "%s", say_diag(&diag));
	base_diag_done(&diag);
	return doc;
}

/* Does the default written in the file mean the same as the table's? */
static void check_default(const struct conf_key *key, const struct base_doc *written)
{
	struct conf *bases = calloc(2, sizeof(*bases));
	const struct conf_section only = {key, 1, sizeof(*bases), NULL};
	struct base_doc nothing = {.kind = BASE_DOC_MAP};
	struct base_diag diag;

	base_diag_init(&diag, SAMPLE);
	ck_assert_int_eq(conf_value_bind(&(struct conf_value){key, written, bases, &diag}), 0);
	ck_assert_msg(diag.n_found == 0, "%s", say_diag(&diag));
	ck_assert_int_eq(conf_bind(&only, &nothing, &bases[1], &diag), 0);
	ck_assert_msg(!key->fallback || conf_field_same(key, &bases[0], &bases[1]),
		"%s:%u: not the default", SAMPLE, written->line);
	conf_bind_clear(&only, &bases[0]);
	conf_bind_clear(&only, &bases[1]);
	free(bases);
	base_diag_done(&diag);
}

static void check_settings(
	const struct conf_section *section, const struct base_doc *const *maps, size_t n_maps);

/* All places where one row is written; there must be one. */
static void check_setting(
	const struct conf_key *key, const struct base_doc *const *maps, size_t n_maps)
{
	const struct base_doc *inner[64];
	size_t n_inner = 0, n = 0;

	for (size_t i = 0; i < n_maps; i++) {
		const struct base_doc *value = base_doc_get(maps[i], key->name);

		if (!value)
			continue;
		n++;
		if (key->type == CONF_SECTION)
			inner[n_inner++] = value;
		for (size_t k = 0; key->type == CONF_SECTIONS && k < value->n_entries; k++)
			inner[n_inner++] = value->entries[k].value;
		if (!key->section)
			check_default(key, value);
	}
	ck_assert_msg(n, "'%s' does not occur in %s", key->name, SAMPLE);
	/* Conditions are written out once, where roles have them. */
	if (key->section && strcmp(key->name, "require") != 0)
		check_settings(key->section, inner, n_inner);
}

static void check_settings(
	const struct conf_section *section, const struct base_doc *const *maps, size_t n_maps)
{
	for (size_t i = 0; i < section->n_keys; i++)
		check_setting(&section->keys[i], maps, n_maps);
}

START_TEST(sample_has_every_key)
{
	/* Every row of the table is in the shipped file, live or behind a '#', with its default. */
	cleanup(base_doc) struct base_doc *doc = all_settings();
	const struct base_doc *root = doc;

	check_settings(&conf_keys, &root, 1);
}
END_TEST

/* All prose of the sample in one line. */
static char *all_prose(void)
{
	cleanup(free) char *text = read_sample();
	char *prose = NULL, *next = text, *line;
	size_t n = 0;
	FILE *to = open_memstream(&prose, &n);

	while ((line = strsep(&next, "\n"))) {
		char *hash = line + strspn(line, " ");

		if (hash[0] == '#' && !find_setting(line))
			fputs(hash + 1, to);
	}
	fclose(to);
	return prose;
}

static void check_help(const struct conf_section *section, const char *prose)
{
	for (size_t i = 0; i < section->n_keys; i++) {
		ck_assert_msg(strstr(prose, section->keys[i].help), "the help of '%s' is not in %s",
			section->keys[i].name, SAMPLE);
		if (section->keys[i].section)
			check_help(section->keys[i].section, prose);
	}
}

START_TEST(sample_has_every_help)
{
	/* The shipped file explains each key in the words of the table. */
	cleanup(free) char *prose = all_prose();

	check_help(&conf_keys, prose);
}
END_TEST

START_TEST(sample_is_good)
{
	/* The shipped file passes as it stands. */
	struct conf *conf = NULL;
	struct base_diag diag;

	base_diag_init(&diag, SAMPLE);
	ck_assert_msg(conf_load(SAMPLE, &conf, &diag) == 0, "%s", say_diag(&diag));
	ck_assert_str_eq(conf->listen[0].group, "haproxy");
	conf_free(conf);
	base_diag_done(&diag);
}
END_TEST

SUITE(keys, ONE(rows_make_sense), ONE(sample_has_every_key), ONE(sample_has_every_help),
	ONE(sample_is_good))
