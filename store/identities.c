#include "store/store.h"

#include "store/sql.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The contract of these calls knows one errno for whatever the database says. */
static int broken(struct store *store, int rc, const char *what, char why[STORE_WHY])
{
	(void)!store_sql_fail(store->db, rc, what, why);
	return -EIO;
}

/* A transaction of its own for one call, unless the caller has one open for many. */
static int begin(struct store *store)
{
	return store->batch ? SQLITE_OK : store_sql_run(store, STORE_SQL_BEGIN);
}

static int commit(struct store *store)
{
	return store->batch ? SQLITE_OK : store_sql_run(store, STORE_SQL_COMMIT);
}

int store_begin(struct store *store, char why[STORE_WHY])
{
	int rc = store_sql_run(store, STORE_SQL_BEGIN);

	if (rc != SQLITE_OK)
		return broken(store, rc, "the identities cannot be changed", why);
	store->batch = true;
	return 0;
}

int store_end(struct store *store, bool keep, char why[STORE_WHY])
{
	cleanup(store_rollback) sqlite3 *open = store->db;
	int rc = SQLITE_OK;

	store->batch = false;
	if (keep)
		rc = store_sql_run(store, STORE_SQL_COMMIT);
	/* What is undone is free again. */
	if (!keep || rc != SQLITE_OK)
		store->scan_lo = store->scan_next = 0;
	return rc == SQLITE_OK ? 0 : broken(store, rc, "the identities cannot be stored", why);
}

struct row {
	uint32_t id;
	bool fixed;
	bool lent; /* roles made it with a caller */
	bool released;
};

/* SQLITE_ROW and the set's row, SQLITE_DONE when it has none, or a result code. */
static int find(struct store *store, const char *labels, struct row *ret_row)
{
	cleanup(store_reset) sqlite3_stmt *q = store_sql_get(store, STORE_SQL_ID_OF);
	int rc = sqlite3_bind_text(q, 1, labels, -1, SQLITE_STATIC);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc != SQLITE_ROW)
		return rc;
	*ret_row = (struct row){
		.id = (uint32_t)sqlite3_column_int64(q, 0),
		.fixed = sqlite3_column_int(q, 1),
		.lent = sqlite3_column_bytes(q, 2) > 0,
		.released = sqlite3_column_int64(q, 3) > 0,
	};
	return rc;
}

/* The first column of a query with one number: SQLITE_ROW, SQLITE_DONE or a result code. */
static int ask(struct store *store, enum store_sql which, uint32_t argument, int64_t *ret_answer)
{
	cleanup(store_reset) sqlite3_stmt *q = store_sql_get(store, which);
	int rc = sqlite3_bind_int64(q, 1, argument);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		*ret_answer = sqlite3_column_int64(q, 0);
	return rc;
}

/* The lowest number from lo on that nobody has; it may lie above the range. */
static int lowest_free(struct store *store, uint32_t lo, int64_t *ret_id)
{
	uint32_t from = store->scan_lo == lo && store->scan_next > lo ? store->scan_next : lo;
	int64_t is_free;
	int rc = ask(store, STORE_SQL_IS_FREE, from, &is_free);

	if (rc != SQLITE_ROW)
		return rc;
	if (is_free) {
		*ret_id = from;
		return rc;
	}
	return ask(store, STORE_SQL_NEXT_FREE, from, ret_id);
}

/* What a new row says besides its number. */
struct fresh {
	const char *labels, *roles;
	int fixed;
	int64_t used;
};

