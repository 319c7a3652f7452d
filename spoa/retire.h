/*
 * What becomes of identities that came up with callers when nobody is them any
 * more: out of the table, out of the kernel, then their number is released and
 * stays in quarantine; after that it may mean something else. Main thread.
 */
#ifndef SPOA_RETIRE_H
#define SPOA_RETIRE_H

#include "spoa/numbers.h"
#include "store/store.h"

/* Numbers that open connections carry, in order. */
struct spoa_carried {
	uint32_t *ids;
	size_t n, room;
};

/* Adds one. 0 or -ENOMEM. */
int spoa_carried_add(struct spoa_carried *to, uint32_t id) must_check;

struct spoa_retire {
	struct store *store;
	struct spoa_numbers *numbers;
	/* Gathers them; -errno: they are not known now, and nothing is given up. */
	int (*carried)(void *arg, struct spoa_carried *to);
	void *arg;
	int64_t next_s;
	bool failed; /* said in the log */
};

/*
 * To be called each second: does its work every minute, or sooner where
 * identity.unused or identity.quarantine are short. Writes down when
 * identities were used, gives up those that were not for identity.unused and
 * that no connection carries, and ends quarantines.
 */
void spoa_retire_tick(struct spoa_retire *retire, int64_t now_s);

#endif
