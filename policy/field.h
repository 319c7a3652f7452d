/*
 * The fields of a document, read by tables: a name, who reads it, or why it
 * cannot be used. What no table knows is a mistake, with position and path.
 */
#ifndef POLICY_FIELD_H
#define POLICY_FIELD_H

#include "base/diag.h"
#include "base/doc.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct policy_set;
struct policy_object;

/* What the readers of one document share. */
struct policy_reader {
	struct policy_set *set;
	struct base_diag *diag, *notes;
	const char *namespace; /* NULL: clusterwide */
	bool of_init;          /* the subject is reserved:init (scoping) */
	bool of_node;          /* the subject is a node */
};

/* A place in a document: the value, and how one gets there from the root. */
struct policy_at {
	const struct policy_at *up; /* NULL: the root */
	const char *key;            /* NULL: an entry of a list */
	size_t index;
	const struct base_doc *doc;
};

struct policy_field {
	const char *name;
	int (*read)(struct policy_reader *r, const struct policy_at *at, void *out);
	const char *refused; /* without read: why; NULL: fine and of no consequence */
};

/* "PATH: text" at the place. Returns 0, so that reading goes on and finds more. */
int policy_complain(const struct policy_reader *r, const struct policy_at *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same as a note. */
void policy_note(const struct policy_reader *r, const struct policy_at *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* YAML's null: the field counts as absent, as it does for Kubernetes. */
bool policy_is_null(const struct base_doc *doc);

/* A field's value, or NULL when it is absent or null. */
const struct base_doc *policy_get(const struct policy_at *at, const char *name);

/*
 * Reads the fields of a map in the order of the table. 0 (mistakes are in
 * diag) or -ENOMEM.
 */
int policy_fields(struct policy_reader *r, const struct policy_at *at,
	const struct policy_field *table, size_t n, void *out) must_check;

/* Is it a list? Complains otherwise. */
bool policy_is_list(const struct policy_reader *r, const struct policy_at *at);

/* The place of entry i of the list at. */
struct policy_at policy_entry_of(const struct policy_at *at, size_t i);

/*
 * Text as Kubernetes reads it: what looks like a number, a boolean or null
 * must be in quotes. NULL after a complaint.
 */
const char *policy_text(const struct policy_reader *r, const struct policy_at *at);

/* A whole number from low to high, or a boolean, without quotes. false after a complaint. */
bool policy_number(const struct policy_reader *r, const struct policy_at *at, long low, long high,
	long *ret_value);
bool policy_bool(const struct policy_reader *r, const struct policy_at *at, bool *ret_value);

/* A list of texts, each given to each(). 0 or what each() returned first. */
int policy_texts(struct policy_reader *r, const struct policy_at *at,
	int (*each)(
		struct policy_reader *r, const struct policy_at *at, const char *text, void *out),
	void *out) must_check;

#endif
