/* A folder of its own for each test, and what the store's tests share. */
#ifndef TESTS_UNIT_STORE_SCRATCH_H
#define TESTS_UNIT_STORE_SCRATCH_H

#include "store/store.h"

#include <check.h>
#include <stdbool.h>

struct scratch {
	char dir[128];
	char path[160]; /* dir/store.db, not created */
};

void scratch_init(struct scratch *s);
/* Removes the folder and what is in it. */
void scratch_done(struct scratch *s);

/* These end the test when they fail. */
struct store *scratch_open(const struct scratch *s);
uint32_t scratch_identity(struct store *store, const char *labels, uint32_t lo, uint32_t hi);
/* Runs SQL on the file by a connection of its own. */
void scratch_sql(const struct scratch *s, const char *sql);
void scratch_write(const char *path, const void *p, size_t n, unsigned mode);

/*
 * SQLite's memory: the allocation number `at` (from 0) fails, and with `all`
 * every one after it. scratch_fail_end says whether it came to that.
 */
int scratch_fail_install(void); /* before anything uses SQLite; 0 or its result code */
void scratch_fail_begin(long at, bool all);
bool scratch_fail_end(void);

static inline void cleanup_fn_scratch(struct scratch *s)
{
	scratch_done(s);
}

#endif
