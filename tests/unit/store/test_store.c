#include "store/schema.h"
#include "store/sql.h"
#include "tests/unit/store/scratch.h"
#include "tests/unit/store/suites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NOBODY 65534

static unsigned mode_of(const char *path, const char *suffix)
{
	char name[256];
	struct stat st;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	ck_assert_msg(stat(name, &st) == 0, "%s", name);
	return st.st_mode & 07777;
}

static const mode_t UMASKS[] = {0, 022, 077, 0777};

START_TEST(file_modes)
{
	/* Goal: the file and its companions are 0600 whatever the umask is. */
	cleanup(scratch) struct scratch scratch;
	struct store *store;
	mode_t before;

	scratch_init(&scratch);
	before = umask(UMASKS[_i]);
	store = scratch_open(&scratch);
	scratch_identity(store, "a", 256, 300);
	umask(before);
	ck_assert_uint_eq(mode_of(scratch.path, ""), 0600);
	ck_assert_uint_eq(mode_of(scratch.path, "-wal"), 0600);
	ck_assert_uint_eq(mode_of(scratch.path, "-shm"), 0600);
	store_close(store);
}
END_TEST

START_TEST(durable)
{
	/* Goal: the connection is set so that a commit is on the disk when it returns. */
	cleanup(scratch) struct scratch scratch;
	struct store *store;
	int64_t n = 0;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	ck_assert_int_eq(store_sql_number(store->db, "PRAGMA synchronous", &n), SQLITE_OK);
	ck_assert_int_eq(n, 2); /* FULL */
	ck_assert_int_eq(store_sql_number(store->db,
				 "SELECT count(*) FROM pragma_journal_mode"
				 " WHERE journal_mode = 'wal'",
				 &n),
		SQLITE_OK);
	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(store_sql_number(store->db, "PRAGMA busy_timeout", &n), SQLITE_OK);
	ck_assert_int_eq(n, STORE_BUSY_MS);
	store_close(store);
	store_close(NULL);
}
END_TEST

static const char *const NAMES[] = {":memory:", "file:x?mode=memory", "plain", "sp ace%20"};

