#include "store/shared.h"

#include "store/sql.h"

#include <errno.h>

int store_shared_put(struct store *store, const struct store_shared *shared, char why[STORE_WHY])
{
	cleanup(store_reset) sqlite3_stmt *q = store_sql_get(store, STORE_SQL_SHARED_PUT);
	int rc = sqlite3_bind_text(q, 1, shared->labels, -1, SQLITE_STATIC);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(q, 2, shared->roles, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(q, 3, shared->id);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_DONE)
		return 0;
	(void)!store_sql_fail(store->db, rc, "a shared number cannot be stored", why);
	return -EIO;
}

int store_shared_get(struct store *store, const char *labels, uint32_t *ret_id)
{
	cleanup(store_reset) sqlite3_stmt *q = store_sql_get(store, STORE_SQL_SHARED_GET);
	int rc = sqlite3_bind_text(q, 1, labels, -1, SQLITE_STATIC);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_DONE)
		return -ENOENT;
	if (rc != SQLITE_ROW)
		return -EIO;
	*ret_id = (uint32_t)sqlite3_column_int64(q, 0);
	return 0;
}

int store_shared_each(struct store *store, store_shared_visit *visit, void *arg)
{
	cleanup(store_reset) sqlite3_stmt *q = store_sql_get(store, STORE_SQL_SHARED_LIST);
	int rc;

	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		int r = visit(arg, &(const struct store_shared){
					   .labels = (const char *)sqlite3_column_text(q, 0),
					   .roles = (const char *)sqlite3_column_text(q, 1),
					   .id = (uint32_t)sqlite3_column_int64(q, 2),
				   });

		if (r)
			return r;
	}
	return rc == SQLITE_DONE ? 0 : -EIO;
}
