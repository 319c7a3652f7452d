#include "conf/conf.h"
#include "conf/field.h"
#include "conf/keys.h"

#include <string.h>

/* Two structs of one section, and where the next one stands in its file. */
struct pair {
	const void *now;
	const void *next;
	const struct base_doc *doc;
	const char *prefix; /* of the keys' names, in messages */
	struct base_diag *diag;
};

static size_t compare(const struct conf_section *section, const struct pair *pair);

static void complain(const struct conf_key *key, const struct pair *pair)
{
	const struct base_doc *written = base_doc_get(pair->doc, key->name);
	const struct base_doc *at = written ? written : pair->doc;

	base_diag_add(pair->diag, at->line, at->column,
		"'%s%s' has changed, which only a restart can do", pair->prefix, key->name);
}

/* The keys inside, in the struct of the section around them. */
static size_t compare_section(const struct conf_key *key, const struct pair *pair)
{
	const struct base_doc *written = base_doc_get(pair->doc, key->name);
	struct pair inner = *pair;
	char prefix[128];

	snprintf(prefix, sizeof(prefix), "%s%s.", pair->prefix, key->name);
	inner.prefix = prefix;
	inner.doc = written ? written : pair->doc;
	return compare(key->section, &inner);
}

static size_t compare_sections(const struct conf_key *key, const struct pair *pair)
{
	const char *now = pair->now, *next = pair->next;
	size_t n = *(const size_t *)(next + key->second);
	const struct base_doc *list = base_doc_get(pair->doc, key->name);
	char prefix[128];
	size_t found = 0;

	if (*(const size_t *)(now + key->second) != n) {
		complain(key, pair);
		return 1;
	}
	snprintf(prefix, sizeof(prefix), "%s%s[].", pair->prefix, key->name);
	for (size_t i = 0; i < n; i++) {
		struct pair inner = {
			.now = *(const char *const *)(now + key->offset) + i * key->section->size,
			.next = *(const char *const *)(next + key->offset) + i * key->section->size,
			.doc = list->entries[i].value,
			.prefix = prefix,
			.diag = pair->diag,
		};

		found += compare(key->section, &inner);
	}
	return found;
}

static size_t compare_key(const struct conf_key *key, const struct pair *pair)
{
	if (key->type == CONF_SECTION)
		return compare_section(key, pair);
	if (key->reloadable)
		return 0;
	if (key->type == CONF_SECTIONS)
		return compare_sections(key, pair);
	if (conf_field_same(key, pair->now, pair->next))
		return 0;
	complain(key, pair);
	return 1;
}

static size_t compare(const struct conf_section *section, const struct pair *pair)
{
	size_t found = 0;

	for (size_t i = 0; i < section->n_keys; i++)
		found += compare_key(&section->keys[i], pair);
	return found;
}

size_t conf_check_reload(const struct conf *now, const struct conf *next, struct base_diag *diag)
{
	return compare(&conf_keys, &(struct pair){now, next, next->doc, "", diag});
}
