#include "tests/unit/spoa/suites.h"

#include "spoa/provider.h"
#include "tests/unit/spoa/help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char dir[64], path[128];

static void setup(void)
{
	help_mkdir(dir);
	snprintf(path, sizeof(path), "%s/file", dir);
}

static void teardown(void)
{
	help_rmdir(dir);
}

/* What is wrong with a configuration that has this provider; "" when nothing (static). */
static const char *mistakes(const char *provider)
{
	static char said[512];
	cleanup(free) char *yaml = NULL;
	struct spoa_config *config = NULL;
	struct base_diag diag;

	ck_assert_int_gt(asprintf(&yaml,
				 HELP_HEAD "providers:\n  - {name: p, %s}\n"
					   "roles: [{name: r, labels: [a=b]}]\n",
				 provider),
		0);
	base_diag_init(&diag, "test");
	said[0] = '\0';
	if (spoa_config_new(help_conf(yaml), NULL, &diag, &config) == 0)
		spoa_config_unref(config);
	else
		snprintf(said, sizeof(said), "%s", diag.items[0].text);
	base_diag_done(&diag);
	return said;
}

static const char *secret_mistakes(const char *text, mode_t mode)
{
	static const char PROVIDER[] = "issuer: 'https://p', audiences: [a], algorithms: [HS256], "
				       "secret_file: %s/file";
	char provider[256];

	help_write(path, text);
	ck_assert_int_eq(chmod(path, mode), 0);
	snprintf(provider, sizeof(provider), PROVIDER, dir);
	return mistakes(provider);
}

START_TEST(secrets)
{
	/* A secret is long enough and nobody else's, or the configuration is refused and says why. */
	static const char SHORT[] = "0123456789abcdef0123456789abcde";

	ck_assert_str_eq(secret_mistakes(TEST_SECRET, 0600), "");
	ck_assert_str_eq(secret_mistakes(TEST_SECRET "\n", 0640), "");
	ck_assert_str_eq(secret_mistakes(TEST_SECRET, 0400), "");
	ck_assert_ptr_nonnull(strstr(secret_mistakes(TEST_SECRET, 0644), "others may read"));
	ck_assert_ptr_nonnull(strstr(secret_mistakes(TEST_SECRET, 0601), "others may read"));
	ck_assert_ptr_nonnull(strstr(secret_mistakes(TEST_SECRET, 0660), "others may read"));
	ck_assert_ptr_nonnull(strstr(secret_mistakes(SHORT, 0600), "shorter than"));
	ck_assert_ptr_nonnull(
		strstr(secret_mistakes("0123456789abcdef0123456789abcde\n", 0600), "shorter than"));
	ck_assert_ptr_nonnull(strstr(secret_mistakes("", 0600), "shorter than"));
}
END_TEST

START_TEST(bundles)
{
	/* A bundle that is missing or holds no certificate is a mistake in the configuration. */
	char provider[256];

	snprintf(provider, sizeof(provider), "trust_bundle: %s/file", dir);
	ck_assert_ptr_nonnull(strstr(mistakes(provider), "No such file"));
	help_write(path, "nothing here");
	ck_assert_ptr_nonnull(strstr(mistakes(provider), "it holds no certificate"));
}
END_TEST

START_TEST(said_nothing)
{
	/* No message holds a secret. */
	ck_assert_ptr_null(strstr(secret_mistakes("hunter2hunter2", 0600), "hunter2"));
	ck_assert_ptr_null(strstr(secret_mistakes("hunter2hunter2", 0666), "hunter2"));
}
END_TEST

Suite *suite_provider(void)
{
	Suite *suite = suite_create("provider");
	TCase *tc = tcase_create("provider");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, secrets);
	tcase_add_test(tc, bundles);
	tcase_add_test(tc, said_nothing);
	suite_add_tcase(suite, tc);
	return suite;
}
