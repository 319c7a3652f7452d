#include "tests/unit/spoa/suites.h"

#include "spoa/keyring.h"
#include "tests/unit/spoa/help.h"
#include "token/json.h"

#include <sqlite3.h>
#include <stdio.h>

#define NOW HELP_NOW_S
#define DAY 86400

/* Keys live 30 days and are published one day before. */
#define CONFIG                                                                                     \
	HELP_HEAD HELP_ONE "assertion: {issuer: 'https://edge'}\n"                                 \
			   "assertions:\n"                                                         \
			   "  - {name: one, audience: one, ttl: 10m}\n"                            \
			   "  - {name: two, audience: two, algorithm: EdDSA}\n"

static char dir[64];
static char path[80];
static struct store *store;
static struct spoa_keyring *keyring;
static struct conf *conf;

static void open_all(void)
{
	char why[STORE_WHY];

	ck_assert_int_eq(store_open(path, &store, why), 0);
	ck_assert_int_eq(spoa_keyring_new(store, &keyring, why), 0);
}

static void close_all(void)
{
	spoa_keyring_free(keyring);
	store_close(store);
}

static void setup(void)
{
	help_mkdir(dir);
	snprintf(path, sizeof(path), "%s/store", dir);
	conf = help_conf(CONFIG);
	open_all();
}

static void teardown(void)
{
	close_all();
	conf_free(conf);
	help_rmdir(dir);
}

static bool tick(int64_t now)
{
	char why[STORE_WHY];
	bool changed = false;

	ck_assert_int_eq(spoa_keyring_tick(keyring, conf, now, &changed, why), 0);
	return changed;
}

static const char *kid_at(enum token_alg alg, int64_t now)
{
	const struct token_signer *signer =
		spoa_signers_at(spoa_keyring_signers(keyring), alg, now);

	return signer ? token_signer_kid(signer) : "";
}

static bool is_published(const char *kid)
{
	return strstr(spoa_signers_jwks(spoa_keyring_signers(keyring)), kid) != NULL;
}

START_TEST(first)
{
	/* Goal: at the first start there is a key for each algorithm in use, and it stays. */
	char kid[64];

	ck_assert_str_eq(spoa_signers_jwks(spoa_keyring_signers(keyring)), "{\"keys\":[]}");
	ck_assert(tick(NOW));
	ck_assert(!tick(NOW + 1));
	snprintf(kid, sizeof(kid), "%s", kid_at(TOKEN_ES256, NOW));
	ck_assert(*kid && *kid_at(TOKEN_EDDSA, NOW));
	ck_assert(is_published(kid));
	ck_assert_ptr_null(strstr(spoa_signers_jwks(spoa_keyring_signers(keyring)), "\"d\""));
	close_all();
	open_all();
	ck_assert(!tick(NOW + 2));
	ck_assert_str_eq(kid_at(TOKEN_ES256, NOW + 2), kid);
}
END_TEST

START_TEST(rotation)
{
	/*
	 * Goal: the next key is published a day before it signs; the old one stays
	 * published until its last assertion has ended, and then goes.
	 */
	char old[64];
	char next[64];

	ck_assert(tick(NOW));
	snprintf(old, sizeof(old), "%s", kid_at(TOKEN_ES256, NOW));
	ck_assert(!tick(NOW + 29 * DAY - 1));
	ck_assert(tick(NOW + 29 * DAY));
	ck_assert(!tick(NOW + 29 * DAY));
	ck_assert_str_eq(kid_at(TOKEN_ES256, NOW + 30 * DAY - 1), old);
	snprintf(next, sizeof(next), "%s", kid_at(TOKEN_ES256, NOW + 30 * DAY));
	ck_assert_str_ne(next, old);
	ck_assert(is_published(old) && is_published(next));
	/* 10 minutes of life, 5 of skew. */
	ck_assert(!tick(NOW + 30 * DAY + 899));
	ck_assert(is_published(old));
	ck_assert(tick(NOW + 30 * DAY + 900));
	ck_assert(!is_published(old) && is_published(next));
}
END_TEST

START_TEST(long_down)
{
	/* Goal: after a long time without the daemon there is a key at once. */
	ck_assert(tick(NOW));
	ck_assert(tick(NOW + 300 * DAY));
	ck_assert(*kid_at(TOKEN_ES256, NOW + 300 * DAY));
	ck_assert_str_eq(kid_at(TOKEN_RS256, NOW), "");
}
END_TEST

START_TEST(no_store)
{
	/* Goal: when a key cannot be stored it is not used, and what is there goes on. */
	char why[STORE_WHY] = "";
	char kid[64];
	bool changed = false;
	sqlite3 *db = NULL;

	ck_assert(tick(NOW));
	snprintf(kid, sizeof(kid), "%s", kid_at(TOKEN_ES256, NOW));
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db,
				 "CREATE TRIGGER no BEFORE INSERT ON signing_keys BEGIN"
				 " SELECT RAISE(ABORT, 'no'); END",
				 NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	ck_assert_int_ne(spoa_keyring_tick(keyring, conf, NOW + 29 * DAY, &changed, why), 0);
	ck_assert(!changed && *why);
	ck_assert_str_eq(kid_at(TOKEN_ES256, NOW + 31 * DAY), kid);
}
END_TEST

Suite *suite_keyring(void)
{
	Suite *suite = suite_create("keyring");
	TCase *tc = tcase_create("keyring");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, first);
	tcase_add_test(tc, rotation);
	tcase_add_test(tc, long_down);
	tcase_add_test(tc, no_store);
	suite_add_tcase(suite, tc);
	return suite;
}
