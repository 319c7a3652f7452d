#include "tests/unit/token/suites.h"

#include "token/revocation.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW 1800000000

/* iss, sub, sid, jti, client; "" where nothing is said. */
static void fill(struct span fields[TOKEN_REVOKE_FIELDS], const char *const texts[])
{
	for (size_t i = 0; i < TOKEN_REVOKE_FIELDS; i++)
		fields[i] = span_of(texts[i]);
}

static const char *const TOKEN[] = {"https://i", "alice", "s1", "j1", "app"};

static int add(struct token_revocations *list, int64_t id, const char *const texts[],
	int64_t issued_before, int64_t expires)
{
	struct token_revocation what = {
		.id = id, .issued_before = issued_before, .expires = expires};

	fill(what.fields, texts);
	return token_revocations_add(list, &what, NOW);
}

static int64_t match(
	struct token_revocations *list, const char *const texts[], int64_t iat, int64_t now)
{
	struct token_revocable token = {.iat = iat};

	fill(token.fields, texts);
	return token_revocations_match(list, &token, now);
}

START_TEST(every_combination)
{
	/*
	 * Goal: row 13: for each of the 31 combinations of claims, the token that
	 * has them all is revoked, one that differs in any of them or lacks it is
	 * not, and one that differs only elsewhere is.
	 */
	unsigned combination = (unsigned)_i;
	cleanup(token_revocations) struct token_revocations *list = token_revocations_new(10);
	const char *wanted[TOKEN_REVOKE_FIELDS];

	for (unsigned i = 0; i < TOKEN_REVOKE_FIELDS; i++)
		wanted[i] = combination & 1U << i ? TOKEN[i] : "";
	ck_assert_int_eq(add(list, 7, wanted, 0, NOW + 10), 0);
	ck_assert_int_eq(match(list, TOKEN, NOW, NOW), 7);
	for (unsigned i = 0; i < TOKEN_REVOKE_FIELDS; i++) {
		const char *other[TOKEN_REVOKE_FIELDS];
		int64_t want = combination & 1U << i ? 0 : 7;

		memcpy(other, TOKEN, sizeof(other));
		other[i] = "other";
		ck_assert_int_eq(match(list, other, NOW, NOW), want);
		other[i] = "";
		ck_assert_int_eq(match(list, other, NOW, NOW), want);
	}
}
END_TEST

START_TEST(times)
{
	/* Goal: an entry ends when it expires; issued_before spares tokens that came later. */
	static const char *const SUB[] = {"", "alice", "", "", ""};
	cleanup(token_revocations) struct token_revocations *list = token_revocations_new(10);

	ck_assert_int_eq(match(list, TOKEN, NOW, NOW), 0);
	ck_assert_int_eq(add(list, 1, SUB, NOW - 5, NOW + 10), 0);
	ck_assert_int_eq(match(list, TOKEN, NOW - 6, NOW), 1);
	ck_assert_int_eq(match(list, TOKEN, NOW - 5, NOW), 0);
	/* Without iat it cannot say that it is newer. */
	ck_assert_int_eq(match(list, TOKEN, 0, NOW), 1);
	ck_assert_int_eq(match(list, TOKEN, NOW - 6, NOW + 9), 1);
	ck_assert_int_eq(match(list, TOKEN, NOW - 6, NOW + 10), 0);
	ck_assert_uint_eq(token_revocations_count(list, NOW), 1);
	ck_assert_uint_eq(token_revocations_count(list, NOW + 10), 0);
}
END_TEST

START_TEST(replace_and_remove)
{
	/* Goal: the same id is the same entry; a removed one revokes nobody. */
	static const char *const SUB[] = {"", "alice", "", "", ""};
	static const char *const JTI[] = {"", "", "", "j1", ""};
	static const char *const NONE[] = {"", "", "", "", ""};
	cleanup(token_revocations) struct token_revocations *list = token_revocations_new(1);

	ck_assert_int_eq(add(list, 1, NONE, 0, NOW + 10), -EINVAL);
	ck_assert_int_eq(add(list, 1, SUB, 0, NOW + 10), 0);
	ck_assert_int_eq(add(list, 1, SUB, NOW, NOW + 10), 0);
	ck_assert_uint_eq(token_revocations_count(list, NOW), 1);
	ck_assert_int_eq(match(list, TOKEN, NOW, NOW), 0);
	ck_assert_int_eq(match(list, TOKEN, NOW - 1, NOW), 1);
	/* Full: said, not forgotten. */
	ck_assert_int_eq(add(list, 2, JTI, 0, NOW + 10), -ENOSPC);
	ck_assert_int_eq(match(list, TOKEN, NOW, NOW), 0);
	ck_assert(!token_revocations_remove(list, 2));
	ck_assert(token_revocations_remove(list, 1));
	ck_assert(!token_revocations_remove(list, 1));
	ck_assert_int_eq(match(list, TOKEN, NOW - 1, NOW), 0);
	ck_assert_int_eq(add(list, 2, JTI, 0, NOW + 10), 0);
	ck_assert_int_eq(match(list, TOKEN, NOW, NOW), 2);
}
END_TEST

