#include "store/sql.h"
#include "tests/unit/store/suites.h"

#include <errno.h>
#include <string.h>

static const struct {
	int rc;
	int r;
	const char *why;
} FAILURES[] = {
	{SQLITE_FULL, -ENOSPC, "it failed: the disk is full"},
	{SQLITE_READONLY, -EROFS, "cannot be written"},
	{SQLITE_READONLY_DIRECTORY, -EROFS, "cannot be written"},
	{SQLITE_CANTOPEN, -EACCES, "cannot be opened"},
	{SQLITE_NOTADB, -EBADMSG, "not an SQLite database"},
	{SQLITE_CORRUPT, -EBADMSG, "damaged"},
	{SQLITE_CORRUPT_INDEX, -EBADMSG, "damaged"},
	{SQLITE_BUSY, -EBUSY, "locked"},
	{SQLITE_BUSY_RECOVERY, -EBUSY, "locked"},
	{SQLITE_NOMEM, -ENOMEM, "out of memory"},
	{SQLITE_IOERR_FSYNC, -EIO, "(SQLite 1034)"},
	{SQLITE_IOERR_WRITE, -EIO, "disk"},
	{SQLITE_MISMATCH, -EIO, "it failed: "},
};

START_TEST(failures)
{
	/* Goal: each kind of SQLite failure has its errno and a sentence, also without room for one. */
	char why[STORE_WHY] = "";

	ck_assert_int_eq(store_sql_fail(NULL, FAILURES[_i].rc, "it failed", why), FAILURES[_i].r);
	ck_assert_msg(strstr(why, FAILURES[_i].why), "%s", why);
	ck_assert_int_eq(store_sql_fail(NULL, FAILURES[_i].rc, "it failed", NULL), FAILURES[_i].r);
}
END_TEST

START_TEST(number)
{
	/* Goal: a query gives its first column; one without a row or with a mistake is an error. */
	sqlite3 *db = NULL;
	int64_t n = 7;

	ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	ck_assert_int_eq(store_sql_number(db, "SELECT 1 WHERE 0", &n), SQLITE_CORRUPT);
	ck_assert_int_eq(store_sql_number(db, "SELECT nothing", &n), SQLITE_ERROR);
	ck_assert_int_eq(n, 7);
	ck_assert_int_eq(store_sql_number(db, "SELECT 41 + 1, 5", &n), SQLITE_OK);
	ck_assert_int_eq(n, 42);
	sqlite3_close(db);
}
END_TEST

START_TEST(rollback)
{
	/* Goal: the guard undoes an open transaction, and is harmless without one. */
	sqlite3 *db = NULL;
	int64_t n = 0;

	ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "CREATE TABLE t (x); BEGIN; INSERT INTO t VALUES (1)",
				 NULL, NULL, NULL),
		SQLITE_OK);
	store_sql_rollback(db);
	ck_assert(sqlite3_get_autocommit(db));
	ck_assert_int_eq(store_sql_number(db, "SELECT count(*) FROM t", &n), SQLITE_OK);
	ck_assert_int_eq(n, 0);
	store_sql_rollback(db);
	store_sql_rollback(NULL);
	sqlite3_close(db);
}
END_TEST

Suite *sql_suite(void)
{
	Suite *suite = suite_create("sql");
	TCase *tc = tcase_create("sql");

	tcase_add_loop_test(tc, failures, 0, ARRAY_SIZE(FAILURES));
	tcase_add_test(tc, number);
	tcase_add_test(tc, rollback);
	suite_add_tcase(suite, tc);
	return suite;
}
