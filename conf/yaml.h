/*
 * YAML (libyaml's event parser) to a positioned tree, without the parts that
 * surprise: anchors, aliases, tags, directives, merge keys, several documents,
 * duplicate keys, keys that are not plain text, NUL bytes and nesting deeper
 * than CONF_YAML_DEPTH are refused, each with its position.
 */
#ifndef CONF_YAML_H
#define CONF_YAML_H

#include "base/diag.h"
#include "base/doc.h"

#define CONF_YAML_DEPTH   16            /* lists and maps in each other */
#define CONF_YAML_BYTES   (1024 * 1024) /* of a file */
#define CONF_YAML_ENTRIES 2048          /* of one list or map; bounds the search for duplicates */

/*
 * 0 and *ret_doc (the caller's), -EINVAL with the mistakes in diag, or
 * -ENOMEM. Lines count from 1 and end at \n; columns count bytes from 1.
 */
int conf_yaml_parse(
	const char *text, size_t n, struct base_doc **ret_doc, struct base_diag *diag) must_check;

struct conf_yaml_limits {
	size_t bytes;
	size_t entries; /* of one map or list */
};

/*
 * The same for a text of several documents (between lines of ---), under
 * limits of its own: *ret_docs is a list of them, without empty ones.
 */
int conf_yaml_documents(const char *text, size_t n, const struct conf_yaml_limits *limits,
	struct base_doc **ret_docs, struct base_diag *diag) must_check;

#endif
