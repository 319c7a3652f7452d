#include "base/doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct base_doc *base_doc_new(
	enum base_doc_kind kind, const char *text, unsigned line, unsigned column)
{
	cleanup(base_doc) struct base_doc *doc = calloc(1, sizeof(*doc));

	if (!doc)
		return NULL;
	doc->kind = kind;
	doc->line = line;
	doc->column = column;
	if (kind == BASE_DOC_SCALAR) {
		doc->text = strdup(text);
		if (!doc->text)
			return NULL;
	}
	return TAKE_PTR(doc);
}

int base_doc_add(struct base_doc *parent, const char *key, unsigned key_line, unsigned key_column,
	struct base_doc *value)
{
	cleanup(base_doc) struct base_doc *owned = value;
	cleanup(free) char *own_key = key ? strdup(key) : NULL;
	struct base_doc_entry *grown;

	if (key && !own_key)
		return -ENOMEM;
	grown = reallocarray(parent->entries, parent->n_entries + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	parent->entries = grown;
	grown[parent->n_entries++] = (struct base_doc_entry){
		.key = TAKE_PTR(own_key),
		.key_line = key_line,
		.key_column = key_column,
		.value = TAKE_PTR(owned),
	};
	return 0;
}

const struct base_doc *base_doc_get(const struct base_doc *map, const char *key)
{
	for (size_t i = 0; i < map->n_entries; i++)
		if (map->entries[i].key && !strcmp(map->entries[i].key, key))
			return map->entries[i].value;
	return NULL;
}

void base_doc_free(struct base_doc *doc)
{
	if (!doc)
		return;
	for (size_t i = 0; i < doc->n_entries; i++) {
		free(doc->entries[i].key);
		base_doc_free(doc->entries[i].value);
	}
	free(doc->entries);
	free(doc->text);
	free(doc);
}
