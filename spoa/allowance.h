/*
 * How often tokens whose keys may be new may cause a fetch, for each provider:
 * so many at once, then one for each interval. A stranger can make up key ids
 * as fast as he likes; the provider is not to feel it.
 */
#ifndef SPOA_ALLOWANCE_H
#define SPOA_ALLOWANCE_H

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

#define SPOA_ALLOWANCE_BURST       3
#define SPOA_ALLOWANCE_INTERVAL_NS (10 * (uint64_t)NS_PER_S)

struct spoa_allowance {
	double left; /* fetches that may still be caused */
	uint64_t at; /* when left was last brought up to date */
};

/* Full. Times are CLOCK_MONOTONIC, ns. */
struct spoa_allowance spoa_allowance_full(uint64_t now);

/*
 * One fetch, if it is allowed. doubted: the key id is known and its key did
 * not make the signature. Providers that rotate under one key id look like
 * that, and so do forgers: it takes a full allowance and leaves the rest to
 * unknown key ids.
 */
bool spoa_allowance_take(struct spoa_allowance *allowance, bool doubted, uint64_t now);

/* From when on it would be allowed; 0: now. */
uint64_t spoa_allowance_from(struct spoa_allowance *allowance, bool doubted, uint64_t now);

#endif
