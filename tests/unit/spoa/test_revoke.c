#include "tests/unit/spoa/suites.h"

#include "spoa/revoke.h"
#include "tests/unit/spoa/help.h"
#include "token/json.h"

#include <errno.h>
#include <stdio.h>

#define NOW HELP_NOW_S

static char dir[64];
static char path[80];
static struct store *store;
static struct spoa_revoke *rv;
static unsigned n_changed, n_revoked;

static void changed(void *arg)
{
	ck_assert_ptr_eq(arg, &n_changed);
	n_changed++;
}

static void revoked(void *arg, const struct token_revocation *what)
{
	ck_assert_ptr_eq(arg, &n_changed);
	ck_assert_int_ne(what->id, 0);
	n_revoked++;
}

static void open_at(size_t max, int64_t now_s)
{
	const struct spoa_revoke_owner owner = {changed, revoked, NULL, &n_changed};
	char why[STORE_WHY];

	ck_assert_int_eq(store_open(path, &store, why), 0);
	ck_assert_int_eq(spoa_revoke_new(store, max, &owner, now_s, &rv, why), 0);
}

static void open_all(size_t max)
{
	open_at(max, NOW);
}

static void close_all(void)
{
	spoa_revoke_free(rv);
	store_close(store);
}

static void setup(void)
{
	help_mkdir(dir);
	snprintf(path, sizeof(path), "%s/store", dir);
	n_changed = n_revoked = 0;
	open_all(3);
}

static void teardown(void)
{
	close_all();
	help_rmdir(dir);
}

static int add(const char *sub, int64_t expires, int64_t *ret_id)
{
	struct store_revocation entry = {
		.sub = span_of(sub), .expires = expires, .added = NOW, .source = SPAN("operator")};
	char why[STORE_WHY] = "";
	int rc = spoa_revoke_add(rv, &entry, NOW, why);

	ck_assert_int_eq(rc != 0, *why != '\0');
	if (ret_id)
		*ret_id = entry.id;
	return rc;
}

static bool is_revoked(const char *sub)
{
	struct token_revocable token = {.fields[TOKEN_REVOKE_SUB] = span_of(sub)};

	return token_revocations_match(spoa_revoke_list(rv), &token, NOW) != 0;
}

START_TEST(life)
{
	/* Goal: promise 7: what was acknowledged is in force, at once and after a restart. */
	int64_t id;
	char why[STORE_WHY];

	ck_assert_int_eq(add("alice", NOW + 10, &id), 0);
	ck_assert_uint_eq(n_revoked, 1);
	ck_assert(is_revoked("alice") && !is_revoked("bob"));
	close_all();
	open_all(3);
	ck_assert(is_revoked("alice"));
	ck_assert_int_eq(spoa_revoke_remove(rv, id, why), 0);
	ck_assert_int_eq(spoa_revoke_remove(rv, id, why), -ENOENT);
	ck_assert(!is_revoked("alice"));
	close_all();
	open_all(3);
	ck_assert(!is_revoked("alice"));
}
END_TEST

START_TEST(clock_steps)
{
	/* Goal: a wall clock that jumps past the end of a revocation and back revives nobody, not
	 * even over a restart; what has long expired does go. */
	ck_assert_int_eq(add("alice", NOW + 10, NULL), 0);
	close_all();
	open_at(3, NOW + 3600);
	ck_assert(is_revoked("alice"));
	close_all();
	open_at(3, NOW - 3600);
	ck_assert(is_revoked("alice"));
	close_all();
	open_at(3, NOW + 8000);
	close_all();
	open_all(3);
	ck_assert(!is_revoked("alice"));
}
END_TEST

START_TEST(refused)
{
	/* Goal: what is refused is neither stored nor in force, and says why. */
	ck_assert_int_eq(add("", NOW + 10, NULL), -EINVAL);
	ck_assert_int_eq(add("alice", NOW, NULL), -EINVAL);
	ck_assert_int_eq(add("a", NOW + 10, NULL), 0);
	ck_assert_int_eq(add("b", NOW + 10, NULL), 0);
	ck_assert_int_eq(add("c", NOW + 10, NULL), 0);
	ck_assert_int_eq(add("d", NOW + 10, NULL), -ENOSPC);
	ck_assert(!is_revoked("d"));
	ck_assert_uint_eq(spoa_revoke_count(rv, NOW), 3);
	close_all();
	open_all(3);
	ck_assert(!is_revoked("d") && is_revoked("c"));
}
END_TEST

