/* One security label: how it is written, and the rules for its parts. */
#ifndef IDENT_LABEL_H
#define IDENT_LABEL_H

#include "base/mem.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>

#define IDENT_LABEL_VALUE_MAX 63 /* Kubernetes label value */
#define IDENT_LABEL_SHOWN     48 /* bytes of somebody's text in a sentence */

struct ident_label {
	const char *source; /* [A-Za-z0-9]+, e.g. "k8s" */
	const char *key;    /* Kubernetes label key: optional DNS prefix, slash, name */
	const char *value;  /* Kubernetes label value, may be empty */
};

/*
 * Splits "source:key=value" ("source:key" means an empty value; no source
 * means "k8s") and checks each part against the rules of Kubernetes labels.
 * The parts are written into buf, which must outlive *ret_label.
 * This is the gate for labels that people write: sources that Cilium keeps for
 * itself (reserved, cidr, cidrgroup, fqdn, any, unspec) are refused here.
 * 0, -EINVAL, or -ENAMETOOLONG when buf is too small; a sentence in why.
 */
int ident_label_parse(const char *text, char *buf, size_t buf_size, struct ident_label *ret_label,
	char why[160]) must_check;

/* What keeps this text from being a label's value, or NULL. */
const char *ident_label_value_fault(struct span value);

/* For ident/labels.c: a label's parts in a text that is there already. Borrowed from it. */
struct ident_label_parts {
	struct span source, key, value;
};

/* What breaks the rules of Kubernetes labels, or NULL; any source is taken. */
const char *ident_label_fault(const struct ident_label_parts *parts);

/* The same of a label that was not parsed. 0; -EINVAL with a sentence in why. */
int ident_label_check(const struct ident_label *label, char why[160]) must_check;

/*
 * Cuts s at the first c: what stood before it goes to ret_before, s becomes
 * what follows. Without a c false, and nothing is changed.
 */
bool ident_label_cut(struct span *s, char c, struct span *ret_before);

/* Somebody's text for a sentence: printable, and not the whole of it when it is long. */
struct ident_label_shown {
	char text[IDENT_LABEL_SHOWN + 4];
};

struct ident_label_shown ident_label_show(struct span s);

#endif
