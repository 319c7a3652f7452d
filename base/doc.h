/*
 * A positioned document tree: what YAML becomes before anybody knows what it
 * means. Every key and value remembers where it stands, so that whoever gives
 * it a meaning can say FILE:LINE:COLUMN.
 */
#ifndef BASE_DOC_H
#define BASE_DOC_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

enum base_doc_kind {
	BASE_DOC_SCALAR,
	BASE_DOC_LIST,
	BASE_DOC_MAP,
};

struct base_doc_entry;

struct base_doc {
	enum base_doc_kind kind;
	unsigned line;   /* of the value, from 1 */
	unsigned column; /* from 1, in bytes */
	char *text;      /* SCALAR: NUL-terminated, holds no NUL; owned */
	bool quoted;     /* SCALAR: written in quotes, so text whatever it looks like */
	struct base_doc_entry *entries; /* LIST and MAP, in file order; owned */
	size_t n_entries;
};

struct base_doc_entry {
	char *key; /* MAP: owned; LIST: NULL */
	unsigned key_line;
	unsigned key_column;
	struct base_doc *value; /* owned, never NULL */
};

/* A scalar with a copy of text, or an empty list or map. NULL without memory. */
struct base_doc *base_doc_new(
	enum base_doc_kind kind, const char *text, unsigned line, unsigned column) must_check;

/*
 * Appends to a list (key NULL) or a map (key copied). Takes value in every
 * case: on failure it is freed. Does not look for duplicates.
 * 0, or -ENOMEM.
 */
int base_doc_add(struct base_doc *parent, const char *key, unsigned key_line, unsigned key_column,
	struct base_doc *value) must_check;

/* The value of a map's key, or NULL. Borrowed from the tree. */
const struct base_doc *base_doc_get(const struct base_doc *map, const char *key);

/* Frees the whole tree; NULL is fine. */
void base_doc_free(struct base_doc *doc);

DEFINE_CLEANUP(base_doc, struct base_doc *, base_doc_free)

#endif