START_TEST(too_many_stored)
{
	/* Goal: a smaller max_entries than what is in force is refused: nothing is good again. */
	const struct spoa_revoke_owner owner = {.changed = changed, .arg = &n_changed};
	struct spoa_revoke *other = NULL;
	char why[STORE_WHY] = "";

	ck_assert_int_eq(add("a", NOW + 10, NULL), 0);
	ck_assert_int_eq(add("b", NOW + 10, NULL), 0);
	ck_assert_int_eq(spoa_revoke_new(store, 1, &owner, NOW, &other, why), -ENOSPC);
	ck_assert_ptr_null(other);
	ck_assert_ptr_nonnull(strstr(why, "revocation.max_entries"));
}
END_TEST

START_TEST(compacted)
{
	/* Goal: after many have come and gone the list is another one, and somebody is told. */
	char sub[16];
	char why[STORE_WHY];

	for (int i = 0; i < 1100 && !n_changed; i++) {
		int64_t id;

		snprintf(sub, sizeof(sub), "s%d", i);
		ck_assert_int_eq(add(sub, NOW + 10, &id), 0);
		if (!n_changed)
			ck_assert_int_eq(spoa_revoke_remove(rv, id, why), 0);
	}
	ck_assert_uint_eq(n_changed, 1);
	ck_assert(is_revoked(sub));
}
END_TEST

START_TEST(shown)
{
	/* Goal: the list for people has every field that is asked for, and no other. */
	struct store_revocation entry = {.iss = SPAN("https://i"),
		.sid = SPAN("s"),
		.issued_before = 7,
		.expires = NOW + 10,
		.added = NOW,
		.source = SPAN("logout")};
	char why[STORE_WHY];
	cleanup(json) json_t *list = NULL;
	const json_t *one;

	ck_assert_int_eq(spoa_revoke_add(rv, &entry, NOW, why), 0);
	list = spoa_revoke_json(rv, NOW);
	one = json_array_get(json_object_get(list, "revocations"), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(list, "count")), 1);
	ck_assert_int_eq(json_integer_value(json_object_get(list, "max")), 3);
	ck_assert_str_eq(json_string_value(json_object_get(one, "iss")), "https://i");
	ck_assert_str_eq(json_string_value(json_object_get(one, "source")), "logout");
	ck_assert_int_eq(json_integer_value(json_object_get(one, "issued_before")), 7);
	ck_assert_uint_eq(json_object_size(one), 7);
}
END_TEST

START_TEST(ttl)
{
	/* Goal: no token outlives its revocation: the longest lifetime and both leeways. */
	struct spoa_config *config = help_config(HELP_HEAD
		"providers:\n"
		"  - {name: a, issuer: 'https://a', audiences: [x], max_lifetime: 1h}\n"
		"  - {name: b, issuer: 'https://b', audiences: [x], max_lifetime: 2h, leeway: 5s}\n"
		"roles: [{name: admin, labels: [role=admin], number: 200}]\n");

	ck_assert_int_eq(spoa_revoke_ttl(config->conf), 7200 + 10 + 1);
	spoa_config_unref(config);
	config = help_config(
		HELP_HEAD "providers:\n"
			  "  - {name: a, issuer: 'https://a', audiences: [x], max_lifetime: 0}\n"
			  "roles: [{name: admin, labels: [role=admin], number: 200}]\n");
	ck_assert_int_ge(spoa_revoke_ttl(config->conf), 366 * 24 * 3600);
	spoa_config_unref(config);
}
END_TEST

Suite *suite_revoke(void)
{
	Suite *suite = suite_create("revoke");
	TCase *tc = tcase_create("revoke");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, life);
	tcase_add_test(tc, clock_steps);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, too_many_stored);
	tcase_add_test(tc, compacted);
	tcase_add_test(tc, shown);
	tcase_add_test(tc, ttl);
	suite_add_tcase(suite, tc);
	return suite;
}
