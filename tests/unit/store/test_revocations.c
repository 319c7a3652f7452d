/* Promise 7: what was revoked stays revoked, whatever happens to the process. */
#include "base/mem.h"
#include "store/revocations.h"
#include "store/schema.h"
#include "tests/unit/store/scratch.h"
#include "tests/unit/store/suites.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define NOW 1800000000

static struct store_revocation of(const char *iss, const char *sub, int64_t before)
{
	return (struct store_revocation){.iss = span_of(iss),
		.sub = span_of(sub),
		.issued_before = before,
		.expires = NOW + 100,
		.added = NOW,
		.source = SPAN("operator")};
}

struct seen {
	size_t n;
	struct store_revocation last;
	char iss[64], sub[64], source[64];
};

static int look(void *arg, const struct store_revocation *entry)
{
	struct seen *seen = arg;

	seen->n++;
	seen->last = *entry;
	snprintf(seen->iss, sizeof(seen->iss), "%.*s", SPAN_ARG(entry->iss));
	snprintf(seen->sub, sizeof(seen->sub), "%.*s", SPAN_ARG(entry->sub));
	snprintf(seen->source, sizeof(seen->source), "%.*s", SPAN_ARG(entry->source));
	return 0;
}

static struct seen list(struct store *store, int64_t now)
{
	struct seen seen = {0};

	ck_assert_int_eq(store_revocations(store, now, look, &seen), 0);
	return seen;
}

START_TEST(round_trip)
{
	/* Goal: what was revoked is there after the file was closed, until it expires. */
	cleanup(scratch) struct scratch scratch;
	struct store_revocation entry = of("https://i", "al\"ice'; --", 7);
	char why[STORE_WHY];
	struct store *store;
	struct seen seen;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	ck_assert_int_eq(store_revoke(store, &entry, why), 0);
	ck_assert_int_gt(entry.id, 0);
	store_close(store);
	store = scratch_open(&scratch);
	seen = list(store, NOW);
	ck_assert_uint_eq(seen.n, 1);
	ck_assert_int_eq(seen.last.id, entry.id);
	ck_assert_str_eq(seen.iss, "https://i");
	ck_assert_str_eq(seen.sub, "al\"ice'; --");
	ck_assert_str_eq(seen.source, "operator");
	ck_assert(!seen.last.sid.n && !seen.last.jti.n && !seen.last.client.n);
	ck_assert_int_eq(seen.last.issued_before, 7);
	ck_assert_int_eq(seen.last.expires, NOW + 100);
	ck_assert_int_eq(seen.last.added, NOW);
	ck_assert_uint_eq(list(store, NOW + 100).n, 0);
	ck_assert_int_eq(store_revocations_purge(store, NOW + 99), 0);
	ck_assert_uint_eq(list(store, 0).n, 1);
	ck_assert_int_eq(store_revocations_purge(store, NOW + 100), 0);
	ck_assert_uint_eq(list(store, 0).n, 0);
	store_close(store);
}
END_TEST

START_TEST(merged)
{
	/*
	 * Goal: the same fields are one row that only grows; a dated and an undated
	 * one stay apart, and so do ids that were removed.
	 */
	cleanup(scratch) struct scratch scratch;
	struct store_revocation entry = of("i", "alice", 10);
	struct store_revocation again = of("i", "alice", 5);
	struct store_revocation undated = of("i", "alice", 0);
	char why[STORE_WHY];
	struct store *store;
	int64_t removed;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	again.expires = NOW + 300;
	ck_assert_int_eq(store_revoke(store, &entry, why), 0);
	ck_assert_int_eq(store_revoke(store, &again, why), 0);
	ck_assert_int_eq(again.id, entry.id);
	ck_assert_int_eq(again.issued_before, 10);
	ck_assert_int_eq(again.expires, NOW + 300);
	again.expires = NOW + 1;
	ck_assert_int_eq(store_revoke(store, &again, why), 0);
	ck_assert_int_eq(again.expires, NOW + 300);
	ck_assert_int_eq(store_revoke(store, &undated, why), 0);
	ck_assert_int_ne(undated.id, entry.id);
	ck_assert_uint_eq(list(store, NOW).n, 2);
	removed = undated.id;
	ck_assert_int_eq(store_unrevoke(store, removed, why), 0);
	ck_assert_int_eq(store_unrevoke(store, removed, why), -ENOENT);
	ck_assert_uint_eq(list(store, NOW).n, 1);
	ck_assert_int_eq(store_revoke(store, &undated, why), 0);
	ck_assert_int_gt(undated.id, removed);
	store_close(store);
}
END_TEST

