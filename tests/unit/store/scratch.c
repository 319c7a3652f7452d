#include "tests/unit/store/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>

void scratch_init(struct scratch *s)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(s->dir, sizeof(s->dir), "%.80s/identityd-store-XXXXXX", tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(s->dir));
	snprintf(s->path, sizeof(s->path), "%s/store.db", s->dir);
}

void scratch_done(struct scratch *s)
{
	DIR *dir = opendir(s->dir);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(s->dir);
}

struct store *scratch_open(const struct scratch *s)
{
	struct store *store = NULL;
	char why[STORE_WHY] = "";
	int r = store_open(s->path, &store, why);

	ck_assert_msg(r == 0, "%d: %s", r, why);
	return store;
}

uint32_t scratch_identity(struct store *store, const char *labels, uint32_t lo, uint32_t hi)
{
	char why[STORE_WHY] = "";
	uint32_t id = 0;
	int r = store_identity(store, labels, lo, hi, &id, why);

	ck_assert_msg(r == 0, "%s: %d, %s", labels, r, why);
	return id;
}

void scratch_sql(const struct scratch *s, const char *sql)
{
	sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(s->path, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s: %s", sql,
		sqlite3_errmsg(db));
	sqlite3_close(db);
}

void scratch_write(const char *path, const void *p, size_t n, unsigned mode)
{
	cleanup(fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
	ck_assert_int_eq(fchmod(fd, (mode_t)mode), 0);
}

static sqlite3_mem_methods real;
static long left = LONG_MAX;
static bool for_ever, fired;

static bool fails(void)
{
	if (left == LONG_MAX)
		return false;
	if (left > 0) {
		left--;
		return false;
	}
	if (fired && !for_ever)
		return false;
	fired = true;
	return true;
}

/* The room's own allocations count in the same row (linked with --wrap). */
#define WRAP(type, name, arguments, ...)                                                           \
	type __real_##name arguments;                                                              \
	type __wrap_##name arguments;                                                              \
	type __wrap_##name arguments                                                               \
	{                                                                                          \
		return fails() ? NULL : __real_##name(__VA_ARGS__);                                \
	}

WRAP(void *, malloc, (size_t n), n)
WRAP(void *, calloc, (size_t n, size_t size), n, size)
WRAP(void *, reallocarray, (void *p, size_t n, size_t size), p, n, size)
WRAP(char *, strdup, (const char *text), text)

static void *failing_malloc(int n)
{
	return fails() ? NULL : real.xMalloc(n);
}

static void *failing_realloc(void *p, int n)
{
	return fails() ? NULL : real.xRealloc(p, n);
}

int scratch_fail_install(void)
{
	sqlite3_mem_methods methods;
	int rc = sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real);

	methods = real;
	methods.xMalloc = failing_malloc;
	methods.xRealloc = failing_realloc;
	if (rc == SQLITE_OK)
		rc = sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
	/* Small allocations would otherwise come from a pool and never fail. */
	return rc == SQLITE_OK ? sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) : rc;
}

void scratch_fail_begin(long at, bool all)
{
	left = at;
	for_ever = all;
	fired = false;
}

bool scratch_fail_end(void)
{
	left = LONG_MAX;
	return fired;
}
