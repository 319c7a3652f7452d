/*
 * What numbers mean: number to canonical labels, as Cilium's own tools print
 * it. Immutable and reference counted; any thread may look.
 */
#ifndef IDENT_DIRECTORY_H
#define IDENT_DIRECTORY_H

#include "base/mem.h"
#include "base/span.h"

#include <stddef.h>
#include <stdint.h>

#define IDENT_DIRECTORY_MAX 262144 /* identities */

struct ident_directory;

struct ident_directory_entry {
	uint32_t number;
	const char *labels; /* canonical; borrowed */
};

/* Copies the entries; of two with one number the later counts. 0 or -ENOMEM. */
int ident_directory_new(const struct ident_directory_entry *entries, size_t n,
	struct ident_directory **ret) must_check;

/*
 * Reads JSON of either form:
 *   [{"id": N, "labels": ["source:key=value", ...]}, ...]   cilium identity list -o json
 *   {"items": [{"metadata": {"name": "N"},
 *               "security-labels": {"source:key": "value"}}, ...]}   kubectl get ciliumidentities
 * Numbers that no workload can have (reserved ones, those of local scope) and
 * labels that Cilium could not have written are left out and counted in
 * ret_skipped. 0; -EBADMSG another form, with a sentence in why; -E2BIG;
 * -ENOMEM.
 */
int ident_directory_parse(struct span json, struct ident_directory **ret, size_t *ret_skipped,
	char why[160]) must_check;

struct ident_directory *ident_directory_ref(struct ident_directory *directory);
void ident_directory_unref(struct ident_directory *directory);

/* Canonical labels, borrowed; empty when the number is not known. directory may be NULL. */
struct span ident_directory_find(const struct ident_directory *directory, uint32_t number);

size_t ident_directory_count(const struct ident_directory *directory);

DEFINE_CLEANUP(ident_directory, struct ident_directory *, ident_directory_unref)

#endif
