/*
 * The tables and how they came to be. PRAGMA user_version counts the steps
 * that a file has seen; application_id says that the file is ours.
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "base/mem.h"
#include "store/store.h"

#include <sqlite3.h>
#include <stddef.h>

/* "idnt" */
#define STORE_APPLICATION_ID 0x69646e74

/* Never change a step that was released; append one. */
extern const char *const store_schema_steps[];
extern const size_t store_schema_n_steps;

/*
 * May this program use the file? Changes nothing. 0; -EMEDIUMTYPE another
 * program's database; -ENOTSUP a schema newer than n_steps; or the -errno of
 * an SQLite failure. A sentence in why.
 */
int store_schema_check(sqlite3 *db, size_t n_steps, char why[STORE_WHY]) must_check;

/* Applies the steps that the file lacks, each with its new user_version in one transaction. */
int store_schema_bring(
	sqlite3 *db, const char *const *steps, size_t n_steps, char why[STORE_WHY]) must_check;

#endif
