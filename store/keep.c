#include "store/keep.h"

#include "store/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

DEFINE_CLEANUP(memory, char *, sqlite3_free)

static int fail(int r, const char *what, char why[STORE_WHY])
{
	snprintf(why, STORE_WHY, "it is not kept before its schema changes: %.60s: %s", what,
		strerror(-r));
	return r;
}

/* SQLite writes into an empty file as into none; so it has its mode from the start. */
static int make_empty(const char *path, char why[STORE_WHY])
{
	cleanup(fd) int fd = -1;

	if (unlink(path) && errno != ENOENT)
		return fail(-errno, "unlink", why);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || fchmod(fd, 0600))
		return fail(-errno, "create", why);
	return 0;
}

static int copy(sqlite3 *db, const char *path, char why[STORE_WHY])
{
	cleanup(store_finalize) sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(db, "VACUUM INTO ?1", -1, &statement, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement);
	if (rc == SQLITE_DONE)
		return 0;
	return store_sql_fail(db, rc, "it is not kept before its schema changes", why);
}

/* The copy and its name are on the disk before anything else is changed. */
static int sync_path(const char *path, int flags)
{
	cleanup(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | flags);

	return fd < 0 || fsync(fd) ? -errno : 0;
}

static int sync_folder(const char *path)
{
	cleanup(memory) char *folder = sqlite3_mprintf("%s", path);
	char *slash = folder ? strrchr(folder, '/') : NULL;

	if (!folder)
		return -ENOMEM;
	if (!slash)
		return sync_path(".", O_DIRECTORY);
	slash[slash == folder] = '\0';
	return sync_path(folder, O_DIRECTORY);
}

static int keep_as(sqlite3 *db, const char *path, const char *part, char why[STORE_WHY])
{
	int r = make_empty(part, why);

	if (!r)
		r = copy(db, part, why);
	if (r)
		return r;
	r = sync_path(part, 0);
	if (!r && rename(part, path))
		r = -errno;
	if (!r)
		r = sync_folder(path);
	return r ? fail(r, "write", why) : 0;
}

int store_keep(sqlite3 *db, const char *path, size_t n_steps, char why[STORE_WHY])
{
	cleanup(memory) char *name = NULL;
	cleanup(memory) char *part = NULL;
	int64_t version;
	int rc = store_sql_number(db, "PRAGMA user_version", &version);
	int r;

	if (rc != SQLITE_OK)
		return store_sql_fail(db, rc, "its schema cannot be read", why);
	if (version <= 0 || (uint64_t)version >= n_steps)
		return 0;
	/* "./" as in store_open: SQLite reads "file:..." as something else. */
	name = sqlite3_mprintf(
		"%s%s.schema-%lld", path[0] == '/' ? "" : "./", path, (long long)version);
	part = name ? sqlite3_mprintf("%s.%ld", name, (long)getpid()) : NULL;
	if (!part)
		return fail(-ENOMEM, "memory", why);
	r = keep_as(db, name, part, why);
	if (r)
		(void)unlink(part);
	return r;
}
