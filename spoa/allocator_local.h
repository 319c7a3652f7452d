/*
 * Numbers of this node alone, from its store: an answer at once, on disk
 * before it is given.
 */
#ifndef SPOA_ALLOCATOR_LOCAL_H
#define SPOA_ALLOCATOR_LOCAL_H

#include "spoa/numbers.h"
#include "store/store.h"

struct spoa_allocator_local {
	struct store *store;
};

/* Borrows local. */
struct spoa_allocator spoa_allocator_local(struct spoa_allocator_local *local);

/*
 * Gives numbers the identities that the store has from before; settle them
 * afterwards. 0, -ENOMEM or -EIO.
 */
int spoa_allocator_local_restore(
	struct spoa_allocator_local *local, struct spoa_numbers *numbers) must_check;

#endif
