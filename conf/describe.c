#include "conf/keys.h"

#include "base/mem.h"
#include "conf/scalar.h"
#include "conf/text.h"

#include <assert.h>

static const char *const NAMES[] = {
	[CONF_BOOL] = "true or false",
	[CONF_INT] = "a whole number",
	[CONF_DURATION] = "a duration",
	[CONF_SIZE] = "a size",
	[CONF_MODE] = "octal permission bits",
	[CONF_ENUM] = "one word",
	[CONF_TEXT] = "a text",
	[CONF_NAME] = "a name of a-z, 0-9 and '-'",
	[CONF_PATH] = "an absolute path",
	[CONF_TEXTS] = "a list of texts",
	[CONF_PORTS] = "a list of ports from 1 to 65535",
	[CONF_ADDRESS] = "a literal address and port",
	[CONF_SECTION] = "a map of keys",
	[CONF_SECTIONS] = "a list of maps",
};
static_assert(ARRAY_SIZE(NAMES) == CONF_TYPES, "each type has a name");

/* How a range of each type is told; NULL where the type says it all. */
static const char *const RANGES[CONF_TYPES] = {
	[CONF_INT] = "",
	[CONF_DURATION] = "",
	[CONF_SIZE] = " bytes",
	[CONF_MODE] = "",
	[CONF_TEXT] = " bytes",
	[CONF_NAME] = " bytes",
	[CONF_PATH] = " bytes",
	[CONF_TEXTS] = " entries",
	[CONF_PORTS] = " entries",
	[CONF_SECTIONS] = " entries",
};

const char *conf_type_name(enum conf_type type)
{
	return NAMES[type];
}

static void print_range(const struct conf_key *key, FILE *to)
{
	enum conf_type type = key->type < CONF_ENUM ? key->type : CONF_INT;
	char lo[CONF_SCALAR_TEXT], hi[CONF_SCALAR_TEXT];

	if (!RANGES[key->type])
		return;
	conf_scalar_format(type, key->min, lo);
	conf_scalar_format(type, key->max, hi);
	fprintf(to, ", %s to %s%s", lo, hi, RANGES[key->type]);
}

static void print_key(const struct conf_key *key, const char *path, FILE *to)
{
	char words[256];

	fprintf(to, "%s\n\ttakes: %s", path, conf_type_name(key->type));
	if (key->words) {
		conf_text_words(key->words, words, sizeof(words));
		fprintf(to, " out of %s", words);
	}
	print_range(key, to);
	if (key->required)
		fprintf(to, "\n\tdefault: none, must be given");
	else if (key->type != CONF_SECTION)
		fprintf(to, "\n\tdefault: %s", key->fallback ? key->fallback : "none");
	if (key->type != CONF_SECTION)
		fprintf(to, "\n\tchanges: %s", key->reloadable ? "on reload" : "on restart");
	if (!key->fallback && key->example)
		fprintf(to, "\n\texample: %s", key->example);
	fprintf(to, "\n\t%s\n", key->help);
}

static void print_section(const struct conf_section *section, const char *prefix, FILE *to)
{
	char path[128];

	for (size_t i = 0; i < section->n_keys; i++) {
		const struct conf_key *key = &section->keys[i];

		snprintf(path, sizeof(path), "%s%s", prefix, key->name);
		print_key(key, path, to);
		if (!key->section)
			continue;
		snprintf(path, sizeof(path), "%s%s%s", prefix, key->name,
			key->type == CONF_SECTIONS ? "[]." : ".");
		print_section(key->section, path, to);
	}
}

void conf_print_keys(FILE *to)
{
	print_section(&conf_keys, "", to);
}