START_TEST(names)
{
	/* Goal: a name is a file's name, also where SQLite would read more into it. */
	cleanup(scratch) struct scratch scratch;
	char why[STORE_WHY] = "";
	struct store *store = NULL;

	scratch_init(&scratch);
	ck_assert_int_eq(chdir(scratch.dir), 0);
	for (uint32_t twice = 0; twice < 2; twice++) {
		ck_assert_msg(store_open(NAMES[_i], &store, why) == 0, "%s", why);
		ck_assert_uint_eq(scratch_identity(store, "a", 256 + twice, 300), 256);
		store_close(store);
		ck_assert_uint_eq(mode_of(NAMES[_i], ""), 0600);
	}
	ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

static void make_garbage(const struct scratch *s)
{
	char text[5000];

	memset(text, 'x', sizeof(text));
	scratch_write(s->path, text, sizeof(text), 0600);
}

static void make_short_garbage(const struct scratch *s)
{
	scratch_write(s->path, "hello", 5, 0600);
}

static void make_good(const struct scratch *s)
{
	store_close(scratch_open(s));
}

static void make_readable(const struct scratch *s)
{
	make_good(s);
	ck_assert_int_eq(chmod(s->path, 0640), 0);
}

static void make_writable(const struct scratch *s)
{
	make_good(s);
	ck_assert_int_eq(chmod(s->path, 0602), 0);
}

static void make_foreign(const struct scratch *s)
{
	scratch_write(s->path, "", 0, 0600);
	scratch_sql(s, "CREATE TABLE cookies (x)");
}

static void make_newer(const struct scratch *s)
{
	make_good(s);
	scratch_sql(s, "PRAGMA user_version = 99");
}

static void make_gutted(const struct scratch *s)
{
	make_good(s);
	scratch_sql(s, "DROP TABLE keys");
}

static void make_wrong_index(const struct scratch *s)
{
	make_good(s);
	/* The index forgets a row: by labels it cannot be found any more. */
	scratch_sql(s, "INSERT INTO identities (id, labels, fixed) VALUES (256, 'a', 0);"
		       "PRAGMA writable_schema = ON;"
		       "CREATE TABLE copy (id INTEGER PRIMARY KEY, labels TEXT, fixed INTEGER);"
		       "INSERT INTO copy VALUES (256, 'a', 0), (257, 'b', 0);"
		       "UPDATE sqlite_schema SET rootpage ="
		       " (SELECT rootpage FROM sqlite_schema WHERE name = 'copy')"
		       " WHERE name = 'identities';"
		       "DELETE FROM sqlite_schema WHERE name = 'copy'");
}

static void make_folder(const struct scratch *s)
{
	ck_assert_int_eq(mkdir(s->path, 0700), 0);
}

static void make_dangling(const struct scratch *s)
{
	ck_assert_int_eq(symlink("nowhere", s->path), 0);
}

static void make_no_folder(const struct scratch *s)
{
	ck_assert_int_eq(rmdir(s->dir), 0);
}

static const struct {
	void (*make)(const struct scratch *s);
	int r;
	const char *why;
} REFUSED[] = {
	{make_garbage, -EBADMSG, "not an SQLite database"},
	{make_short_garbage, -EBADMSG, "not an SQLite database"},
	{make_readable, -EPERM, "0640"},
	{make_writable, -EPERM, "0602"},
	{make_foreign, -EMEDIUMTYPE, "another program"},
	{make_newer, -ENOTSUP, "newer identityd"},
	{make_gutted, -EIO, "keys"},
	{make_wrong_index, -EBADMSG, "damaged"},
	{make_folder, -EINVAL, "regular file"},
	{make_dangling, -ENOENT, "No such file"},
	{make_no_folder, -ENOENT, "cannot be created"},
};

START_TEST(refused)
{
	/* Goal: a file that cannot be trusted is refused with a sentence that names it. */
	cleanup(scratch) struct scratch scratch;
	char why[STORE_WHY] = "";
	struct store *store = NULL;
	int r;

	scratch_init(&scratch);
	REFUSED[_i].make(&scratch);
	r = store_open(scratch.path, &store, why);
	rmdir(scratch.path);
	ck_assert_msg(r == REFUSED[_i].r, "%d: %s", r, why);
	ck_assert_ptr_null(store);
	ck_assert_msg(strstr(why, REFUSED[_i].why), "%s", why);
	ck_assert_msg(!strncmp(why, scratch.path, strlen(scratch.path)), "%s", why);
}
END_TEST

static void look(const struct scratch *s, struct stat *ret_st)
{
	ck_assert_int_eq(stat(s->path, ret_st), 0);
}

START_TEST(foreign_untouched)
{
	/* Goal: another program's database is not changed by being refused. */
	cleanup(scratch) struct scratch scratch;
	char why[STORE_WHY];
	struct store *store = NULL;
	struct stat before, after;

	scratch_init(&scratch);
	make_foreign(&scratch);
	look(&scratch, &before);
	ck_assert_int_eq(store_open(scratch.path, &store, why), -EMEDIUMTYPE);
	look(&scratch, &after);
	ck_assert_int_eq(before.st_size, after.st_size);
	ck_assert_int_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}
END_TEST

START_TEST(long_path)
{
	/* Goal: a path longer than a sentence still gives an error whose end says why. */
	char path[2000];
	char why[STORE_WHY] = "";
	struct store *store = NULL;

	memset(path, 'd', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(store_open(path, &store, why), -ENAMETOOLONG);
	ck_assert_msg(strstr(why, "cannot be created"), "%s", why);
}
END_TEST

#define N_SETS 300

struct image {
	char *p;
	size_t n;
};

/* A checkpointed file with N_SETS label sets. */
static struct image make_image(const struct scratch *s)
{
	struct image image = {0};
	char labels[160];
	struct store *store = scratch_open(s);
	struct stat st;
	FILE *f;

	ck_assert_int_eq(
		sqlite3_exec(store->db, "PRAGMA synchronous = OFF", NULL, NULL, NULL), SQLITE_OK);
	for (int i = 0; i < N_SETS; i++) {
		snprintf(labels, sizeof(labels), "k8s:app=%0100d;", i);
		scratch_identity(store, labels, 256, 65535);
	}
	store_close(store);
	ck_assert_int_eq(stat(s->path, &st), 0);
	image.n = (size_t)st.st_size;
	image.p = malloc(image.n);
	f = fopen(s->path, "rb");
	ck_assert_uint_eq(fread(image.p, 1, image.n, f), image.n);
	fclose(f);
	return image;
}

/* Opens whatever lies there: it must be refused, or hold every pair. */
static bool refused_or_right(const struct scratch *s)
{
	char why[STORE_WHY] = "";
	char labels[160];
	struct store *store = NULL;
	int r = store_open(s->path, &store, why);

	if (r) {
		ck_assert_str_ne(why, "");
		return true;
	}
	for (int i = 0; i < N_SETS; i++) {
		snprintf(labels, sizeof(labels), "k8s:app=%0100d;", i);
		ck_assert_uint_eq(scratch_identity(store, labels, 1, 1), 256 + i);
	}
	store_close(store);
	return false;
}

START_TEST(damage)
{
	/* Goal: a file with a damaged piece is refused, or it holds every number still. */
	cleanup(scratch) struct scratch scratch;
	struct image image;
	size_t n_refused = 0, tried = 0;

	scratch_init(&scratch);
	image = make_image(&scratch);
	for (size_t at = 0; at < image.n; at += 1024 - (at ? 0 : 1000)) {
		cleanup(free) char *copy = malloc(image.n);
		size_t n = image.n - at < 200 ? image.n - at : 200;

		memcpy(copy, image.p, image.n);
		memset(copy + at, _i, n);
		scratch_write(scratch.path, copy, image.n, 0600);
		n_refused += refused_or_right(&scratch);
		tried++;
	}
	ck_assert_uint_gt(n_refused, tried / 2);
	free(image.p);
}
END_TEST

START_TEST(truncated)
{
	/* Goal: a file that lost its end is refused, wherever it ends. */
	cleanup(scratch) struct scratch scratch;
	struct image image;

	scratch_init(&scratch);
	image = make_image(&scratch);
	/* SQLite takes a file of no byte or one for a new one. */
	for (size_t n = 2; n < image.n; n = n * 3 / 2 + 1) {
		scratch_write(scratch.path, image.p, n, 0600);
		ck_assert_msg(refused_or_right(&scratch), "%zu bytes of %zu", n, image.n);
	}
	scratch_write(scratch.path, image.p, image.n - 1, 0600);
	ck_assert(refused_or_right(&scratch));
	scratch_write(scratch.path, image.p, image.n - 4096, 0600);
	ck_assert(refused_or_right(&scratch));
	scratch_write(scratch.path, image.p, image.n, 0600);
	ck_assert(!refused_or_right(&scratch));
	free(image.p);
}
END_TEST

/* What an ordinary user sees: 0, or the -errno of store_open or store_identity. */
static int as_nobody(const struct scratch *s)
{
	pid_t child = fork();
	int status = 0;

	if (!child) {
		char why[STORE_WHY] = "";
		struct store *store = NULL;
		uint32_t id;
		int r = setgid(NOBODY) || setuid(NOBODY) ? -ENOTRECOVERABLE : 0;

		if (!r)
			r = store_open(s->path, &store, why);
		if (!r)
			r = store_identity(store, "new", 256, 300, &id, why);
		_exit(r && !*why ? ENOTRECOVERABLE : -r);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static const struct {
	mode_t dir, file;
	int r;
} READONLY[] = {
	{0755, 0600, 0},
	{0755, 0400, -EROFS},
	{0555, 0600, -EROFS},
	{0755, 0200, -EACCES},
	{0655, 0600, -EACCES},
};

START_TEST(read_only)
{
	/* Goal: a file or folder that cannot be written or entered is an error at start. */
	cleanup(scratch) struct scratch scratch;

	if (geteuid() != 0) {
		puts("store: read_only needs root, left out");
		return;
	}
	scratch_init(&scratch);
	make_good(&scratch);
	ck_assert_int_eq(chown(scratch.dir, NOBODY, NOBODY), 0);
	ck_assert_int_eq(chown(scratch.path, NOBODY, NOBODY), 0);
	ck_assert_int_eq(chmod(scratch.path, READONLY[_i].file), 0);
	ck_assert_int_eq(chmod(scratch.dir, READONLY[_i].dir), 0);
	ck_assert_int_eq(as_nobody(&scratch), READONLY[_i].r);
}
END_TEST

START_TEST(open_without_memory)
{
	/* Goal: whichever allocation fails, opening says so, leaks nothing and works afterwards. */
	cleanup(scratch) struct scratch scratch;
	bool fired = true;

	scratch_init(&scratch);
	for (long at = 0; fired; at += 1 + at / 20) {
		char why[STORE_WHY] = "";
		struct store *store = NULL;
		int r;

		scratch_fail_begin(at, _i);
		r = store_open(scratch.path, &store, why);
		fired = scratch_fail_end();
		ck_assert_int_eq(!r, !!store);
		ck_assert(!r || *why);
		ck_assert_msg(!r || fired, "%d: %s", r, why);
		store_close(store);
		ck_assert_int_lt(at, 1000000);
	}
	store_close(scratch_open(&scratch));
}
END_TEST

Suite *store_suite(void)
{
	Suite *suite = suite_create("store");
	TCase *tc = tcase_create("store");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, file_modes, 0, ARRAY_SIZE(UMASKS));
	tcase_add_test(tc, durable);
	tcase_add_loop_test(tc, names, 0, ARRAY_SIZE(NAMES));
	tcase_add_loop_test(tc, refused, 0, ARRAY_SIZE(REFUSED));
	tcase_add_test(tc, foreign_untouched);
	tcase_add_test(tc, long_path);
	tcase_add_loop_test(tc, damage, 0, 2);
	tcase_add_test(tc, truncated);
	tcase_add_loop_test(tc, read_only, 0, ARRAY_SIZE(READONLY));
	tcase_add_loop_test(tc, open_without_memory, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}
