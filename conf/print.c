#include "conf/print.h"

#include "conf/keys.h"
#include "conf/scalar.h"

#include <assert.h>
#include <string.h>

struct printing {
	FILE *to;
	int depth; /* of the section, for the blanks before a key */
};

static void print_section(
	const struct printing *p, const struct conf_section *section, const void *base);

static const void *field(const struct conf_key *key, const void *base)
{
	return (const char *)base + key->offset;
}

static int64_t number(const struct conf_key *key, const void *base)
{
	if (key->type == CONF_BOOL)
		return *(const bool *)field(key, base);
	if (key->width == sizeof(uint32_t))
		return *(const int32_t *)field(key, base);
	return *(const int64_t *)field(key, base);
}

/* Single quotes, the one inside doubled: text whatever it looks like. */
static void print_text(const struct printing *p, const char *text)
{
	fputc('\'', p->to);
	for (; *text; text++)
		fprintf(p->to, *text == '\'' ? "''" : "%c", *text);
	fputc('\'', p->to);
}

static void print_name(const struct printing *p, const struct conf_key *key)
{
	fprintf(p->to, "%*s%s: ", 2 * p->depth, "", key->name);
}

static void print_number(const struct printing *p, const struct conf_key *key, const void *base)
{
	char text[CONF_SCALAR_TEXT];

	/* Below its range it was not written, and has no default. */
	if (number(key, base) < key->min)
		return;
	conf_scalar_format(key->type, number(key, base), text);
	print_name(p, key);
	fprintf(p->to, "%s\n", text);
}

static void print_enum(const struct printing *p, const struct conf_key *key, const void *base)
{
	const char *word = key->words;

	for (int64_t i = number(key, base); i > 0; i--)
		word += strcspn(word, " ") + 1;
	print_name(p, key);
	fprintf(p->to, "%.*s\n", (int)strcspn(word, " "), word);
}

static void print_one_text(const struct printing *p, const struct conf_key *key, const void *base)
{
	const char *text = *(char *const *)field(key, base);

	if (!text)
		return;
	print_name(p, key);
	print_text(p, text);
	fputc('\n', p->to);
}

static void print_texts(const struct printing *p, const struct conf_key *key, const void *base)
{
	const struct conf_strings *list = field(key, base);

	if ((int64_t)list->n < key->min)
		return;
	print_name(p, key);
	fputc('[', p->to);
	for (size_t i = 0; i < list->n; i++) {
		fputs(i ? ", " : "", p->to);
		print_text(p, list->items[i]);
	}
	fputs("]\n", p->to);
}

static void print_ports(const struct printing *p, const struct conf_key *key, const void *base)
{
	const uint16_t *ports = field(key, base);
	size_t n = *(const size_t *)((const char *)base + key->second);

	print_name(p, key);
	fputc('[', p->to);
	for (size_t i = 0; i < n; i++)
		fprintf(p->to, "%s%u", i ? ", " : "", ports[i]);
	fputs("]\n", p->to);
}

static void print_address(const struct printing *p, const struct conf_key *key, const void *base)
{
	const char *host = *(char *const *)field(key, base);
	unsigned port = *(const uint16_t *)((const char *)base + key->second);

	if (!host)
		return;
	print_name(p, key);
	fprintf(p->to, strchr(host, ':') ? "'[%s]:%u'\n" : "'%s:%u'\n", host, port);
}

static void print_map(const struct printing *p, const struct conf_key *key, const void *base)
{
	const struct printing inner = {p->to, p->depth + 1};

	fprintf(p->to, "%*s%s:\n", 2 * p->depth, "", key->name);
	print_section(&inner, key->section, base);
}

static void print_list(const struct printing *p, const struct conf_key *key, const void *base)
{
	const char *items = *(char *const *)field(key, base);
	size_t n = *(const size_t *)((const char *)base + key->second);
	const struct printing inner = {p->to, p->depth + 2};

	if (n)
		fprintf(p->to, "%*s%s:\n", 2 * p->depth, "", key->name);
	for (size_t i = 0; i < n; i++) {
		fprintf(p->to, "%*s-\n", 2 * p->depth + 2, "");
		print_section(&inner, key->section, items + i * key->section->size);
	}
}

static void (*const PRINTERS[])(
	const struct printing *p, const struct conf_key *key, const void *base) = {
	[CONF_BOOL] = print_number,
	[CONF_INT] = print_number,
	[CONF_DURATION] = print_number,
	[CONF_SIZE] = print_number,
	[CONF_MODE] = print_number,
	[CONF_ENUM] = print_enum,
	[CONF_TEXT] = print_one_text,
	[CONF_NAME] = print_one_text,
	[CONF_PATH] = print_one_text,
	[CONF_TEXTS] = print_texts,
	[CONF_PORTS] = print_ports,
	[CONF_ADDRESS] = print_address,
	[CONF_SECTION] = print_map,
	[CONF_SECTIONS] = print_list,
};
static_assert(ARRAY_SIZE(PRINTERS) == CONF_TYPES, "one for each type");

/* Has it a value? For what other keys may need: texts and lists of texts. */
static bool is_set(const struct conf_key *key, const void *base)
{
	if (key->type == CONF_TEXTS)
		return ((const struct conf_strings *)field(key, base))->n;
	return *(char *const *)field(key, base) != NULL;
}

static bool has_what_it_needs(
	const struct conf_section *section, const struct conf_key *key, const void *base)
{
	for (size_t i = 0; key->needs && i < section->n_keys; i++)
		if (!strcmp(section->keys[i].name, key->needs))
			return is_set(&section->keys[i], base);
	return true;
}

static void print_section(
	const struct printing *p, const struct conf_section *section, const void *base)
{
	for (size_t i = 0; i < section->n_keys; i++) {
		const struct conf_key *key = &section->keys[i];
		bool is_profile = section->preset && !strcmp(key->name, "profile");

		if (!is_profile && has_what_it_needs(section, key, base))
			PRINTERS[key->type](p, key, base);
	}
}

void conf_print(const struct conf *conf, FILE *to)
{
	print_section(&(const struct printing){to, 0}, &conf_keys, conf);
}
