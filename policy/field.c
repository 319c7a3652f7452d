#include "policy/field.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Keys come from a file: only what cannot move a cursor is repeated. */
static size_t write_key(char *buf, size_t size, const char *key)
{
	size_t n = 0;

	for (; key[n] && n + 1 < size && n < 60; n++)
		buf[n] = key[n] >= 0x20 && key[n] < 0x7f ? key[n] : '?';
	buf[n] = '\0';
	return n;
}

static size_t write_path(char *buf, size_t size, const struct policy_at *at)
{
	size_t n = at->up ? write_path(buf, size, at->up) : 0;

	if (!at->up || n + 2 >= size)
		return n;
	if (!at->key)
		return n + (size_t)snprintf(buf + n, size - n, "[%zu]", at->index);
	if (n)
		buf[n++] = '.';
	return n + write_key(buf + n, size - n, at->key);
}

static void say(struct base_diag *diag, const struct policy_at *at, const char *fmt, va_list ap)
{
	char path[512] = "", text[200];

	vsnprintf(text, sizeof(text), fmt, ap);
	write_path(path, sizeof(path) - 16, at);
	base_diag_add(
		diag, at->doc->line, at->doc->column, "%s%s%s", path, path[0] ? ": " : "", text);
}

int policy_complain(const struct policy_reader *r, const struct policy_at *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(r->diag, at, fmt, ap);
	va_end(ap);
	return 0;
}

void policy_note(const struct policy_reader *r, const struct policy_at *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(r->notes, at, fmt, ap);
	va_end(ap);
}

bool policy_is_null(const struct base_doc *doc)
{
	static const char *const NULLS[] = {"", "~", "null", "Null", "NULL"};

	for (size_t i = 0; i < ARRAY_SIZE(NULLS); i++)
		if (doc->kind == BASE_DOC_SCALAR && !doc->quoted && !strcmp(doc->text, NULLS[i]))
			return true;
	return false;
}

const struct base_doc *policy_get(const struct policy_at *at, const char *name)
{
	const struct base_doc *doc =
		at->doc->kind == BASE_DOC_MAP ? base_doc_get(at->doc, name) : NULL;

	return doc && !policy_is_null(doc) ? doc : NULL;
}

static const struct policy_field *find(const struct policy_field *table, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

/* Fields that no table knows, and those that cannot be used. */
static void check_known(const struct policy_reader *r, const struct policy_at *at,
	const struct policy_field *table, size_t n)
{
	for (size_t i = 0; i < at->doc->n_entries; i++) {
		const struct base_doc_entry *entry = &at->doc->entries[i];
		const struct policy_field *field = find(table, n, entry->key);
		const struct base_doc key = {.line = entry->key_line, .column = entry->key_column};
		const struct policy_at there = {at, entry->key, 0, &key};

		if (!field)
			policy_complain(r, &there, "there is no such field");
		else if (field->refused && !policy_is_null(entry->value))
			policy_complain(r, &there, "not supported: %s", field->refused);
	}
}

int policy_fields(struct policy_reader *r, const struct policy_at *at,
	const struct policy_field *table, size_t n, void *out)
{
	int err = 0;

	if (at->doc->kind != BASE_DOC_MAP)
		return policy_complain(r, at, "must be a map of fields");
	check_known(r, at, table, n);
	for (size_t i = 0; !err && i < n; i++) {
		const struct policy_at there = {
			at, table[i].name, 0, policy_get(at, table[i].name)};

		if (there.doc && table[i].read)
			err = table[i].read(r, &there, out);
	}
	return err;
}

bool policy_is_list(const struct policy_reader *r, const struct policy_at *at)
{
	if (at->doc->kind == BASE_DOC_LIST)
		return true;
	policy_complain(r, at, "must be a list");
	return false;
}

struct policy_at policy_entry_of(const struct policy_at *at, size_t i)
{
	return (struct policy_at){at, NULL, i, at->doc->entries[i].value};
}

/* Would YAML 1.1, which Kubernetes reads, take this for a number or a boolean? */
static bool is_not_text(const char *text)
{
	static const char *const WORDS[] = {"true", "false", "yes", "no", "on", "off", "y", "n",
		".inf", "-.inf", "+.inf", ".nan"};
	char *end;

	for (size_t i = 0; i < ARRAY_SIZE(WORDS); i++)
		if (!strcasecmp(text, WORDS[i]))
			return true;
	if (!text[0] || strspn(text, "0123456789+-._eExXoOabcdefABCDEF") != strlen(text) ||
		!strpbrk(text, "0123456789") || strpbrk(text, "abcdfABCDF") == text)
		return false;
	(void)strtod(text, &end);
	if (!*end && strcspn(text, "nN") == strlen(text))
		return true;
	return text[0] == '0' && (text[1] == 'o' || text[1] == 'x' || text[1] == 'b');
}

const char *policy_text(const struct policy_reader *r, const struct policy_at *at)
{
	const struct base_doc *doc = at->doc;

	if (doc->kind == BASE_DOC_SCALAR &&
		(doc->quoted || (!policy_is_null(doc) && !is_not_text(doc->text))))
		return doc->text;
	if (doc->kind == BASE_DOC_SCALAR)
		policy_complain(r, at, "must be text: put it in quotes");
	else
		policy_complain(r, at, "must be text");
	return NULL;
}

bool policy_number(const struct policy_reader *r, const struct policy_at *at, long low, long high,
	long *ret_value)
{
	const struct base_doc *doc = at->doc;
	char *end = NULL;
	long value;

	errno = 0;
	value = doc->kind == BASE_DOC_SCALAR && !doc->quoted && doc->text[0] &&
				strspn(doc->text, "0123456789-") == strlen(doc->text)
			? strtol(doc->text, &end, 10)
			: 0;
	if (end && !*end && !errno && value >= low && value <= high) {
		*ret_value = value;
		return true;
	}
	policy_complain(r, at, "must be a whole number from %ld to %ld", low, high);
	return false;
}

bool policy_bool(const struct policy_reader *r, const struct policy_at *at, bool *ret_value)
{
	const struct base_doc *doc = at->doc;
	bool plain = doc->kind == BASE_DOC_SCALAR && !doc->quoted;

	if (plain && (!strcmp(doc->text, "true") || !strcmp(doc->text, "false"))) {
		*ret_value = doc->text[0] == 't';
		return true;
	}
	policy_complain(r, at, "must be true or false");
	return false;
}

int policy_texts(struct policy_reader *r, const struct policy_at *at,
	int (*each)(
		struct policy_reader *r, const struct policy_at *at, const char *text, void *out),
	void *out)
{
	int err = 0;

	if (!policy_is_list(r, at))
		return 0;
	for (size_t i = 0; !err && i < at->doc->n_entries; i++) {
		const struct policy_at there = policy_entry_of(at, i);
		const char *text = policy_text(r, &there);

		if (text)
			err = each(r, &there, text, out);
	}
	return err;
}