START_TEST(refused)
{
	/* Goal: a revocation of nothing, or one that the disk does not take, is not acknowledged. */
	cleanup(scratch) struct scratch scratch;
	struct store_revocation entry = of("", "", 0);
	char why[STORE_WHY] = "";
	struct store *store;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	ck_assert_int_eq(store_revoke(store, &entry, why), -EIO);
	ck_assert_msg(strstr(why, "cannot be stored"), "%s", why);
	ck_assert_int_eq(entry.id, 0);
	scratch_sql(&scratch, "CREATE TRIGGER no BEFORE INSERT ON revocations BEGIN"
			      " SELECT RAISE(ABORT, 'no'); END");
	entry = of("i", "alice", 0);
	ck_assert_int_eq(store_revoke(store, &entry, why), -EIO);
	ck_assert_uint_eq(list(store, 0).n, 0);
	store_close(store);
}
END_TEST

START_TEST(upgrade)
{
	/* Goal: a file of the first version keeps its numbers and gets the new tables. */
	cleanup(scratch) struct scratch scratch;
	struct store_revocation entry = of("i", "alice", 0);
	char stamp[128];
	char why[STORE_WHY];
	struct store *store;

	scratch_init(&scratch);
	scratch_write(scratch.path, "", 0, 0600);
	scratch_sql(&scratch, store_schema_steps[0]);
	snprintf(stamp, sizeof(stamp), "PRAGMA application_id = %d; PRAGMA user_version = 1",
		STORE_APPLICATION_ID);
	scratch_sql(&scratch, stamp);
	scratch_sql(&scratch, "INSERT INTO identities VALUES (777, 'k8s:a=b;', 0)");
	store = scratch_open(&scratch);
	ck_assert_uint_eq(scratch_identity(store, "k8s:a=b;", 256, 65535), 777);
	ck_assert_int_eq(store_revoke(store, &entry, why), 0);
	store_close(store);
}
END_TEST

/* Revokes one subject after the other, and says so after each call has returned. */
static void revoke_for_ever(const char *path, int to, int round)
{
	struct store *store = NULL;
	char why[STORE_WHY];
	char sub[32];

	if (store_open(path, &store, why))
		_exit(1);
	for (int i = 0;; i++) {
		struct store_revocation entry;

		snprintf(sub, sizeof(sub), "sub-%d-%d", round, i);
		entry = of("i", sub, 0);
		if (store_revoke(store, &entry, why))
			_exit(2);
		if (write(to, &entry.id, sizeof(entry.id)) != (ssize_t)sizeof(entry.id))
			_exit(3);
	}
}

START_TEST(kill_nine)
{
	/* Goal: after kill -9 at a random moment, every revocation that was acknowledged is there. */
	cleanup(scratch) struct scratch scratch;
	int64_t acknowledged = 0, id;
	struct store *store;
	int status = 0, ends[2];
	pid_t pid;

	scratch_init(&scratch);
	for (int round = 0; round < 10; round++) {
		ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (!pid)
			revoke_for_ever(scratch.path, ends[1], round);
		close(ends[1]);
		usleep(10000 + (useconds_t)(round * 3917 % 20000));
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		while (read(ends[0], &id, sizeof(id)) == (ssize_t)sizeof(id))
			if (id > acknowledged)
				acknowledged = id;
		close(ends[0]);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFSIGNALED(status));
		store = scratch_open(&scratch);
		/* One row for each id, so so many rows are all of them. */
		ck_assert_uint_ge(list(store, NOW).n, (size_t)acknowledged);
		store_close(store);
	}
	ck_assert_int_gt(acknowledged, 0);
	printf("store: kill -9, 10 rounds: %lld revocations acknowledged, all there\n",
		(long long)acknowledged);
}
END_TEST

