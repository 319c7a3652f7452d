/*
 * YAML (libyaml's event parser) to a positioned tree, without the parts that
 * surprise: anchors, aliases, tags, merge keys, several documents, duplicate
 * keys, keys that are not plain text, NUL bytes and nesting deeper than
 * CONF_YAML_DEPTH are refused, each with its position.
 */
#ifndef CONF_YAML_H
#define CONF_YAML_H

#include "base/diag.h"
#include "base/doc.h"

#define CONF_YAML_DEPTH 16
#define CONF_YAML_BYTES (1024 * 1024)

/* 0 and *ret_doc (the caller's), -EINVAL with the mistakes in diag, or -ENOMEM. */
int conf_yaml_parse(
	const char *text, size_t n, struct base_doc **ret_doc, struct base_diag *diag) must_check;

#endif
