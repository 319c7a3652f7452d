/* The union of label sets, one after the other; the first to have a key keeps it. */
#ifndef SPOA_UNION_H
#define SPOA_UNION_H

#include "base/mem.h"
#include "base/span.h"
#include "ident/labels.h"

struct spoa_union {
	struct span
		labels; /* so far: in one of texts, or borrowed from whoever gave the only one */
	char texts[2][IDENT_LABELS_TEXT_MAX];
	unsigned n;
};

/* Canonical labels, which must live as long as the union. 0; or -E2BIG, and it stays as it was. */
int spoa_union_add(struct spoa_union *to, struct span labels) must_check;

#endif