static int insert(struct store *store, const struct fresh *fresh, uint32_t id)
{
	cleanup(store_reset) sqlite3_stmt *q = store_sql_get(store, STORE_SQL_INSERT);
	int rc = sqlite3_bind_int64(q, 1, id);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(q, 2, fresh->labels, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int(q, 3, fresh->fixed);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(q, 4, fresh->roles, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(q, 5, fresh->used);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Runs a change of one row: its number, then up to three more values. */
static int change(struct store *store, enum store_sql which, uint32_t id, const char *text,
	int64_t a, int64_t b, bool *ret_done)
{
	cleanup(store_reset) sqlite3_stmt *q = store_sql_get(store, which);
	int n = sqlite3_bind_parameter_count(q);
	int rc = sqlite3_bind_int64(q, 1, id);

	if (rc == SQLITE_OK && n > 1)
		rc = sqlite3_bind_text(q, 2, text, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK && n > 2)
		rc = sqlite3_bind_int64(q, 3, a);
	if (rc == SQLITE_OK && n > 3)
		rc = sqlite3_bind_int64(q, 4, b);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_DONE)
		*ret_done = sqlite3_changes(store->db) > 0;
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* A row that is there already is in use again; a role's own labels stay the role's. */
static int revive(struct store *store, const struct row *row, const struct fresh *fresh)
{
	bool done;

	if (*fresh->roles)
		return change(store, STORE_SQL_LEND, row->id, fresh->roles, fresh->used, 0, &done);
	return row->lent || row->released
		       ? change(store, STORE_SQL_KEEP, row->id, NULL, 0, 0, &done)
		       : SQLITE_OK;
}

/* Numbers that were purged may lie before those that were looked at. */
static int find_number(struct store *store, uint32_t lo, uint32_t hi, int64_t *ret_id)
{
	int rc = lowest_free(store, lo, ret_id);

	if (rc != SQLITE_ROW || *ret_id <= hi)
		return rc;
	store->scan_lo = store->scan_next = 0;
	return lowest_free(store, lo, ret_id);
}

/* Inside the transaction: the set's number, or a new one. */
static int take_number(struct store *store, const struct fresh *fresh, uint32_t lo, uint32_t hi,
	uint32_t *ret_id, char why[STORE_WHY])
{
	struct row row;
	int64_t id;
	int rc = find(store, fresh->labels, &row);

	if (rc == SQLITE_ROW) {
		rc = revive(store, &row, fresh);
		*ret_id = row.id;
		return rc == SQLITE_OK ? 0 : broken(store, rc, "an identity cannot be stored", why);
	}
	if (rc == SQLITE_DONE)
		rc = find_number(store, lo, hi, &id);
	if (rc != SQLITE_ROW)
		return broken(store, rc, "no identity can be allocated", why);
	if (id > hi) {
		snprintf(why, STORE_WHY, "the identity numbers %u to %u are used up", lo, hi);
		return -ENOSPC;
	}
	rc = insert(store, fresh, (uint32_t)id);
	if (rc != SQLITE_OK)
		return broken(store, rc, "a new identity cannot be stored", why);
	store->scan_lo = lo;
	store->scan_next = (uint32_t)id + 1;
	*ret_id = (uint32_t)id;
	return 0;
}

static int allocate(struct store *store, const struct fresh *fresh, uint32_t lo, uint32_t hi,
	uint32_t *ret_id, char why[STORE_WHY])
{
	cleanup(store_rollback) sqlite3 *open = store->batch ? NULL : store->db;
	uint32_t id;
	int rc = begin(store);
	int r;

	if (rc != SQLITE_OK)
		return broken(store, rc, "no identity can be allocated", why);
	r = take_number(store, fresh, lo, hi, &id, why);
	if (r)
		return r;
	rc = commit(store);
	if (rc != SQLITE_OK) {
		store->scan_lo = store->scan_next = 0; /* what is undone is free again */
		return broken(store, rc, "a new identity cannot be stored", why);
	}
	*ret_id = id;
	return 0;
}

int store_identity(struct store *store, const char *labels, uint32_t lo, uint32_t hi,
	uint32_t *ret_id, char why[STORE_WHY])
{
	const struct fresh fresh = {.labels = labels, .roles = ""};
	struct row row;
	int rc;

	assert(lo > 0 && lo <= hi);
	rc = find(store, labels, &row);
	if (rc == SQLITE_DONE || (rc == SQLITE_ROW && (row.lent || row.released)))
		return allocate(store, &fresh, lo, hi, ret_id, why);
	if (rc != SQLITE_ROW)
		return broken(store, rc, "an identity cannot be read", why);
	*ret_id = row.id;
	return 0;
}

int store_identity_lend(struct store *store, const struct store_loan *loan, uint32_t lo,
	uint32_t hi, uint32_t *ret_id, char why[STORE_WHY])
{
	const struct fresh fresh = {
		.labels = loan->labels, .roles = loan->roles, .used = loan->now_s};

	assert(lo > 0 && lo <= hi && *loan->roles);
	return allocate(store, &fresh, lo, hi, ret_id, why);
}

int store_identity_touch(struct store *store, const char *labels, uint32_t id, int64_t used_s,
	bool *ret_there, char why[STORE_WHY])
{
	int rc = change(store, STORE_SQL_TOUCH, id, labels, used_s, 0, ret_there);

	return rc == SQLITE_OK ? 0 : broken(store, rc, "an identity cannot be stored", why);
}

int store_identity_release(struct store *store, const char *labels, uint32_t id,
	int64_t used_before_s, int64_t now_s, bool *ret_released, char why[STORE_WHY])
{
	int rc = change(store, STORE_SQL_RELEASE, id, labels, used_before_s, now_s, ret_released);

	return rc == SQLITE_OK ? 0 : broken(store, rc, "an identity cannot be released", why);
}

int store_identity_purge(struct store *store, const char *labels, uint32_t id,
	int64_t released_before_s, bool *ret_gone, char why[STORE_WHY])
{
	int rc = change(store, STORE_SQL_PURGE, id, labels, released_before_s, 0, ret_gone);

	return rc == SQLITE_OK ? 0 : broken(store, rc, "an identity cannot be forgotten", why);
}

/* Nobody but this label set may have the number. */
static int owner_check(struct store *store, uint32_t id, char why[STORE_WHY])
{
	cleanup(store_reset) sqlite3_stmt *q = store_sql_get(store, STORE_SQL_OWNER_OF);
	int rc = sqlite3_bind_int64(q, 1, id);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_DONE)
		return 0;
	if (rc != SQLITE_ROW)
		return broken(store, rc, "an identity cannot be read", why);
	snprintf(why, STORE_WHY, "the number %u belongs to the labels %s", id,
		(const char *)sqlite3_column_text(q, 0));
	return -EEXIST;
}

/* A pair that was allocated, and that the operator now fixes, only changes its flags. */
static int mark_fixed(struct store *store, uint32_t id)
{
	bool done;
	int rc = change(store, STORE_SQL_FIX, id, NULL, 0, 0, &done);

	return rc == SQLITE_OK ? change(store, STORE_SQL_KEEP, id, NULL, 0, 0, &done) : rc;
}

/* Inside the transaction: writes the pair, or says who is in the way. */
static int fix(struct store *store, const char *labels, uint32_t id, char why[STORE_WHY])
{
	const struct fresh fresh = {.labels = labels, .roles = "", .fixed = 1};
	struct row row;
	int r;
	int rc = find(store, labels, &row);

	if (rc == SQLITE_ROW && row.id != id) {
		snprintf(why, STORE_WHY,
			"these labels have the number %u already and cannot become %u: "
			"write that number, or none",
			row.id, id);
		return -EEXIST;
	}
	if (rc == SQLITE_ROW) {
		rc = row.fixed ? SQLITE_OK : mark_fixed(store, id);
	} else if (rc == SQLITE_DONE) {
		r = owner_check(store, id, why);
		if (r)
			return r;
		rc = insert(store, &fresh, id);
	}
	return rc == SQLITE_OK ? 0 : broken(store, rc, "a fixed identity cannot be stored", why);
}

int store_identity_fix(struct store *store, const char *labels, uint32_t id, char why[STORE_WHY])
{
	cleanup(store_rollback) sqlite3 *open = store->batch ? NULL : store->db;
	int rc = begin(store);
	int r;

	if (rc != SQLITE_OK)
		return broken(store, rc, "a fixed identity cannot be stored", why);
	r = fix(store, labels, id, why);
	if (r)
		return r;
	rc = commit(store);
	return rc == SQLITE_OK ? 0 : broken(store, rc, "a fixed identity cannot be stored", why);
}
