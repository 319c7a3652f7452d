/*
 * Key ids that nobody had, as one worker remembers them: whoever repeats one
 * is answered from what was asked the first time, and costs the provider no
 * further request. For a while only: the key may appear. Bounded: the oldest
 * makes room.
 */
#ifndef SPOA_UNKNOWN_H
#define SPOA_UNKNOWN_H

#include "base/clock.h"
#include "base/mem.h"
#include "base/span.h"

#include <stdint.h>

/*
 * So long a key id stays unknown without asking again. Not longer than the
 * pace of fetches (spoa/allowance.h): a key that was published meanwhile is
 * found as soon as it would be without this memory.
 */
#define SPOA_UNKNOWN_NS (10 * (uint64_t)NS_PER_S)

struct spoa_unknown;

/* NULL without memory. */
struct spoa_unknown *spoa_unknown_new(void) must_check;
void spoa_unknown_free(struct spoa_unknown *unknown);

/*
 * A token with this key id and algorithm came at received_at (CLOCK_MONOTONIC,
 * ns), and no key fits. Since when keys must have been asked for to call it
 * unknown: since the first of its kind within SPOA_UNKNOWN_NS came, maybe this.
 */
uint64_t spoa_unknown_since(
	struct spoa_unknown *unknown, struct span kid, int alg, uint64_t received_at);

#endif
