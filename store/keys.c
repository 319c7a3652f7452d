#include "store/store.h"

#include "store/sql.h"

#include <errno.h>
#include <string.h>

int store_keys_put(struct store *store, const char *provider, struct span json, int64_t fetched_at,
	char why[STORE_WHY])
{
	cleanup(store_reset) sqlite3_stmt *q = store_sql_get(store, STORE_SQL_KEYS_PUT);
	int rc = sqlite3_bind_text(q, 1, provider, -1, SQLITE_STATIC);

	/* A NULL pointer would be SQL's NULL, which is not the same as no bytes. */
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_blob64(q, 2, json.p ? json.p : "", json.n, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(q, 3, fetched_at);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_DONE)
		return 0;
	(void)!store_sql_fail(store->db, rc, "a key set cannot be stored", why);
	return -EIO;
}

int store_keys_touch(
	struct store *store, const char *provider, int64_t fetched_at, char why[STORE_WHY])
{
	cleanup(store_reset) sqlite3_stmt *q = store_sql_get(store, STORE_SQL_KEYS_TOUCH);
	int rc = sqlite3_bind_text(q, 1, provider, -1, SQLITE_STATIC);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(q, 2, fetched_at);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_DONE)
		return 0;
	(void)!store_sql_fail(store->db, rc, "a key set cannot be stored", why);
	return -EIO;
}

int store_keys_get(struct store *store, const char *provider, char **ret_json, size_t *ret_n,
	int64_t *ret_fetched_at)
{
	cleanup(store_reset) sqlite3_stmt *q = store_sql_get(store, STORE_SQL_KEYS_GET);
	cleanup(free) char *json = NULL;
	const void *blob;
	size_t n;
	int rc = sqlite3_bind_text(q, 1, provider, -1, SQLITE_STATIC);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_DONE)
		return -ENOENT;
	if (rc != SQLITE_ROW)
		return (rc & 0xff) == SQLITE_NOMEM ? -ENOMEM : -EIO;
	blob = sqlite3_column_blob(q, 0);
	n = (size_t)sqlite3_column_bytes(q, 0);
	json = malloc(n + 1);
	if (!json || (n && !blob))
		return -ENOMEM;
	if (n)
		memcpy(json, blob, n);
	json[n] = '\0';
	*ret_json = TAKE_PTR(json);
	*ret_n = n;
	*ret_fetched_at = sqlite3_column_int64(q, 1);
	return 0;
}
