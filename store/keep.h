/*
 * The file as it was before its schema is changed, so that whoever goes back to
 * the version before has something to go back to (docs/UPGRADE.md).
 */
#ifndef STORE_KEEP_H
#define STORE_KEEP_H

#include "base/mem.h"
#include "store/store.h"

#include <sqlite3.h>
#include <stddef.h>

/*
 * A store of an older schema than n_steps is copied to PATH.schema-VERSION, with
 * mode 0600, whole or not at all; an older copy of that name is replaced.
 * Nothing for a store that is new or up to date. 0, or -errno with a sentence in
 * why: a store that cannot be kept must not be changed either.
 */
int store_keep(sqlite3 *db, const char *path, size_t n_steps, char why[STORE_WHY]) must_check;

#endif
