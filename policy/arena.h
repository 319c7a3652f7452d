/*
 * Memory that is given back all at once: a policy set is thousands of small
 * pieces that are born while it is read and die together.
 */
#ifndef POLICY_ARENA_H
#define POLICY_ARENA_H

#include "base/mem.h"

#include <stddef.h>

struct policy_block;

/* All zero is an empty arena. */
struct policy_arena {
	struct policy_block *blocks;
};

/* n items of size bytes, zeroed and aligned for anything; n may be 0. NULL without memory. */
void *policy_arena_get(struct policy_arena *arena, size_t n, size_t size) must_check;

/* A copy of n bytes with a NUL behind them. NULL without memory. */
char *policy_arena_text(struct policy_arena *arena, const char *p, size_t n) must_check;

void policy_arena_done(struct policy_arena *arena);

#endif
