#include "base/clock.h"
#include "store/sql.h"
#include "tests/unit/store/scratch.h"
#include "tests/unit/store/suites.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void fix(struct store *store, const char *labels, uint32_t id)
{
	char why[STORE_WHY] = "";

	ck_assert_msg(store_identity_fix(store, labels, id, why) == 0, "%s", why);
}

/* The state as text: "256 a, 300! b" (! is fixed). */
static void expect(struct store *store, const char *want)
{
	struct store_identity *list = NULL;
	char got[512] = "";
	size_t n = 0, at = 0;

	ck_assert_int_eq(store_identities(store, &list, &n), 0);
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(got + at, sizeof(got) - at, "%s%u%s %s", i ? ", " : "",
			list[i].id, list[i].fixed ? "!" : "", list[i].labels);
	ck_assert_str_eq(got, want);
	store_identities_free(list, n);
}

START_TEST(all_or_none)
{
	/* Goal: between begin and end all is kept or none, and what was undone is free again. */
	cleanup(scratch) struct scratch scratch;
	char why[STORE_WHY] = "";
	struct store *store;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	ck_assert_uint_eq(scratch_identity(store, "a", 256, 400), 256);
	ck_assert_int_eq(store_begin(store, why), 0);
	ck_assert_uint_eq(scratch_identity(store, "b", 256, 400), 257);
	fix(store, "c", 300);
	ck_assert_int_eq(store_end(store, false, why), 0);
	expect(store, "256 a");
	ck_assert_int_eq(store_begin(store, why), 0);
	ck_assert_uint_eq(scratch_identity(store, "d", 256, 400), 257);
	ck_assert_int_eq(store_identity_fix(store, "d", 300, why), -EEXIST);
	fix(store, "e", 300);
	ck_assert_int_eq(store_end(store, true, why), 0);
	expect(store, "256 a, 257 d, 300! e");
	ck_assert_int_eq(store_begin(store, why), 0);
	ck_assert_uint_eq(scratch_identity(store, "f", 256, 400), 258);
	store_close(store); /* as good as a death */
	store = scratch_open(&scratch);
	expect(store, "256 a, 257 d, 300! e");
	store_close(store);
}
END_TEST

START_TEST(lowest_free)
{
	/* Goal: new sets get the lowest free number, known ones their own, across a restart too. */
	cleanup(scratch) struct scratch scratch;
	struct store *store;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	expect(store, "");
	fix(store, "f", 258);
	fix(store, "u", 200);
	for (int twice = 0; twice < 2; twice++) {
		ck_assert_uint_eq(scratch_identity(store, "a", 256, 400), 256);
		ck_assert_uint_eq(scratch_identity(store, "b", 256, 400), 257);
		ck_assert_uint_eq(scratch_identity(store, "c", 256, 400), 259);
		ck_assert_uint_eq(scratch_identity(store, "f", 256, 400), 258);
		ck_assert_uint_eq(scratch_identity(store, "u", 256, 400), 200);
		store_close(store);
		store = scratch_open(&scratch);
	}
	fix(store, "g", 261);
	ck_assert_uint_eq(scratch_identity(store, "d", 256, 400), 260);
	ck_assert_uint_eq(scratch_identity(store, "e", 256, 400), 262);
	expect(store, "200! u, 256 a, 257 b, 258! f, 259 c, 260 d, 261! g, 262 e");
	store_close(store);
}
END_TEST

START_TEST(ranges)
{
	/* Goal: each range is searched from its own start, and a stored number outside it is kept. */
	cleanup(scratch) struct scratch scratch;
	struct store *store;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	ck_assert_uint_eq(scratch_identity(store, "a", 1000, 1001), 1000);
	ck_assert_uint_eq(scratch_identity(store, "b", 256, 300), 256);
	ck_assert_uint_eq(scratch_identity(store, "c", 1000, 1001), 1001);
	ck_assert_uint_eq(scratch_identity(store, "a", 256, 300), 1000);
	ck_assert_uint_eq(scratch_identity(store, "d", 255, 300), 255);
	ck_assert_uint_eq(scratch_identity(store, "e", 255, 300), 257);
	ck_assert_uint_eq(scratch_identity(store, "f", 999, 2000), 999);
	ck_assert_uint_eq(scratch_identity(store, "g", 999, 2000), 1002);
	ck_assert_uint_eq(scratch_identity(store, "h", 7, 7), 7);
	ck_assert_uint_eq(scratch_identity(store, "i", UINT32_MAX - 1, UINT32_MAX), UINT32_MAX - 1);
	ck_assert_uint_eq(scratch_identity(store, "j", UINT32_MAX - 1, UINT32_MAX), UINT32_MAX);
	store_close(store);
}
END_TEST

