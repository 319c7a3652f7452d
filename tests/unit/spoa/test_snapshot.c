#include "tests/unit/spoa/suites.h"

#include "spoa/snapshot.h"
#include "tests/unit/spoa/help.h"

START_TEST(new)
{
	/* A snapshot has the configuration's rules, no keys yet, and is never older than its parts. */
	struct spoa_config *config = help_config(HELP_HEAD HELP_ONE);
	struct spoa_maps *maps = spoa_maps_new(NULL);
	struct spoa_snapshot *snapshot = spoa_snapshot_new(config, SPOA_ENFORCEMENT_ON, maps);

	spoa_config_unref(config);
	spoa_maps_unref(maps);
	ck_assert_uint_eq(snapshot->n_issuers, 1);
	ck_assert_str_eq(snapshot->issuers[0].rules.issuer, "https://a");
	ck_assert_ptr_null(snapshot->issuers[0].keys);
	ck_assert_uint_eq(snapshot->ages[0].fetched_at, 0);
	ck_assert_ptr_eq(snapshot->maps, maps);
	ck_assert_int_eq(snapshot->enforcement, SPOA_ENFORCEMENT_ON);
	help_key(snapshot, 0, test_key_of(TOKEN_ES256), "k", 1);
	ck_assert_ptr_eq(spoa_snapshot_ref(snapshot), snapshot);
	spoa_snapshot_unref(snapshot);
	ck_assert_uint_eq(token_keyset_count(snapshot->issuers[0].keys), 1);
	spoa_snapshot_unref(snapshot);
	spoa_snapshot_unref(NULL);
	spoa_maps_unref(spoa_maps_ref(NULL));
}
END_TEST

START_TEST(kid)
{
	/* A key is found by its print in every set that has it under the same id, and in no other. */
	struct spoa_config *config = help_config(HELP_HEAD HELP_ONE);
	struct spoa_snapshot *snapshot = help_snapshot(config);
	uint64_t print;

	ck_assert_uint_eq(spoa_snapshot_kid(snapshot, 0, 1).n, 0);
	help_key(snapshot, 0, test_key_of(TOKEN_ES256), "k", 1);
	print = token_keyset_at(snapshot->issuers[0].keys, 0)->print;
	ck_assert(span_is(spoa_snapshot_kid(snapshot, 0, print), "k"));
	ck_assert_uint_eq(spoa_snapshot_kid(snapshot, 0, print + 1).n, 0);
	help_key(snapshot, 0, test_key_of(TOKEN_ES256), "k", 2);
	ck_assert(span_is(spoa_snapshot_kid(snapshot, 0, print), "k"));
	help_key(snapshot, 0, test_key_of(TOKEN_ES256), "other", 3);
	ck_assert_uint_eq(spoa_snapshot_kid(snapshot, 0, print).n, 0);
	help_key(snapshot, 0, test_key_of(TOKEN_RS256), "k", 4);
	ck_assert_uint_eq(spoa_snapshot_kid(snapshot, 0, print).n, 0);
	spoa_snapshot_unref(snapshot);
	spoa_config_unref(config);
}
END_TEST

START_TEST(names)
{
	/* The words of status and log. */
	ck_assert_str_eq(spoa_enforcement_name(SPOA_ENFORCEMENT_OFF), "off");
	ck_assert_str_eq(spoa_enforcement_name(SPOA_ENFORCEMENT_NONE), "not_enforced");
	ck_assert_str_eq(spoa_enforcement_name(SPOA_ENFORCEMENT_ON), "enforced");
	ck_assert_str_eq(spoa_enforcement_name(SPOA_ENFORCEMENT_LOST), "lost");
}
END_TEST

Suite *suite_snapshot(void)
{
	Suite *suite = suite_create("snapshot");
	TCase *tc = tcase_create("snapshot");

	tcase_add_test(tc, new);
	tcase_add_test(tc, kid);
	tcase_add_test(tc, names);
	suite_add_tcase(suite, tc);
	return suite;
}
