#include "store/schema.h"
#include "store/sql.h"
#include "tests/unit/store/suites.h"

#include <errno.h>
#include <string.h>

static const char *const STEPS[] = {
	"CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1)",
	"ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 2",
	"CREATE TABLE b (z TEXT) STRICT; INSERT INTO b SELECT x + y FROM a",
};
static const char *const BAD_STEPS[] = {
	"CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1)",
	"CREATE TABLE b (z INTEGER) STRICT; INSERT INTO b VALUES (1); INSERT INTO c VALUES (1)",
};

static sqlite3 *memory_db(void)
{
	sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	return db;
}

static int64_t number(sqlite3 *db, const char *query)
{
	int64_t n = -1;

	ck_assert_msg(
		store_sql_number(db, query, &n) == SQLITE_OK, "%s: %s", query, sqlite3_errmsg(db));
	return n;
}

START_TEST(from_every_version)
{
	/* Goal: a file of any older version ends at the newest, each step applied once. */
	sqlite3 *db = memory_db();
	char why[STORE_WHY];

	if (_i)
		ck_assert_int_eq(store_schema_bring(db, STEPS, (size_t)_i, why), 0);
	ck_assert_int_eq(number(db, "PRAGMA user_version"), _i);
	ck_assert_int_eq(store_schema_check(db, ARRAY_SIZE(STEPS), why), 0);
	for (int twice = 0; twice < 2; twice++) {
		ck_assert_int_eq(store_schema_bring(db, STEPS, ARRAY_SIZE(STEPS), why), 0);
		ck_assert_int_eq(number(db, "PRAGMA user_version"), 3);
		ck_assert_int_eq(number(db, "PRAGMA application_id"), STORE_APPLICATION_ID);
		ck_assert_int_eq(number(db, "SELECT count(*) FROM a"), 1);
		ck_assert_int_eq(number(db, "SELECT z FROM b"), 3);
	}
	sqlite3_close(db);
}
END_TEST

START_TEST(failed_step)
{
	/* Goal: a step that fails leaves nothing of itself, and the steps before it stay. */
	sqlite3 *db = memory_db();
	char why[STORE_WHY] = "";

	ck_assert_int_lt(store_schema_bring(db, BAD_STEPS, ARRAY_SIZE(BAD_STEPS), why), 0);
	ck_assert_msg(strstr(why, "no such table: c"), "%s", why);
	ck_assert(sqlite3_get_autocommit(db));
	ck_assert_int_eq(number(db, "PRAGMA user_version"), 1);
	ck_assert_int_eq(number(db, "SELECT count(*) FROM sqlite_schema"), 1);
	sqlite3_close(db);
}
END_TEST

static const struct {
	const char *sql;
	int r;
	const char *why;
} FILES[] = {
	{"SELECT 1", 0, NULL},
	{"CREATE TABLE t (x)", -EMEDIUMTYPE, "another program"},
	{"PRAGMA user_version = 1", -EMEDIUMTYPE, "another program"},
	{"PRAGMA application_id = 1", -EMEDIUMTYPE, "another program"},
	{"PRAGMA application_id = 1768189556", -EMEDIUMTYPE, "another program"},
	{"PRAGMA application_id = 1768189556; PRAGMA user_version = -1", -EMEDIUMTYPE,
		"another program"},
	{"PRAGMA application_id = 1768189556; PRAGMA user_version = 3", 0, NULL},
	{"PRAGMA application_id = 1768189556; PRAGMA user_version = 4", -ENOTSUP, "version 4"},
	{"PRAGMA application_id = 1768189556; PRAGMA user_version = 2147483647", -ENOTSUP,
		"newer identityd"},
};

START_TEST(check)
{
	/* Goal: only an empty file or one of ours that is not newer may be used. */
	sqlite3 *db = memory_db();
	char why[STORE_WHY] = "";
	int64_t version;

	ck_assert_int_eq(sqlite3_exec(db, FILES[_i].sql, NULL, NULL, NULL), SQLITE_OK);
	version = number(db, "PRAGMA user_version");
	ck_assert_int_eq(store_schema_check(db, 3, why), FILES[_i].r);
	if (FILES[_i].r) {
		ck_assert_msg(strstr(why, FILES[_i].why), "%s", why);
		ck_assert_int_eq(store_schema_bring(db, STEPS, 3, why), FILES[_i].r);
		ck_assert_int_eq(number(db, "PRAGMA user_version"), version);
	}
	sqlite3_close(db);
}
END_TEST

static const struct {
	const char *sql;
	int rc;
} ROWS[] = {
	{"INSERT INTO identities (id, labels, fixed) VALUES (300, 'b', 0)", SQLITE_OK},
	{"INSERT INTO identities (id, labels, fixed) VALUES (256, 'b', 0)", SQLITE_CONSTRAINT},
	{"INSERT INTO identities (id, labels, fixed) VALUES (300, 'a', 0)", SQLITE_CONSTRAINT},
	{"INSERT INTO identities (id, labels, fixed) VALUES (0, 'b', 0)", SQLITE_CONSTRAINT},
	{"INSERT INTO identities (id, labels, fixed) VALUES (-1, 'b', 0)", SQLITE_CONSTRAINT},
	{"INSERT INTO identities (id, labels, fixed) VALUES (4294967296, 'b', 0)",
		SQLITE_CONSTRAINT},
	{"INSERT INTO identities (id, labels, fixed) VALUES (300, '', 0)", SQLITE_CONSTRAINT},
	{"INSERT INTO identities (id, labels, fixed) VALUES (300, NULL, 0)", SQLITE_CONSTRAINT},
	{"INSERT INTO identities (id, labels, fixed) VALUES (300, x'41', 0)", SQLITE_CONSTRAINT},
	{"INSERT INTO identities (id, labels, fixed) VALUES (300, 'b', 2)", SQLITE_CONSTRAINT},
	{"INSERT INTO keys VALUES ('p', x'00', 1)", SQLITE_OK},
	{"INSERT INTO keys VALUES ('', x'00', 1)", SQLITE_CONSTRAINT},
	{"INSERT INTO keys VALUES ('p', NULL, 1)", SQLITE_CONSTRAINT},
	{"INSERT INTO keys VALUES ('p', 5, 1)", SQLITE_CONSTRAINT},
	{"INSERT INTO keys VALUES ('p', x'00', NULL)", SQLITE_CONSTRAINT},
};

START_TEST(tables)
{
	/* Goal: the tables themselves refuse a second number, a second set and wrong types. */
	sqlite3 *db = memory_db();
	char why[STORE_WHY];

	ck_assert_int_eq(store_schema_bring(db, store_schema_steps, store_schema_n_steps, why), 0);
	ck_assert_int_eq(
		sqlite3_exec(db, "INSERT INTO identities (id, labels, fixed) VALUES (256, 'a', 0)",
			NULL, NULL, NULL),
		SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, ROWS[_i].sql, NULL, NULL, NULL) & 0xff, ROWS[_i].rc);
	sqlite3_close(db);
}
END_TEST

Suite *schema_suite(void)
{
	Suite *suite = suite_create("schema");
	TCase *tc = tcase_create("schema");

	tcase_add_loop_test(tc, from_every_version, 0, ARRAY_SIZE(STEPS) + 1);
	tcase_add_test(tc, failed_step);
	tcase_add_loop_test(tc, check, 0, ARRAY_SIZE(FILES));
	tcase_add_loop_test(tc, tables, 0, ARRAY_SIZE(ROWS));
	suite_add_tcase(suite, tc);
	return suite;
}