START_TEST(used_up)
{
	/* Goal: a full range is an error, for every new set and for none that has its number. */
	cleanup(scratch) struct scratch scratch;
	char why[STORE_WHY] = "";
	struct store *store;
	uint32_t id = 7;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	fix(store, "f", 257);
	ck_assert_uint_eq(scratch_identity(store, "a", 256, 258), 256);
	ck_assert_uint_eq(scratch_identity(store, "b", 256, 258), 258);
	for (int restart = 0; restart < 2; restart++) {
		for (int again = 0; again < 3; again++)
			ck_assert_int_eq(store_identity(store, "c", 256, 258, &id, why), -ENOSPC);
		ck_assert_uint_eq(id, 7);
		ck_assert_msg(strstr(why, "256 to 258"), "%s", why);
		ck_assert_uint_eq(scratch_identity(store, "a", 256, 258), 256);
		store_close(store);
		store = scratch_open(&scratch);
	}
	expect(store, "256 a, 257! f, 258 b");
	ck_assert_int_eq(store_identity(store, "c", UINT32_MAX, UINT32_MAX, &id, why), 0);
	ck_assert_int_eq(store_identity(store, "d", UINT32_MAX, UINT32_MAX, &id, why), -ENOSPC);
	store_close(store);
}
END_TEST

static const struct {
	const char *labels;
	uint32_t id;
	int r;
	const char *why;
	const char *after;
} FIXES[] = {
	{"new", 200, 0, NULL, "200! new, 210! fixed, 256 allocated"},
	{"new", 257, 0, NULL, "210! fixed, 256 allocated, 257! new"},
	{"fixed", 210, 0, NULL, "210! fixed, 256 allocated"},
	{"allocated", 256, 0, NULL, "210! fixed, 256! allocated"},
	{"new", 210, -EEXIST, "belongs to the labels fixed", "210! fixed, 256 allocated"},
	{"new", 256, -EEXIST, "belongs to the labels allocated", "210! fixed, 256 allocated"},
	{"fixed", 211, -EEXIST, "the number 210 already", "210! fixed, 256 allocated"},
	{"fixed", 256, -EEXIST, "the number 210 already", "210! fixed, 256 allocated"},
	{"allocated", 200, -EEXIST, "the number 256 already", "210! fixed, 256 allocated"},
	{"new", 0, -EIO, "cannot be stored", "210! fixed, 256 allocated"},
	{"", 200, -EIO, "cannot be stored", "210! fixed, 256 allocated"},
};

START_TEST(fixes)
{
	/* Goal: a fixed number joins no set that has another, and no set joins a taken number. */
	cleanup(scratch) struct scratch scratch;
	char why[STORE_WHY] = "";
	struct store *store;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	fix(store, "fixed", 210);
	ck_assert_uint_eq(scratch_identity(store, "allocated", 256, 300), 256);
	ck_assert_int_eq(
		store_identity_fix(store, FIXES[_i].labels, FIXES[_i].id, why), FIXES[_i].r);
	if (FIXES[_i].r)
		ck_assert_msg(strstr(why, FIXES[_i].why), "%s", why);
	expect(store, FIXES[_i].after);
	store_close(store);
	store = scratch_open(&scratch);
	expect(store, FIXES[_i].after);
	store_close(store);
}
END_TEST

START_TEST(any_text)
{
	/* Goal: label sets are told apart byte by byte, whatever they hold. */
	cleanup(scratch) struct scratch scratch;
	static char longest[4097];
	const char *texts[] = {"a", "A", "a ", " a", "a;", "'", "\"", "%", "\xff", "\xc3\xa4",
		"a\xcc\x88", "1", "1.0", "01", longest};
	struct store *store;

	memset(longest, 'z', sizeof(longest) - 1);
	scratch_init(&scratch);
	store = scratch_open(&scratch);
	for (int twice = 0; twice < 2; twice++)
		for (uint32_t i = 0; i < ARRAY_SIZE(texts); i++)
			ck_assert_uint_eq(scratch_identity(store, texts[i], 256, 300), 256 + i);
	store_close(store);
}
END_TEST

static char large[20000];

