/*
 * Last good key sets, in the store: what a provider published serves after a
 * restart while the provider cannot be asked.
 */
#ifndef SPOA_RECALL_H
#define SPOA_RECALL_H

#include "base/mem.h"
#include "conf/conf.h"
#include "store/store.h"

/* Remembers what was just fetched; a store that does not take it is logged. */
void spoa_recall_put(struct store *store, const struct conf_provider *provider, struct span json);

/* What is remembered was confirmed just now. */
void spoa_recall_touch(struct store *store, const struct conf_provider *provider);

/*
 * What is remembered of this provider and not older than its hard lifetime.
 * 0 and *ret_json (malloc, the caller's) with its age, or -ENOENT.
 */
int spoa_recall_get(struct store *store, const struct conf_provider *provider, char **ret_json,
	size_t *ret_n, int64_t *ret_age_s) must_check;

#endif
