#include "store/keep.h"
#include "store/schema.h"
#include "store/sql.h"
#include "tests/unit/store/scratch.h"
#include "tests/unit/store/suites.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The schema of a version before this one, and the name under which it is kept. */
#define OLD      2
#define OLD_NAME ".schema-2"

static sqlite3 *open_file(const char *path, const char *suffix)
{
	sqlite3 *db = NULL;
	char name[256];

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	ck_assert_msg(
		sqlite3_open_v2(name, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK, "%s", name);
	return db;
}

static int64_t number(const struct scratch *s, const char *suffix, const char *query)
{
	sqlite3 *db = open_file(s->path, suffix);
	int64_t n = -1;

	ck_assert_msg(store_sql_number(db, query, &n) == SQLITE_OK, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
	return n;
}

/* A store as the version before left it, with one identity of this number. */
static void make_old(const struct scratch *s, int id)
{
	char why[STORE_WHY], sql[128];
	sqlite3 *db;

	scratch_write(s->path, "", 0, 0600);
	db = open_file(s->path, "");
	ck_assert_int_eq(store_schema_bring(db, store_schema_steps, OLD, why), 0);
	sqlite3_close(db);
	snprintf(sql, sizeof(sql), "INSERT INTO identities (id, labels, fixed) VALUES (%d, 'a', 0)",
		id);
	scratch_sql(s, sql);
}

/* Files whose names begin with the store's and end with a process id. */
static unsigned parts(const struct scratch *s)
{
	DIR *dir = opendir(s->dir);
	unsigned n = 0;

	ck_assert_ptr_nonnull(dir);
	for (struct dirent *e; (e = readdir(dir));)
		n += strstr(e->d_name, OLD_NAME ".") != NULL;
	closedir(dir);
	return n;
}

START_TEST(kept)
{
	/* Goal: what the version before can go back to is there, and as it left it. */
	cleanup(scratch) struct scratch scratch;
	char name[256];
	struct stat st;

	scratch_init(&scratch);
	for (int id = 300; id < 302; id++) { /* also in place of one that was kept before */
		make_old(&scratch, id);
		store_close(scratch_open(&scratch));
		ck_assert_int_eq(
			number(&scratch, "", "PRAGMA user_version"), (int64_t)store_schema_n_steps);
		ck_assert_int_eq(number(&scratch, OLD_NAME, "PRAGMA user_version"), OLD);
		ck_assert_int_eq(
			number(&scratch, OLD_NAME, "PRAGMA application_id"), STORE_APPLICATION_ID);
		ck_assert_int_eq(number(&scratch, OLD_NAME, "SELECT id FROM identities"), id);
		ck_assert_int_eq(number(&scratch, "", "SELECT id FROM identities"), id);
		snprintf(name, sizeof(name), "%s" OLD_NAME, scratch.path);
		ck_assert_int_eq(stat(name, &st), 0);
		ck_assert_uint_eq(st.st_mode & 07777, 0600);
		ck_assert_uint_eq(parts(&scratch), 0);
		ck_assert_int_eq(unlink(scratch.path), 0);
	}
}
END_TEST

START_TEST(back)
{
	/* Goal: the version before refuses the changed file, with the way back, and takes the kept one. */
	cleanup(scratch) struct scratch scratch;
	char why[STORE_WHY] = "";
	sqlite3 *db;

	scratch_init(&scratch);
	make_old(&scratch, 300);
	store_close(scratch_open(&scratch));
	db = open_file(scratch.path, "");
	ck_assert_int_eq(store_schema_check(db, OLD, why), -ENOTSUP);
	ck_assert_msg(strstr(why, "UPGRADE.md"), "%s", why);
	sqlite3_close(db);
	db = open_file(scratch.path, OLD_NAME);
	ck_assert_int_eq(store_schema_check(db, OLD, why), 0);
	ck_assert_int_eq(store_schema_bring(db, store_schema_steps, OLD, why), 0);
	sqlite3_close(db);
}
END_TEST

START_TEST(nothing_to_keep)
{
	/* Goal: a new store, and one that is up to date, leave no copy. */
	cleanup(scratch) struct scratch scratch;
	char name[256];

	scratch_init(&scratch);
	for (int twice = 0; twice < 2; twice++)
		store_close(scratch_open(&scratch));
	for (size_t version = 0; version <= store_schema_n_steps; version++) {
		snprintf(name, sizeof(name), "%s.schema-%zu", scratch.path, version);
		ck_assert_int_ne(access(name, F_OK), 0);
	}
}
END_TEST

START_TEST(not_kept)
{
	/* Goal: a store that cannot be kept is not changed. */
	cleanup(scratch) struct scratch scratch;
	char why[STORE_WHY] = "", name[256];
	struct store *store = NULL;

	scratch_init(&scratch);
	make_old(&scratch, 300);
	snprintf(name, sizeof(name), "%s" OLD_NAME, scratch.path);
	ck_assert_int_eq(mkdir(name, 0700), 0);
	ck_assert_int_lt(store_open(scratch.path, &store, why), 0);
	ck_assert_ptr_null(store);
	ck_assert_msg(strstr(why, "it is not kept before its schema changes"), "%s", why);
	ck_assert_int_eq(number(&scratch, "", "PRAGMA user_version"), OLD);
	ck_assert_uint_eq(parts(&scratch), 0);
	ck_assert_int_eq(rmdir(name), 0);
}
END_TEST

Suite *keep_suite(void)
{
	Suite *suite = suite_create("keep");
	TCase *tc = tcase_create("keep");

	tcase_add_test(tc, kept);
	tcase_add_test(tc, back);
	tcase_add_test(tc, nothing_to_keep);
	tcase_add_test(tc, not_kept);
	suite_add_tcase(suite, tc);
	return suite;
}