START_TEST(disk_full)
{
	/* Goal: a full disk gives an error and no number; with room again nothing was lost. */
	cleanup(scratch) struct scratch scratch;
	char why[STORE_WHY] = "";
	char labels[2048];
	struct store *store;
	uint32_t id = 7, n = 0;
	int r = 0;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	sqlite3_exec(store->db, "PRAGMA max_page_count = 40", NULL, NULL, NULL);
	while (n < 1000 && !r) {
		snprintf(labels, sizeof(labels), "%01500u", n);
		r = store_identity(store, labels, 256, 65535, &id, why);
		ck_assert_uint_eq(id, 256 + n - (r ? 1 : 0));
		n += !r;
	}
	ck_assert_int_eq(r, -EIO);
	ck_assert_msg(strstr(why, "the disk is full"), "%s", why);
	ck_assert_int_eq(store_identity_fix(store, labels, 200, why), -EIO);
	/* More than the pages that an identity needs: one may be left. */
	ck_assert_int_eq(
		store_keys_put(store, "p", (struct span){large, sizeof(large)}, 7, why), -EIO);
	for (uint32_t i = 0; i < n; i++) {
		snprintf(labels, sizeof(labels), "%01500u", i);
		ck_assert_uint_eq(scratch_identity(store, labels, 1, 1), 256 + i);
	}
	sqlite3_exec(store->db, "PRAGMA max_page_count = 10000", NULL, NULL, NULL);
	snprintf(labels, sizeof(labels), "%01500u", n);
	ck_assert_uint_eq(scratch_identity(store, labels, 256, 65535), 256 + n);
	store_close(store);
}
END_TEST

/* Writes until the kernel refuses, then with room again: 0 when all is as it must be. */
static int write_to_the_limit(const struct scratch *s, uint32_t *ret_n)
{
	struct rlimit limit = {.rlim_cur = 200000, .rlim_max = RLIM_INFINITY};
	char why[STORE_WHY] = "";
	char labels[2048];
	struct store *store = NULL;
	uint32_t id = 0, n = 0;
	int r = store_open(s->path, &store, why);

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	for (; !r && n < 1000; n += !r) {
		snprintf(labels, sizeof(labels), "%01500u", n);
		r = store_identity(store, labels, 256, 65535, &id, why);
	}
	if (r != -EIO || !*why || n < 5)
		return 1;
	for (uint32_t i = 0; i < n; i++) {
		snprintf(labels, sizeof(labels), "%01500u", i);
		if (store_identity(store, labels, 1, 1, &id, why) || id != 256 + i)
			return 2;
	}
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	snprintf(labels, sizeof(labels), "%01500u", n);
	if (store_identity(store, labels, 256, 65535, &id, why) || id != 256 + n)
		return 3;
	store_close(store);
	*ret_n = n + 1;
	return 0;
}