START_TEST(secrets)
{
	/* Goal: the first secret of a name is the one that everybody gets. */
	cleanup(scratch) struct scratch scratch;
	char one[4] = "one", two[4] = "two", five[5] = "five";
	char why[STORE_WHY];
	struct store *store;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	ck_assert_int_eq(store_secret(store, "a", one, sizeof(one), why), 0);
	ck_assert_str_eq(one, "one");
	store_close(store);
	store = scratch_open(&scratch);
	ck_assert_int_eq(store_secret(store, "a", two, sizeof(two), why), 0);
	ck_assert_str_eq(two, "one");
	ck_assert_int_eq(store_secret(store, "a", five, sizeof(five), why), -EBADMSG);
	ck_assert_str_eq(five, "five");
	ck_assert_int_eq(store_secret(store, "", one, sizeof(one), why), -EIO);
	store_close(store);
}
END_TEST

static int count_keys(void *arg, const struct store_signing_key *key)
{
	struct seen *seen = arg;

	seen->n++;
	snprintf(seen->sub, sizeof(seen->sub), "%.*s %.*s %.*s", SPAN_ARG(key->kid),
		SPAN_ARG(key->alg), SPAN_ARG(key->der));
	return seen->n == 3 ? -EMLINK : 0;
}

START_TEST(signing_keys)
{
	/* Goal: signing keys come back by age, and go when they have long stopped signing. */
	cleanup(scratch) struct scratch scratch;
	struct store_signing_key key = {SPAN("k1"), SPAN("ES256"), SPAN("der"), 200, 300};
	char why[STORE_WHY];
	struct seen seen = {0};
	struct store *store;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	ck_assert_int_eq(store_signing_put(store, &key, why), 0);
	ck_assert_int_eq(store_signing_put(store, &key, why), -EIO);
	key = (struct store_signing_key){SPAN("k0"), SPAN("EdDSA"), SPAN("old"), 100, 200};
	ck_assert_int_eq(store_signing_put(store, &key, why), 0);
	ck_assert_int_eq(store_signing_keys(store, count_keys, &seen), 0);
	ck_assert_uint_eq(seen.n, 2);
	ck_assert_str_eq(seen.sub, "k1 ES256 der");
	/* What visit says ends it. */
	ck_assert_int_eq(store_signing_keys(store, count_keys, &seen), -EMLINK);
	ck_assert_int_eq(store_signing_purge(store, 200), 0);
	seen = (struct seen){0};
	ck_assert_int_eq(store_signing_keys(store, count_keys, &seen), 0);
	ck_assert_uint_eq(seen.n, 1);
	store_close(store);
}
END_TEST

START_TEST(without_memory)
{
	/* Goal: whichever allocation of SQLite's fails, a revocation is stored or refused, not half. */
	cleanup(scratch) struct scratch scratch;
	char why[STORE_WHY];
	struct store *store;
	bool fired = true;
	size_t n = 0;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	for (long at = 0; fired; at++) {
		char sub[32];
		struct store_revocation entry;
		int r;

		snprintf(sub, sizeof(sub), "sub-%ld", at);
		entry = of("i", sub, 0);
		scratch_fail_begin(at, _i);
		r = store_revoke(store, &entry, why);
		fired = scratch_fail_end();
		ck_assert(r == 0 || r == -EIO);
		ck_assert(r == 0 || fired);
		n += r == 0;
		ck_assert_uint_eq(list(store, NOW).n, n);
		ck_assert_int_lt(at, 10000);
	}
	store_close(store);
}
END_TEST

Suite *revocations_suite(void)
{
	Suite *suite = suite_create("revocations");
	TCase *tc = tcase_create("revocations");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, round_trip);
	tcase_add_test(tc, merged);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, upgrade);
	tcase_add_test(tc, kill_nine);
	tcase_add_test(tc, secrets);
	tcase_add_test(tc, signing_keys);
	tcase_add_loop_test(tc, without_memory, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}
