#include "store/sql.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

static const char *const SQL[] = {
	[STORE_SQL_BEGIN] = "BEGIN IMMEDIATE",
	[STORE_SQL_COMMIT] = "COMMIT",
	[STORE_SQL_ID_OF] = "SELECT id, fixed, roles, released FROM identities"
			    " WHERE labels = ?1",
	[STORE_SQL_OWNER_OF] = "SELECT labels FROM identities WHERE id = ?1",
	[STORE_SQL_IS_FREE] = "SELECT NOT EXISTS (SELECT 1 FROM identities WHERE id = ?1)",
	/* The first number above ?1 that follows a taken one, and is free itself. */
	[STORE_SQL_NEXT_FREE] = "SELECT a.id + 1 FROM identities a"
				" LEFT JOIN identities b ON b.id = a.id + 1"
				" WHERE a.id >= ?1 AND b.id IS NULL"
				" ORDER BY a.id LIMIT 1",
	[STORE_SQL_INSERT] = "INSERT INTO identities (id, labels, fixed, roles, used)"
			     " VALUES (?1, ?2, ?3, ?4, ?5)",
	[STORE_SQL_FIX] = "UPDATE identities SET fixed = 1 WHERE id = ?1",
	[STORE_SQL_KEEP] = "UPDATE identities SET roles = '', released = 0 WHERE id = ?1",
	[STORE_SQL_LEND] = "UPDATE identities SET used = max(used, ?3), released = 0,"
			   " roles = CASE roles WHEN '' THEN '' ELSE ?2 END WHERE id = ?1",
	[STORE_SQL_TOUCH] = "UPDATE identities SET used = max(used, ?3)"
			    " WHERE id = ?1 AND labels = ?2 AND released = 0",
	[STORE_SQL_RELEASE] = "UPDATE identities SET released = ?4 WHERE id = ?1 AND labels = ?2"
			      " AND fixed = 0 AND roles <> '' AND released = 0 AND used <= ?3",
	[STORE_SQL_PURGE] = "DELETE FROM identities WHERE id = ?1 AND labels = ?2"
			    " AND released > 0 AND released <= ?3",
	[STORE_SQL_LIST] = "SELECT id, fixed, labels, roles, used, released FROM identities"
			   " ORDER BY id",
	[STORE_SQL_KEYS_PUT] = "INSERT INTO keys (provider, json, fetched_at) VALUES (?1, ?2, ?3)"
			       " ON CONFLICT (provider) DO UPDATE SET json = excluded.json,"
			       " fetched_at = excluded.fetched_at",
	[STORE_SQL_KEYS_TOUCH] = "UPDATE keys SET fetched_at = ?2 WHERE provider = ?1",
	[STORE_SQL_KEYS_GET] = "SELECT json, fetched_at FROM keys WHERE provider = ?1",
	/* What is there already only grows: it never ends earlier or means fewer tokens. */
	[STORE_SQL_REVOKE] = "INSERT INTO revocations"
			     " (iss, sub, sid, jti, client, issued_before, expires, added, source)"
			     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
			     " ON CONFLICT (iss, sub, sid, jti, client, dated) DO UPDATE SET"
			     " issued_before = max(issued_before, excluded.issued_before),"
			     " expires = max(expires, excluded.expires)"
			     " RETURNING id, issued_before, expires",
	[STORE_SQL_UNREVOKE] = "DELETE FROM revocations WHERE id = ?1",
	[STORE_SQL_REVOCATIONS] =
		"SELECT id, iss, sub, sid, jti, client, issued_before, expires, added, source"
		" FROM revocations WHERE expires > ?1 ORDER BY id",
	[STORE_SQL_REVOCATIONS_PURGE] = "DELETE FROM revocations WHERE expires <= ?1",
	[STORE_SQL_SECRET_PUT] = "INSERT INTO secrets (name, value) VALUES (?1, ?2)"
				 " ON CONFLICT (name) DO NOTHING",
	[STORE_SQL_SECRET_GET] = "SELECT value FROM secrets WHERE name = ?1",
	[STORE_SQL_SIGNING_PUT] = "INSERT INTO signing_keys (kid, alg, key, sign_from, sign_until)"
				  " VALUES (?1, ?2, ?3, ?4, ?5)",
	[STORE_SQL_SIGNING_LIST] = "SELECT kid, alg, key, sign_from, sign_until FROM signing_keys"
				   " ORDER BY sign_from, kid",
	[STORE_SQL_SIGNING_PURGE] = "DELETE FROM signing_keys WHERE sign_until <= ?1",
	[STORE_SQL_SHARED_PUT] =
		"INSERT OR REPLACE INTO shared (labels, roles, id) VALUES (?1, ?2, ?3)",
	[STORE_SQL_SHARED_GET] = "SELECT id FROM shared WHERE labels = ?1",
	[STORE_SQL_SHARED_LIST] = "SELECT labels, roles, id FROM shared ORDER BY id",
};
_Static_assert(ARRAY_SIZE(SQL) == STORE_SQL_COUNT, "a text for every statement");