START_TEST(write_fails)
{
	/* Goal: when the kernel refuses a write, no number is given out and none is lost. */
	cleanup(scratch) struct scratch scratch;
	struct store *store;
	int status = 0;
	pid_t child;

	scratch_init(&scratch);
	child = fork();
	if (!child) {
		uint32_t n;

		_exit(write_to_the_limit(&scratch, &n));
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	store = scratch_open(&scratch);
	ck_assert_uint_gt(scratch_identity(store, "last", 256, 65535), 261);
	store_close(store);
}
END_TEST

START_TEST(locked)
{
	/* Goal: a file that another process keeps locked is an error, and works when it lets go. */
	cleanup(scratch) struct scratch scratch;
	char why[STORE_WHY] = "";
	struct store *store, *other;
	uint32_t id = 7;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	other = scratch_open(&scratch);
	scratch_identity(store, "a", 256, 300);
	sqlite3_busy_timeout(store->db, 50);
	ck_assert_int_eq(sqlite3_exec(other->db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_uint_eq(scratch_identity(store, "a", 256, 300), 256);
	ck_assert_int_eq(store_identity(store, "b", 256, 300, &id, why), -EIO);
	ck_assert_msg(strstr(why, "locked"), "%s", why);
	ck_assert_int_eq(store_identity_fix(store, "b", 200, why), -EIO);
	ck_assert_int_eq(store_keys_put(store, "p", SPAN("x"), 7, why), -EIO);
	ck_assert_uint_eq(id, 7);
	sqlite3_exec(other->db, "ROLLBACK", NULL, NULL, NULL);
	ck_assert_uint_eq(scratch_identity(store, "b", 256, 300), 257);
	ck_assert_uint_eq(scratch_identity(other, "c", 256, 300), 258);
	ck_assert_uint_eq(scratch_identity(store, "d", 256, 300), 259);
	store_close(other);
	store_close(store);
}
END_TEST

START_TEST(without_memory)
{
	/* Goal: whichever allocation fails, a set gets its one number or an error, never another. */
	cleanup(scratch) struct scratch scratch;
	struct store *store;
	uint32_t next = 256;
	bool fired = true;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	for (long at = 0; fired; at++) {
		char why[STORE_WHY] = "";
		char labels[32];
		uint32_t id = 7;
		int r;

		snprintf(labels, sizeof(labels), "set %ld", at);
		scratch_fail_begin(at, _i);
		r = store_identity(store, labels, 256, 65535, &id, why);
		fired = scratch_fail_end();
		ck_assert(r == 0 || (r == -EIO && *why && fired));
		ck_assert_uint_eq(id, r ? 7 : next);
		ck_assert_uint_eq(scratch_identity(store, labels, 256, 65535), next);
		next++;

		snprintf(labels, sizeof(labels), "fixed %ld", at);
		scratch_fail_begin(at, _i);
		r = store_identity_fix(store, labels, 1000000 + (uint32_t)at, why);
		fired |= scratch_fail_end();
		ck_assert(r == 0 || r == -EIO);
		fix(store, labels, 1000000 + (uint32_t)at);
		ck_assert_int_lt(at, 10000);
	}
	store_close(store);
}
END_TEST

START_TEST(list_without_memory)
{
	/* Goal: whichever allocation fails, the list is whole or an error, and nothing leaks. */
	cleanup(scratch) struct scratch scratch;
	struct store *store;
	bool fired = true;
	char labels[32];

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	for (int i = 0; i < 130; i++) {
		snprintf(labels, sizeof(labels), "set %d", i);
		scratch_identity(store, labels, 256, 65535);
	}
	for (long at = 0; fired; at++) {
		struct store_identity *list = NULL;
		size_t n = 7;
		int r;

		scratch_fail_begin(at, _i);
		r = store_identities(store, &list, &n);
		fired = scratch_fail_end();
		ck_assert(r == 0 || (fired && (r == -ENOMEM || r == -EIO)));
		ck_assert_uint_eq(n, r ? 7 : 130);
		ck_assert_int_eq(!r, !!list);
		if (!r)
			store_identities_free(list, n);
	}
	store_close(store);
}
END_TEST

static double seconds_since(const struct base_now *start)
{
	struct base_now now;

	base_clock_now(&now);
	return (double)(now.mono_ns - start->mono_ns) / (double)NS_PER_S;
}

START_TEST(five_thousand)
{
	/* Goal: as many identities as a large site has keep their numbers; the times are printed. */
	enum { N = 5000 };
	cleanup(scratch) struct scratch scratch;
	struct store_identity *list = NULL;
	struct base_now start;
	struct store *store;
	double allocate, reload;
	char labels[128];
	size_t n = 0;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	base_clock_now(&start);
	for (uint32_t i = 0; i < N; i++) {
		snprintf(labels, sizeof(labels),
			"k8s:app=%u;k8s:io.cilium.k8s.policy.cluster=default;"
			"k8s:io.kubernetes.pod.namespace=identities;",
			i);
		ck_assert_uint_eq(scratch_identity(store, labels, 256, 65535), 256 + i);
	}
	allocate = seconds_since(&start);
	store_close(store);
	base_clock_now(&start);
	store = scratch_open(&scratch);
	ck_assert_int_eq(store_identities(store, &list, &n), 0);
	reload = seconds_since(&start);
	ck_assert_uint_eq(n, N);
	for (uint32_t i = 0; i < N; i++)
		ck_assert_uint_eq(list[i].id, 256 + i);
	store_identities_free(list, n);
	store_close(store);
	printf("store: %d identities: allocate %.2f s (%.0f us each, every one on the disk), "
	       "open and reload %.3f s\n",
		N, allocate, allocate / N * 1e6, reload);
}
END_TEST

static uint32_t lend(struct store *store, const char *labels, int64_t now_s, uint32_t hi)
{
	const struct store_loan loan = {labels, "team", now_s};
	char why[STORE_WHY] = "";
	uint32_t id = 0;
	int r = store_identity_lend(store, &loan, 256, hi, &id, why);

	ck_assert_msg(!r || r == -ENOSPC, "%s", why);
	return id;
}

static bool release(struct store *store, const char *labels, uint32_t id, int64_t before_s)
{
	char why[STORE_WHY] = "";
	bool done = false;

	ck_assert_int_eq(store_identity_release(store, labels, id, before_s, 100, &done, why), 0);
	return done;
}

static bool purge(struct store *store, const char *labels, uint32_t id, int64_t before_s)
{
	char why[STORE_WHY] = "";
	bool done = false;

	ck_assert_int_eq(store_identity_purge(store, labels, id, before_s, &done, why), 0);
	return done;
}

START_TEST(quarantine)
{
	/* Goal: a released number is nobody else's until it is purged; then it is used again last. */
	cleanup(scratch) struct scratch scratch;
	struct store *store;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	ck_assert_uint_eq(lend(store, "a", 10, 258), 256);
	ck_assert(!release(store, "a", 256, 9));  /* used since */
	ck_assert(!release(store, "b", 256, 10)); /* not its labels */
	ck_assert(release(store, "a", 256, 10));
	ck_assert(!release(store, "a", 256, 10)); /* once */
	ck_assert_uint_eq(lend(store, "b", 20, 258), 257);
	store_close(store);
	store = scratch_open(&scratch);
	ck_assert(!purge(store, "a", 256, 99));  /* released at 100 */
	ck_assert(!purge(store, "b", 257, 200)); /* in use */
	ck_assert(purge(store, "a", 256, 100));
	ck_assert_uint_eq(lend(store, "c", 30, 258), 256);
	ck_assert_uint_eq(lend(store, "d", 30, 258), 258);
	ck_assert_uint_eq(lend(store, "e", 30, 258), 0);
	ck_assert(release(store, "c", 256, 30));
	ck_assert_uint_eq(lend(store, "e", 30, 258), 0);
	ck_assert(purge(store, "c", 256, 100));
	ck_assert_uint_eq(lend(store, "e", 30, 258), 256); /* behind the last one there is none */
	store_close(store);
}
END_TEST

START_TEST(comes_back)
{
	/* Goal: the same labels get their number back out of quarantine; a role's own stay. */
	cleanup(scratch) struct scratch scratch;
	char why[STORE_WHY] = "";
	struct store *store;
	bool there = false;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	ck_assert_uint_eq(lend(store, "a", 10, 300), 256);
	ck_assert(release(store, "a", 256, 10));
	ck_assert_int_eq(store_identity_touch(store, "a", 256, 20, &there, why), 0);
	ck_assert(!there);
	ck_assert_uint_eq(lend(store, "a", 30, 300), 256);
	ck_assert_int_eq(store_identity_touch(store, "a", 256, 40, &there, why), 0);
	ck_assert(there);
	ck_assert(!release(store, "a", 256, 39));
	ck_assert(release(store, "a", 256, 40));
	/* A role takes the labels: from now on they are its own. */
	ck_assert_uint_eq(scratch_identity(store, "a", 256, 300), 256);
	ck_assert(!release(store, "a", 256, INT64_MAX));
	ck_assert(!purge(store, "a", 256, INT64_MAX));
	ck_assert_uint_eq(lend(store, "a", 50, 300), 256);
	ck_assert(!release(store, "a", 256, INT64_MAX));
	/* And so are labels that a role fixes. */
	ck_assert_uint_eq(lend(store, "b", 50, 300), 257);
	ck_assert(release(store, "b", 257, 50));
	fix(store, "b", 257);
	ck_assert(!purge(store, "b", 257, INT64_MAX));
	ck_assert(!release(store, "b", 257, INT64_MAX));
	store_close(store);
}
END_TEST

Suite *identities_suite(void)
{
	Suite *suite = suite_create("identities");
	TCase *tc = tcase_create("identities");

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, all_or_none);
	tcase_add_test(tc, lowest_free);
	tcase_add_test(tc, quarantine);
	tcase_add_test(tc, comes_back);
	tcase_add_test(tc, ranges);
	tcase_add_test(tc, used_up);
	tcase_add_loop_test(tc, fixes, 0, ARRAY_SIZE(FIXES));
	tcase_add_test(tc, any_text);
	tcase_add_test(tc, disk_full);
	tcase_add_test(tc, write_fails);
	tcase_add_test(tc, locked);
	tcase_add_loop_test(tc, without_memory, 0, 2);
	tcase_add_loop_test(tc, list_without_memory, 0, 2);
	tcase_add_test(tc, five_thousand);
	suite_add_tcase(suite, tc);
	return suite;
}