START_TEST(many)
{
	/* Goal: a full list finds each of its entries, and compacting loses none. */
	enum { MANY = 5000 };
	struct token_revocations *list = token_revocations_new(MANY);
	struct token_revocations *next;
	const char *texts[] = {"", "", "", NULL, ""};
	char jti[16];

	texts[3] = jti;
	for (int i = 1; i <= MANY; i++) {
		snprintf(jti, sizeof(jti), "j%d", i);
		ck_assert_int_eq(add(list, i, texts, 0, NOW + (i % 10 ? 10 : 1000)), 0);
	}
	ck_assert_ptr_null(token_revocations_compact(list, NOW));
	next = token_revocations_compact(list, NOW + 10);
	ck_assert_ptr_nonnull(next);
	ck_assert_uint_eq(token_revocations_count(next, NOW + 10), MANY / 10);
	/* Whoever still has the old list sees what is added to the new one. */
	snprintf(jti, sizeof(jti), "later");
	ck_assert_int_eq(add(next, MANY + 1, texts, 0, NOW + 1000), 0);
	ck_assert_int_eq(match(list, texts, NOW, NOW + 20), MANY + 1);
	for (int i = 1; i <= MANY; i++) {
		int64_t want = i % 10 ? 0 : i;

		snprintf(jti, sizeof(jti), "j%d", i);
		if (match(list, texts, NOW, NOW + 20) != want ||
			match(next, texts, NOW, NOW + 20) != want)
			ck_abort_msg("%d is wrong", i);
	}
	token_revocations_unref(next);
	ck_assert_int_eq(match(list, texts, NOW, NOW + 20), MANY);
	token_revocations_unref(list);
}
END_TEST

struct reader {
	struct token_revocations *list;
	atomic_bool stop;
	atomic_uint added; /* entries that the writer has returned from */
	unsigned missed;
};

static void *read_all(void *arg)
{
	struct reader *reader = arg;
	const char *texts[] = {"", "", NULL, "", ""};
	char sid[16];

	texts[2] = sid;
	while (!atomic_load(&reader->stop)) {
		unsigned n = atomic_load(&reader->added);

		if (!n)
			continue;
		snprintf(sid, sizeof(sid), "s%u", n);
		reader->missed += match(reader->list, texts, NOW, NOW) != n;
	}
	return NULL;
}

START_TEST(threads)
{
	/* Goal: what add returned from, every thread sees from then on. */
	struct reader reader = {.list = token_revocations_new(20000)};
	const char *texts[] = {"", "", NULL, "", ""};
	pthread_t thread;
	char sid[16];

	texts[2] = sid;
	ck_assert_int_eq(pthread_create(&thread, NULL, read_all, &reader), 0);
	for (unsigned i = 1; i <= 20000; i++) {
		snprintf(sid, sizeof(sid), "s%u", i);
		ck_assert_int_eq(add(reader.list, i, texts, 0, NOW + 10), 0);
		atomic_store(&reader.added, i);
	}
	atomic_store(&reader.stop, true);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(reader.missed, 0);
	token_revocations_unref(reader.list);
}
END_TEST

START_TEST(no_memory)
{
	/* Goal: without memory nothing is added, and the list stays as it was. */
	cleanup(token_revocations) struct token_revocations *list = token_revocations_new(10);

	struct token_revocations *other;
	int r;

	allocations_left = 0;
	other = token_revocations_new(10);
	r = add(list, 1, TOKEN, 0, NOW + 10);
	allocations_left = -1;
	ck_assert_ptr_null(other);
	ck_assert_int_eq(r, -ENOMEM);
	ck_assert_int_eq(match(list, TOKEN, NOW, NOW), 0);
	ck_assert_uint_eq(token_revocations_count(list, NOW), 0);
	token_revocations_unref(NULL);
	ck_assert_int_eq(token_revocations_match(NULL, &(struct token_revocable){0}, NOW), 0);
}
END_TEST

Suite *suite_revocation(void)
{
	Suite *suite = suite_create("revocation");
	TCase *tcase = tcase_create("revocation");

	tcase_add_loop_test(tcase, every_combination, 1, 1 << TOKEN_REVOKE_FIELDS);
	tcase_add_test(tcase, times);
	tcase_add_test(tcase, replace_and_remove);
	tcase_add_test(tcase, many);
	tcase_add_test(tcase, threads);
	tcase_add_test(tcase, no_memory);
	suite_add_tcase(suite, tcase);
	return suite;
}