static const struct {
	int rc;
	int error;
	const char *text; /* NULL: SQLite's own */
} CAUSES[] = {
	{SQLITE_NOMEM, -ENOMEM, "out of memory"},
	{SQLITE_FULL, -ENOSPC, "the disk is full"},
	{SQLITE_READONLY, -EROFS, "the file or its folder cannot be written"},
	{SQLITE_CANTOPEN, -EACCES, "the file cannot be opened or its folder cannot be written"},
	{SQLITE_PERM, -EACCES, "access is denied"},
	{SQLITE_AUTH, -EACCES, "access is denied"},
	{SQLITE_NOTADB, -EBADMSG, "the file is not an SQLite database"},
	{SQLITE_CORRUPT, -EBADMSG, "the database is damaged"},
	{SQLITE_BUSY, -EBUSY, "another process keeps the database locked"},
	{SQLITE_PROTOCOL, -EBUSY, "another process keeps the database locked"},
	{SQLITE_IOERR, -EIO, "the disk cannot be read or written"},
};

static atomic_uint_fast64_t n_failures;

uint64_t store_failures(void)
{
	return atomic_load_explicit(&n_failures, memory_order_relaxed);
}

int store_sql_fail(sqlite3 *db, int rc, const char *what, char why[STORE_WHY])
{
	const char *text = NULL;
	int error = -EIO;

	for (size_t i = 0; i < ARRAY_SIZE(CAUSES); i++) {
		/* The low byte is the primary code; the rest is detail. */
		if (CAUSES[i].rc == (rc & 0xff)) {
			text = CAUSES[i].text;
			error = CAUSES[i].error;
		}
	}
	atomic_fetch_add_explicit(&n_failures, 1, memory_order_relaxed);
	if (why)
		snprintf(why, STORE_WHY, "%s: %s (SQLite %d)", what,
			text ? text : sqlite3_errmsg(db), rc);
	return error;
}

int store_sql_prepare(struct store *store)
{
	for (size_t i = 0; i < STORE_SQL_COUNT; i++) {
		int rc = sqlite3_prepare_v3(store->db, SQL[i], -1, SQLITE_PREPARE_PERSISTENT,
			&store->statements[i], NULL);

		if (rc != SQLITE_OK)
			return rc;
	}
	return SQLITE_OK;
}

void store_sql_done(struct store *store)
{
	for (size_t i = 0; i < STORE_SQL_COUNT; i++) {
		sqlite3_finalize(store->statements[i]);
		store->statements[i] = NULL;
	}
}

sqlite3_stmt *store_sql_get(struct store *store, enum store_sql which)
{
	return store->statements[which];
}

int store_sql_run(struct store *store, enum store_sql which)
{
	cleanup(store_reset) sqlite3_stmt *statement = store_sql_get(store, which);
	int rc = sqlite3_step(statement);

	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int store_sql_number(sqlite3 *db, const char *query, int64_t *ret_number)
{
	cleanup(store_finalize) sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(db, query, -1, &statement, NULL);

	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(statement);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
	*ret_number = sqlite3_column_int64(statement, 0);
	return SQLITE_OK;
}
