/*
 * Verified tokens of one worker: from SHA-256 over the token's bytes to its
 * caller. Two pieces of memory of a fixed size, a ring of entries and an index
 * into it: the oldest entry goes when the newest needs its room. Neither
 * grows, and pages that were never needed cost nothing. Not shared between
 * threads.
 *
 * It remembers and forgets; whether what it remembers still holds is for the
 * stages to judge, each time (spoa/authenticate.c).
 */
#ifndef SPOA_CACHE_H
#define SPOA_CACHE_H

#include "base/mem.h"
#include "spoa/caller.h"

#include <stddef.h>
#include <stdint.h>

#define SPOA_CACHE_KEY 32

struct spoa_cache;

/*
 * A cache of at most this many bytes in all. Below SPOA_CACHE_MIN it can hold
 * nothing: finds nothing, keeps nothing. NULL without memory.
 */
#define SPOA_CACHE_MIN 4096
struct spoa_cache *spoa_cache_new(size_t bytes) must_check;
void spoa_cache_free(struct spoa_cache *cache);

/* NULL when it is not there. It lives until the next spoa_cache_put. */
const struct spoa_caller *spoa_cache_find(
	const struct spoa_cache *cache, const uint8_t key[SPOA_CACHE_KEY]);

/* Remembers a copy, in place of an older one of the same key. One that is too large is left out. */
void spoa_cache_put(struct spoa_cache *cache, const uint8_t key[SPOA_CACHE_KEY],
	const struct spoa_caller *caller);

/* How many are remembered, and how many bytes they take. May be asked from another thread. */
struct spoa_cache_use {
	size_t entries;
	size_t bytes;
};
struct spoa_cache_use spoa_cache_use(const struct spoa_cache *cache);

DEFINE_CLEANUP(spoa_cache, struct spoa_cache *, spoa_cache_free)

#endif
