/*
 * What a compiled template is made of: template.c makes it of labels as they
 * are written, template_render.c makes labels of it.
 */
#ifndef IDENT_TEMPLATE_PART_H
#define IDENT_TEMPLATE_PART_H

#include "base/span.h"
#include "ident/labels.h"

#include <stddef.h>

#define IDENT_TEMPLATE_TEXT_MAX 512 /* of one label as it is written */
#define IDENT_TEMPLATE_PATH_MAX 8

enum ident_template_root {
	IDENT_ROOT_NONE, /* no place: the value is before */
	IDENT_ROOT_CLAIMS,
	IDENT_ROOT_ACTOR,
	IDENT_ROOT_PROVIDER,
};

#define IDENT_FILTER_LOWER 1u
#define IDENT_FILTER_SLUG  2u

struct ident_template_part {
	char text[IDENT_TEMPLATE_TEXT_MAX]; /* as it was written */
	char parts[IDENT_TEMPLATE_TEXT_MAX];
	char names[IDENT_TEMPLATE_TEXT_MAX];
	struct ident_label label; /* borrows from parts; the value is a sample */
	struct span before, after;
	enum ident_template_root root;
	const char *path[IDENT_TEMPLATE_PATH_MAX]; /* in names */
	size_t n_path;
	unsigned filters; /* IDENT_FILTER_* */
};

struct ident_template {
	size_t n;
	struct ident_template_part *sorted[IDENT_LABELS_MAX];
	struct ident_template_part parts[];
};

#endif
