#include "store/revocations.h"

#include "store/sql.h"

#include <errno.h>
#include <string.h>

static int fail(struct store *store, int rc, const char *what, char why[STORE_WHY])
{
	(void)!store_sql_fail(store->db, rc, what, why);
	return -EIO;
}

/* Stops at the first failure; SQL's NULL is not the same as no bytes. */
static void bind_text(sqlite3_stmt *q, int at, struct span text, int *rc)
{
	if (*rc == SQLITE_OK)
		*rc = sqlite3_bind_text64(
			q, at, text.p ? text.p : "", text.n, SQLITE_STATIC, SQLITE_UTF8);
}

static void bind_blob(sqlite3_stmt *q, int at, struct span bytes, int *rc)
{
	if (*rc == SQLITE_OK)
		*rc = sqlite3_bind_blob64(q, at, bytes.p ? bytes.p : "", bytes.n, SQLITE_STATIC);
}

static void bind_int(sqlite3_stmt *q, int at, int64_t value, int *rc)
{
	if (*rc == SQLITE_OK)
		*rc = sqlite3_bind_int64(q, at, value);
}

/* Lives until the statement moves. */
static struct span column(sqlite3_stmt *q, int at)
{
	const void *p = sqlite3_column_blob(q, at);

	return (struct span){.p = p, .n = (size_t)sqlite3_column_bytes(q, at)};
}

int store_revoke(struct store *store, struct store_revocation *entry, char why[STORE_WHY])
{
	cleanup(store_reset) sqlite3_stmt *q = store_sql_get(store, STORE_SQL_REVOKE);
	struct store_revocation stored = *entry;
	int rc = SQLITE_OK;

	bind_text(q, 1, entry->iss, &rc);
	bind_text(q, 2, entry->sub, &rc);
	bind_text(q, 3, entry->sid, &rc);
	bind_text(q, 4, entry->jti, &rc);
	bind_text(q, 5, entry->client, &rc);
	bind_int(q, 6, entry->issued_before, &rc);
	bind_int(q, 7, entry->expires, &rc);
	bind_int(q, 8, entry->added, &rc);
	bind_text(q, 9, entry->source, &rc);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW) {
		stored.id = sqlite3_column_int64(q, 0);
		stored.issued_before = sqlite3_column_int64(q, 1);
		stored.expires = sqlite3_column_int64(q, 2);
		/* The commit comes with the end of the statement. */
		rc = sqlite3_step(q);
	}
	if (rc != SQLITE_DONE)
		return fail(store, rc, "a revocation cannot be stored", why);
	*entry = stored;
	return 0;
}

int store_unrevoke(struct store *store, int64_t id, char why[STORE_WHY])
{
	cleanup(store_reset) sqlite3_stmt *q = store_sql_get(store, STORE_SQL_UNREVOKE);
	int rc = SQLITE_OK;

	bind_int(q, 1, id, &rc);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc != SQLITE_DONE)
		return fail(store, rc, "a revocation cannot be removed", why);
	return sqlite3_changes(store->db) ? 0 : -ENOENT;
}

int store_revocations(struct store *store, int64_t now_s, store_revocation_visit *visit, void *arg)
{
	cleanup(store_reset) sqlite3_stmt *q = store_sql_get(store, STORE_SQL_REVOCATIONS);
	int rc = SQLITE_OK;

	bind_int(q, 1, now_s, &rc);
	if (rc != SQLITE_OK)
		return -EIO;
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		int r = visit(arg, &(const struct store_revocation){
					   .id = sqlite3_column_int64(q, 0),
					   .iss = column(q, 1),
					   .sub = column(q, 2),
					   .sid = column(q, 3),
					   .jti = column(q, 4),
					   .client = column(q, 5),
					   .issued_before = sqlite3_column_int64(q, 6),
					   .expires = sqlite3_column_int64(q, 7),
					   .added = sqlite3_column_int64(q, 8),
					   .source = column(q, 9),
				   });

		if (r)
			return r;
	}
	return rc == SQLITE_DONE ? 0 : -EIO;
}

static int purge(struct store *store, enum store_sql which, int64_t time_s)
{
	cleanup(store_reset) sqlite3_stmt *q = store_sql_get(store, which);
	int rc = SQLITE_OK;

	bind_int(q, 1, time_s, &rc);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	return rc == SQLITE_DONE ? 0 : -EIO;
}

int store_revocations_purge(struct store *store, int64_t now_s)
{
	return purge(store, STORE_SQL_REVOCATIONS_PURGE, now_s);
}

int store_signing_purge(struct store *store, int64_t stopped_s)
{
	return purge(store, STORE_SQL_SIGNING_PURGE, stopped_s);
}

static int secret_put(struct store *store, const char *name, struct span value)
{
	cleanup(store_reset) sqlite3_stmt *q = store_sql_get(store, STORE_SQL_SECRET_PUT);
	int rc = SQLITE_OK;

	bind_text(q, 1, span_of(name), &rc);
	bind_blob(q, 2, value, &rc);
	return rc == SQLITE_OK ? sqlite3_step(q) : rc;
}

int store_secret(struct store *store, const char *name, void *bytes, size_t n, char why[STORE_WHY])
{
	cleanup(store_reset) sqlite3_stmt *q = store_sql_get(store, STORE_SQL_SECRET_GET);
	int rc = secret_put(store, name, (struct span){.p = bytes, .n = n});
	struct span value;

	if (rc == SQLITE_DONE) {
		rc = SQLITE_OK;
		bind_text(q, 1, span_of(name), &rc);
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc != SQLITE_ROW)
		return fail(store, rc, "a secret cannot be kept", why);
	value = column(q, 0);
	if (value.n != n) {
		(void)!store_sql_fail(store->db, SQLITE_CORRUPT, "a secret is damaged", why);
		return -EBADMSG;
	}
	memcpy(bytes, value.p, n);
	return 0;
}

int store_signing_put(struct store *store, const struct store_signing_key *key, char why[STORE_WHY])
{
	cleanup(store_reset) sqlite3_stmt *q = store_sql_get(store, STORE_SQL_SIGNING_PUT);
	int rc = SQLITE_OK;

	bind_text(q, 1, key->kid, &rc);
	bind_text(q, 2, key->alg, &rc);
	bind_blob(q, 3, key->der, &rc);
	bind_int(q, 4, key->sign_from, &rc);
	bind_int(q, 5, key->sign_until, &rc);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	return rc == SQLITE_DONE ? 0 : fail(store, rc, "a signing key cannot be stored", why);
}

int store_signing_keys(struct store *store, store_signing_visit *visit, void *arg)
{
	cleanup(store_reset) sqlite3_stmt *q = store_sql_get(store, STORE_SQL_SIGNING_LIST);
	int rc;

	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		int r = visit(arg, &(const struct store_signing_key){
					   .kid = column(q, 0),
					   .alg = column(q, 1),
					   .der = column(q, 2),
					   .sign_from = sqlite3_column_int64(q, 3),
					   .sign_until = sqlite3_column_int64(q, 4),
				   });

		if (r)
			return r;
	}
	return rc == SQLITE_DONE ? 0 : -EIO;
}
