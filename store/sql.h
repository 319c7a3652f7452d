/*
 * Inside store/: the database handle, its prepared statements, and how an
 * SQLite failure becomes an errno with a sentence.
 */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include "base/mem.h"
#include "store/store.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* How long one process waits for another that writes. */
#define STORE_BUSY_MS 5000

enum store_sql {
	STORE_SQL_BEGIN,
	STORE_SQL_COMMIT,
	STORE_SQL_ID_OF,
	STORE_SQL_OWNER_OF,
	STORE_SQL_IS_FREE,
	STORE_SQL_NEXT_FREE,
	STORE_SQL_INSERT,
	STORE_SQL_FIX,
	STORE_SQL_KEEP,
	STORE_SQL_LEND,
	STORE_SQL_TOUCH,
	STORE_SQL_RELEASE,
	STORE_SQL_PURGE,
	STORE_SQL_LIST,
	STORE_SQL_KEYS_PUT,
	STORE_SQL_KEYS_GET,
	STORE_SQL_KEYS_TOUCH,
	STORE_SQL_REVOKE,
	STORE_SQL_UNREVOKE,
	STORE_SQL_REVOCATIONS,
	STORE_SQL_REVOCATIONS_PURGE,
	STORE_SQL_SECRET_PUT,
	STORE_SQL_SECRET_GET,
	STORE_SQL_SIGNING_PUT,
	STORE_SQL_SIGNING_LIST,
	STORE_SQL_SIGNING_PURGE,
	STORE_SQL_SHARED_PUT,
	STORE_SQL_SHARED_GET,
	STORE_SQL_SHARED_LIST,
	STORE_SQL_COUNT,
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[STORE_SQL_COUNT];
	/*
	 * Every number in scan_lo..scan_next-1 is or was taken. Numbers that are
	 * free again are looked for when there is none behind these.
	 */
	uint32_t scan_lo, scan_next;
	bool batch; /* between store_begin and store_end: one transaction for all calls */
};

/* Prepares every statement; the schema must be there. An SQLite result code. */
int store_sql_prepare(struct store *store) must_check;
void store_sql_done(struct store *store);

/* A statement ready to bind, borrowed: end with cleanup(store_reset). */
sqlite3_stmt *store_sql_get(struct store *store, enum store_sql which);

/* Steps a statement that returns no rows. SQLITE_OK or a result code. */
int store_sql_run(struct store *store, enum store_sql which) must_check;

/* The sentence "WHAT: cause" into why (which may be NULL); returns the -errno of rc. */
int store_sql_fail(sqlite3 *db, int rc, const char *what, char why[STORE_WHY]) must_check;

/* The first column of the first row of a fixed query. An SQLite result code. */
int store_sql_number(sqlite3 *db, const char *query, int64_t *ret_number) must_check;

static inline void store_sql_reset(sqlite3_stmt *statement)
{
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
}

DEFINE_CLEANUP(store_reset, sqlite3_stmt *, store_sql_reset)
DEFINE_CLEANUP(store_finalize, sqlite3_stmt *, sqlite3_finalize)

/* Undoes whatever transaction is still open on db; NULL: nothing to undo. */
static inline void store_sql_rollback(sqlite3 *db)
{
	if (db && !sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

DEFINE_CLEANUP(store_rollback, sqlite3 *, store_sql_rollback)

#endif
