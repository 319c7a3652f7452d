/*
 * The identities that there are: label sets with their numbers. An identity
 * and a table are immutable and reference counted; the main thread makes a
 * new table for each change (spoa/numbers.h), and a snapshot holds one.
 */
#ifndef SPOA_IDENTITIES_H
#define SPOA_IDENTITIES_H

#include "base/mem.h"
#include "base/span.h"
#include "ident/number.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct spoa_config;

struct spoa_identity {
	atomic_uint refs;
	struct ident_number number; /* id never 0 */
	uint64_t hash;              /* of labels: spoa_identity_hash */
	int role;                   /* whose fixed labels these are, in the configuration; -1:
					they came up with a caller */
	uint32_t policy_caller;     /* without a role: in the index of the policies */
	const char *route;          /* without a role: by labels, the configuration's; or NULL */
	atomic_int_least64_t used;  /* without a role: about when, seconds since 1970 */
	size_t n_labels;
	const char *roles; /* without a role: names of those that made it, commas between */
	char labels[];     /* canonical; then roles */
};

static inline struct span spoa_identity_labels(const struct spoa_identity *identity)
{
	return (struct span){identity->labels, identity->n_labels};
}

uint64_t spoa_identity_hash(struct span labels);

/* One reference, or NULL without memory. The rest of it is 0. */
struct spoa_identity *spoa_identity_new(struct span labels, struct span roles) must_check;
struct spoa_identity *spoa_identity_ref(struct spoa_identity *identity);
void spoa_identity_unref(struct spoa_identity *identity);

DEFINE_CLEANUP(spoa_identity, struct spoa_identity *, spoa_identity_unref)

struct spoa_identities {
	atomic_uint refs;
	struct spoa_identity **of_role; /* conf->n_roles; NULL: templated, or no number yet */
	size_t n_roles;
	struct spoa_identity **slots; /* by hash, the next free one on; a power of two */
	size_t n_slots, n;
	size_t n_dynamic;   /* those without a role */
	uint32_t *of_each;  /* conf->n_roles: how many each takes part in */
	uint64_t failed_at; /* when the last number could not be had, CLOCK_MONOTONIC ns */
};

/* Those of the roles that have numbers already. NULL without memory. */
struct spoa_identities *spoa_identities_new(const struct spoa_config *config) must_check;

/*
 * A copy with room for n more, for spoa_identities_put before anybody else
 * sees it. NULL without memory.
 */
struct spoa_identities *spoa_identities_copy(
	const struct spoa_identities *from, size_t n) must_check;

/* Takes a reference. What had the same labels goes; the caller has made room. */
void spoa_identities_put(struct spoa_identities *to, const struct spoa_config *config,
	struct spoa_identity *identity);

/* A copy without those of which gone says so. NULL without memory. */
struct spoa_identities *spoa_identities_without(const struct spoa_identities *from,
	const struct spoa_config *config,
	bool (*gone)(void *arg, const struct spoa_identity *identity), void *arg) must_check;

struct spoa_identities *spoa_identities_ref(struct spoa_identities *identities);
void spoa_identities_unref(struct spoa_identities *identities);

DEFINE_CLEANUP(spoa_identities, struct spoa_identities *, spoa_identities_unref)

/* Borrowed, or NULL. Time does not depend on how many there are. */
struct spoa_identity *spoa_identities_find(
	const struct spoa_identities *identities, uint64_t hash, struct span labels);

#endif
