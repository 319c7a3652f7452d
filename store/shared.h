/*
 * Numbers that others gave out, and that this agent has used: so that it knows
 * them when nobody can be asked. Whose they are is decided elsewhere; here the
 * last word counts.
 */
#ifndef STORE_SHARED_H
#define STORE_SHARED_H

#include "store/store.h"

struct store_shared {
	const char *labels; /* canonical */
	const char *roles;  /* that made them; "": a role's own, or nobody's now */
	uint32_t id;
};

/*
 * These labels have this number now; what had the number before has none, and
 * what the labels had before is forgotten. 0, or -EIO with a sentence in why.
 */
int store_shared_put(
	struct store *store, const struct store_shared *shared, char why[STORE_WHY]) must_check;

/* 0; -ENOENT; -EIO. */
int store_shared_get(struct store *store, const char *labels, uint32_t *ret_id) must_check;

/* Calls visit for each; texts live as long as the call. What visit returns ends it. 0 or -EIO. */
typedef int store_shared_visit(void *arg, const struct store_shared *shared);
int store_shared_each(struct store *store, store_shared_visit *visit, void *arg) must_check;

#endif
