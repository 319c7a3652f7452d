/*
 * Texts as numbers: every source, key, value and port name that a policy set
 * mentions has one, so that matching labels compares integers.
 */
#ifndef POLICY_NAMES_H
#define POLICY_NAMES_H

#include "base/span.h"
#include "policy/arena.h"

#include <stdint.h>

#define POLICY_NAME_NONE  0          /* no text at all */
#define POLICY_NAME_OTHER UINT32_MAX /* a text that the set never mentions */

/* All zero is empty. */
struct policy_names {
	const char **texts; /* by number; 0 is unused */
	uint32_t n, room;
	uint32_t *slots; /* open addressing; 0: free */
	uint32_t n_slots;
};

/* The number of a text, a new one if need be. 0 and *ret_name, or -ENOMEM. */
int policy_names_add(struct policy_names *names, struct policy_arena *arena, struct span text,
	uint32_t *ret_name) must_check;

/* The number of a text, or POLICY_NAME_OTHER. */
uint32_t policy_names_find(const struct policy_names *names, struct span text);

/* The text of a number from policy_names_add; lives as long as the arena. */
const char *policy_names_text(const struct policy_names *names, uint32_t name);

void policy_names_done(struct policy_names *names);

#endif
