/*
 * Security labels in Cilium's form (cilium: pkg/labels/labels.go SortedList):
 * "source:key=value;" for each, sorted bytewise by key, the last semicolon
 * kept. One value per key, whatever the source.
 */
#ifndef IDENT_LABELS_H
#define IDENT_LABELS_H

#include "base/mem.h"
#include "base/span.h"
#include "base/wr.h"
#include "ident/label.h"

#include <stddef.h>

#define IDENT_LABELS_MAX      64   /* labels in one set */
#define IDENT_LABELS_TEXT_MAX 4096 /* bytes of the canonical form */

/*
 * The canonical text of a set (malloc, the caller's). Order of the input does
 * not matter; any source is taken. 0; -EEXIST two labels share a key (named in
 * why); -E2BIG a cap; -EINVAL a part breaks the rules, or no labels at all;
 * -ENOMEM.
 */
int ident_labels_canonical(
	const struct ident_label *labels, size_t n, char **ret_text, char why[160]) must_check;

/*
 * The same of texts as ident_label_parse takes them; also what that returns,
 * but for -ENAMETOOLONG, which is -EINVAL here.
 */
int ident_labels_of(const char *const *texts, size_t n, char **ret_text, char why[160]) must_check;

/*
 * The union of two canonical sets as canonical text. Where both have a key,
 * the first one's label stands. 0; -E2BIG a cap, and nothing is written.
 */
int ident_labels_merge(struct span first, struct span second, struct wr *out) must_check;

/*
 * Is this text exactly what ident_labels_canonical would write for its own
 * labels? 0, -EINVAL or -E2BIG.
 */
int ident_labels_check(const char *text) must_check;

#endif
