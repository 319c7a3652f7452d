/*
 * SipHash-2-4 (Aumasson, Bernstein 2012): a hash of a stranger's text for
 * tables in memory, under a key that he does not know. Not for what is stored
 * or compared instead of the text.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include "base/span.h"

#include <stdint.h>

struct base_siphash_key {
	uint64_t k0, k1;
};

uint64_t base_siphash(const struct base_siphash_key *key, struct span text);

#endif
