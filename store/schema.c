#include "store/schema.h"

#include "store/sql.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

/*
 * id: the numeric identity. labels: the canonical text, compared bytewise.
 * fixed: the operator chose the number. A row is deleted only when its
 * quarantine has passed (step 3): before that a number that once meant one
 * label set must not come to mean another.
 */
static const char STEP_1[] =
	"CREATE TABLE identities ("
	"	id INTEGER PRIMARY KEY NOT NULL CHECK (id BETWEEN 1 AND 4294967295),"
	"	labels TEXT NOT NULL UNIQUE CHECK (labels <> ''),"
	"	fixed INTEGER NOT NULL CHECK (fixed IN (0, 1))"
	") STRICT;"
	"CREATE TABLE keys ("
	"	provider TEXT PRIMARY KEY NOT NULL CHECK (provider <> ''),"
	"	json BLOB NOT NULL,"
	"	fetched_at INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;";

/*
 * revocations: "" where a field is not asked for; issued_before 0: all tokens.
 * One row for each combination, dated and undated apart, so that the same
 * logout a thousand times is one row. Ids are never used again.
 * secrets: by name. signing_keys: private keys (PKCS#8, DER) of the assertions.
 */
static const char STEP_2[] =
	"CREATE TABLE revocations ("
	"	id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,"
	"	iss TEXT NOT NULL, sub TEXT NOT NULL, sid TEXT NOT NULL,"
	"	jti TEXT NOT NULL, client TEXT NOT NULL,"
	"	issued_before INTEGER NOT NULL CHECK (issued_before >= 0),"
	"	dated INTEGER NOT NULL GENERATED ALWAYS AS (issued_before > 0) STORED,"
	"	expires INTEGER NOT NULL,"
	"	added INTEGER NOT NULL,"
	"	source TEXT NOT NULL,"
	"	CHECK (iss <> '' OR sub <> '' OR sid <> '' OR jti <> '' OR client <> ''),"
	"	UNIQUE (iss, sub, sid, jti, client, dated)"
	") STRICT;"
	"CREATE TABLE secrets ("
	"	name TEXT PRIMARY KEY NOT NULL CHECK (name <> ''),"
	"	value BLOB NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE signing_keys ("
	"	kid TEXT PRIMARY KEY NOT NULL CHECK (kid <> ''),"
	"	alg TEXT NOT NULL,"
	"	key BLOB NOT NULL,"
	"	sign_from INTEGER NOT NULL,"
	"	sign_until INTEGER NOT NULL CHECK (sign_until > sign_from)"
	") STRICT, WITHOUT ROWID;";

/*
 * roles: names of the roles that made the label set with a caller, '' for the
 * labels of a role itself, which are never released. used: when somebody last
 * was it, about; seconds since 1970. released: when the number was given up,
 * 0 while it is in use.
 */
static const char STEP_3[] = "ALTER TABLE identities ADD COLUMN roles TEXT NOT NULL DEFAULT '';"
			     "ALTER TABLE identities ADD COLUMN used INTEGER NOT NULL DEFAULT 0;"
			     "ALTER TABLE identities ADD COLUMN released INTEGER NOT NULL DEFAULT 0"
			     "	CHECK (released >= 0);";

/* Numbers of others: store/shared.h. roles: as in identities. */
static const char STEP_4[] = "CREATE TABLE shared ("
			     "	labels TEXT PRIMARY KEY NOT NULL CHECK (labels <> ''),"
			     "	roles TEXT NOT NULL,"
			     "	id INTEGER NOT NULL UNIQUE CHECK (id BETWEEN 1 AND 4294967295)"
			     ") STRICT, WITHOUT ROWID;";

const char *const store_schema_steps[] = {STEP_1, STEP_2, STEP_3, STEP_4};
const size_t store_schema_n_steps = ARRAY_SIZE(store_schema_steps);

/* What a file says about itself. */
struct self {
	int64_t application, version, tables;
};

static int read_self(sqlite3 *db, struct self *ret_self)
{
	struct self self;
	int rc = store_sql_number(db, "PRAGMA application_id", &self.application);

	if (rc == SQLITE_OK)
		rc = store_sql_number(db, "PRAGMA user_version", &self.version);
	if (rc == SQLITE_OK)
		rc = store_sql_number(db, "SELECT count(*) FROM sqlite_schema", &self.tables);
	if (rc == SQLITE_OK)
		*ret_self = self;
	return rc;
}

static int self_check(const struct self *self, size_t n_steps, char why[STORE_WHY])
{
	bool empty = !self->application && !self->version && !self->tables;
	bool ours = self->application == STORE_APPLICATION_ID && self->version > 0;

	if (!empty && !ours) {
		snprintf(why, STORE_WHY, "it is a database of another program");
		return -EMEDIUMTYPE;
	}
	if (ours && (uint64_t)self->version > n_steps) {
		snprintf(why, STORE_WHY,
			"its schema is version %lld, from a newer identityd; this one knows %zu. "
			"The way back is in docs/UPGRADE.md",
			(long long)self->version, n_steps);
		return -ENOTSUP;
	}
	return 0;
}

int store_schema_check(sqlite3 *db, size_t n_steps, char why[STORE_WHY])
{
	/* One transaction: another process may be making the tables right now. */
	cleanup(store_rollback) sqlite3 *open = db;
	struct self self;
	int rc = sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = read_self(db, &self);
	if (rc != SQLITE_OK)
		return store_sql_fail(db, rc, "it cannot be read", why);
	return self_check(&self, n_steps, why);
}

static int apply(sqlite3 *db, const char *step, size_t version)
{
	char stamp[96];
	int rc = sqlite3_exec(db, step, NULL, NULL, NULL);

	if (rc != SQLITE_OK)
		return rc;
	snprintf(stamp, sizeof(stamp), "PRAGMA application_id = %d; PRAGMA user_version = %zu",
		STORE_APPLICATION_ID, version);
	return sqlite3_exec(db, stamp, NULL, NULL, NULL);
}

/* One step, or none left: *ret_done. Looks again under the lock: another process may be faster. */
static int advance(
	sqlite3 *db, const char *const *steps, size_t n_steps, bool *ret_done, char why[STORE_WHY])
{
	cleanup(store_rollback) sqlite3 *open = db;
	struct self self;
	int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	int r;

	if (rc == SQLITE_OK)
		rc = read_self(db, &self);
	if (rc != SQLITE_OK)
		return store_sql_fail(db, rc, "its schema cannot be read", why);
	r = self_check(&self, n_steps, why);
	if (r)
		return r;
	if ((size_t)self.version == n_steps) {
		*ret_done = true;
		return 0;
	}
	rc = apply(db, steps[self.version], (size_t)self.version + 1);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return store_sql_fail(db, rc, "its schema cannot be brought up to date", why);
	*ret_done = false;
	return 0;
}

int store_schema_bring(sqlite3 *db, const char *const *steps, size_t n_steps, char why[STORE_WHY])
{
	bool done = false;
	int r = 0;

	while (!r && !done)
		r = advance(db, steps, n_steps, &done, why);
	return r;
}
