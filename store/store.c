#include "store/store.h"

#include "store/keep.h"
#include "store/schema.h"
#include "store/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

DEFINE_CLEANUP(memory, void *, sqlite3_free)

/* Turns the cause in why into "PATH: cause", and hands r through. */
static int about(const char *path, int r, char why[STORE_WHY])
{
	char cause[STORE_WHY];

	snprintf(cause, sizeof(cause), "%s", why);
	/* A path too long for the sentence loses its tail, not the cause. */
	snprintf(why, STORE_WHY, "%.120s: %.130s", path, cause);
	return r;
}

__attribute__((format(printf, 3, 4))) static int refuse(
	int r, char why[STORE_WHY], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, STORE_WHY, fmt, ap);
	va_end(ap);
	return r;
}

/*
 * Makes the file with its mode, so that it is never open to others for a
 * moment; SQLite gives -wal and -shm the same mode. A file that exists is only
 * looked at: closing a second descriptor of it would drop SQLite's locks.
 */
static int ensure_file(const char *path, char why[STORE_WHY])
{
	cleanup(fd) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct stat st;

	/* The umask may have taken bits away. */
	if (fd >= 0)
		return fchmod(fd, 0600) ? refuse(-errno, why, "fchmod: %s", strerror(errno)) : 0;
	if (errno != EEXIST)
		return refuse(-errno, why, "it cannot be created: %s", strerror(errno));
	if (stat(path, &st) != 0)
		return refuse(-errno, why, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(-EINVAL, why, "it is not a regular file");
	if (st.st_mode & 077)
		return refuse(-EPERM, why,
			"its mode is %04o and must be 0600: others could change identities",
			(unsigned)st.st_mode & 07777);
	return 0;
}

static int open_db(const char *path, sqlite3 **ret_db, char why[STORE_WHY])
{
	/* "./" because SQLite reads "file:..." and ":memory:" as something else. */
	cleanup(memory) void *name = sqlite3_mprintf("%s%s", path[0] == '/' ? "" : "./", path);
	int rc =
		!name ? SQLITE_NOMEM
		      : sqlite3_open_v2(name, ret_db,
				SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
				NULL);

	if (rc != SQLITE_OK)
		return store_sql_fail(*ret_db, rc, "it cannot be opened", why);
	if (sqlite3_db_readonly(*ret_db, "main"))
		return refuse(-EROFS, why, "it cannot be written");
	sqlite3_busy_timeout(*ret_db, STORE_BUSY_MS);
	sqlite3_db_config(*ret_db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(*ret_db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return 0;
}

/* A query whose one answer must be this word; otherwise what says what that means. */
static int expect(
	sqlite3 *db, const char *query, const char *word, const char *what, char why[STORE_WHY])
{
	cleanup(store_finalize) sqlite3_stmt *statement = NULL;
	const char *answer;
	int rc = sqlite3_prepare_v2(db, query, -1, &statement, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement);
	if (rc != SQLITE_ROW)
		return store_sql_fail(db, rc, what, why);
	answer = (const char *)sqlite3_column_text(statement, 0);
	if (!answer || strcmp(answer, word) != 0)
		return refuse(-EBADMSG, why, "%s: %s", what, answer ? answer : "no answer");
	return 0;
}

/*
 * The change to WAL needs the file alone for a moment, and SQLite does not
 * wait for that itself when two processes ask at once.
 */
static int switch_to_wal(sqlite3 *db, char why[STORE_WHY])
{
	int r = -EBUSY;

	for (int waited = 0; r == -EBUSY && waited < STORE_BUSY_MS; waited += 20) {
		if (waited)
			sqlite3_sleep(20);
		r = expect(db, "PRAGMA journal_mode = WAL", "wal", "no write-ahead log", why);
	}
	return r;
}

static int set_up(sqlite3 *db, const char *path, char why[STORE_WHY])
{
	int rc, r = store_schema_check(db, store_schema_n_steps, why);

	if (r)
		return r;
	r = switch_to_wal(db, why);
	if (r)
		return r;
	/* FULL: a commit is on the disk when it returns, also when the power goes. */
	rc = sqlite3_exec(
		db, "PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return store_sql_fail(db, rc, "it cannot be set up", why);
	/* Small enough to look at as a whole: a wrong index would give a second number. */
	r = expect(db, "PRAGMA integrity_check(1)", "ok", "it is damaged", why);
	if (!r)
		r = store_keep(db, path, store_schema_n_steps, why);
	return r ? r : store_schema_bring(db, store_schema_steps, store_schema_n_steps, why);
}

int store_open(const char *path, struct store **ret_store, char why[STORE_WHY])
{
	cleanup(store) struct store *store = calloc(1, sizeof(*store));
	int rc, r;

	if (!store)
		return refuse(-ENOMEM, why, "out of memory");
	r = ensure_file(path, why);
	if (!r)
		r = open_db(path, &store->db, why);
	if (!r)
		r = set_up(store->db, path, why);
	if (r)
		return about(path, r, why);
	rc = store_sql_prepare(store);
	if (rc != SQLITE_OK)
		return about(path, store_sql_fail(store->db, rc, "its tables are wrong", why), why);
	*ret_store = TAKE_PTR(store);
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	store_sql_done(store);
	sqlite3_close(store->db);
	free(store);
}
