/*
 * Everything a decision looks at, at one moment: configuration, keys, the
 * state of the kernel's maps. Immutable, reference counted, swapped whole.
 * The main thread makes them; each worker holds the one it decides with.
 */
#ifndef SPOA_SNAPSHOT_H
#define SPOA_SNAPSHOT_H

#include "bpfmap/bpfmap.h"
#include "spoa/config.h"
#include "spoa/guard.h"
#include "spoa/identities.h"
#include "spoa/keyring.h"
#include "spoa/policies.h"
#include "spoa/workloads.h"
#include "token/revocation.h"
#include "token/verify.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A key id that a provider who is asked for each by itself does not have. */
struct spoa_absent {
	char kid[40];
	uint64_t asked_at; /* CLOCK_MONOTONIC, ns; 0: an empty place */
};
#define SPOA_ABSENT 16

/* What the keys of one provider are worth. Times are CLOCK_MONOTONIC, ns. */
struct spoa_keys_age {
	uint64_t fetched_at; /* when the request for the present set was sent; 0: never;
				  UINT64_MAX: a local file, always current */
	uint64_t
		refresh_from; /* an unknown key id may cause a refresh from then on; UINT64_MAX: never */
	uint64_t recheck_from; /* the same for a signature that no key made */
	/*
	 * SPOA_ABSENT of them, the snapshot's own, where each key is asked for by
	 * itself; then fetched_at says nothing. NULL: the keys are one set.
	 */
	struct spoa_absent *absent;
};

enum spoa_enforcement {
	SPOA_ENFORCEMENT_OFF,  /* bpf.mode is off */
	SPOA_ENFORCEMENT_NONE, /* auto, and nothing was ever there to write to */
	SPOA_ENFORCEMENT_ON,
	SPOA_ENFORCEMENT_LOST, /* the pins were there and are gone: no ALLOW until they are back */
};
#define SPOA_ENFORCEMENTS (SPOA_ENFORCEMENT_LOST + 1)

/* The words of status and log: off, not_enforced, enforced, lost. */
const char *spoa_enforcement_name(enum spoa_enforcement enforcement);

/* The open maps, shared by all snapshots that were made while they were good. */
struct spoa_maps {
	atomic_uint refs;
	struct bpfmap *map;
};

struct spoa_snapshot {
	atomic_uint refs;
	uint64_t number; /* of those that were handed out, from 1; 0: none of them */
	struct spoa_config *config;
	bool observe; /* every request is allowed, whatever the verdict */
	size_t n_issuers;
	struct token_issuer *issuers; /* one reference to each key set */
	struct spoa_keys_age *ages;
	enum spoa_enforcement enforcement;
	struct spoa_maps *maps;             /* only while ON */
	struct spoa_identities *identities; /* one reference; at first those of the roles */
	struct spoa_workloads
		*workloads;             /* one reference; NULL: nothing besides the configuration */
	struct spoa_policies *policies; /* NULL: none; the caller's to set before anybody sees it */
	struct spoa_guard *guard; /* the daemon's; NULL in some tests: no proof is accepted then */
	struct spoa_signers *signers; /* one reference; NULL: no assertion of ours can be made */
	struct token_revocations *revocations; /* one reference; NULL: nothing is revoked */
};

/* Takes over map. NULL without memory; map is closed then. */
struct spoa_maps *spoa_maps_new(struct bpfmap *map) must_check;
struct spoa_maps *spoa_maps_ref(struct spoa_maps *maps);
void spoa_maps_unref(struct spoa_maps *maps);

/*
 * A snapshot with its own references to config and maps (which may be NULL)
 * and, for each provider, no keys and the age {0, 0}: the caller fills
 * issuers[i].keys (passing a reference) and ages before anybody else sees it.
 * NULL without memory.
 */
struct spoa_snapshot *spoa_snapshot_new(struct spoa_config *config,
	enum spoa_enforcement enforcement, struct spoa_maps *maps) must_check;
struct spoa_snapshot *spoa_snapshot_ref(struct spoa_snapshot *snapshot);
void spoa_snapshot_unref(struct spoa_snapshot *snapshot);

/* Is a key with this print (token/pkey.h) among the provider's? */
bool spoa_snapshot_has_key(const struct spoa_snapshot *snapshot, size_t provider, uint64_t key);

/* The id of a provider's key that has this print; empty when it is not in the set, or has none. */
struct span spoa_snapshot_kid(const struct spoa_snapshot *snapshot, size_t provider, uint64_t key);

DEFINE_CLEANUP(spoa_snapshot, struct spoa_snapshot *, spoa_snapshot_unref)

#endif
