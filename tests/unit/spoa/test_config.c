#include "tests/unit/spoa/suites.h"

#include "spoa/config.h"
#include "tests/unit/spoa/help.h"

#include <errno.h>
#include <stdio.h>

#define PROVIDER                                                                                   \
	HELP_HEAD "providers:\n"                                                                   \
		  "  - {name: a, issuer: 'https://a', audiences: [x, y], algorithms: [ES256],\n"   \
		  "     types: [at+jwt], type_required: true, leeway: 7s, max_lifetime: 2h,\n"     \
		  "     max_token_size: 3KiB}\n"

static char dir[64];
static struct store *store;

static void setup(void)
{
	char path[100];
	char why[STORE_WHY];

	help_mkdir(dir);
	snprintf(path, sizeof(path), "%s/state.db", dir);
	ck_assert_int_eq(store_open(path, &store, why), 0);
}

static void teardown(void)
{
	store_close(store);
	help_rmdir(dir);
}

/* With the store; NULL and the first mistake in text when it is refused. */
static struct spoa_config *compile(const char *yaml, char text[224])
{
	struct spoa_config *config = NULL;
	struct base_diag diag;
	int rc;

	base_diag_init(&diag, "test");
	rc = spoa_config_new(help_conf(yaml), store, &diag, &config);
	ck_assert_int_eq(rc == 0, config != NULL);
	ck_assert_int_eq(rc == 0, diag.n_found == 0);
	text[0] = '\0';
	if (diag.n_items)
		snprintf(text, 224, "%s", diag.items[0].text);
	base_diag_done(&diag);
	return config;
}

START_TEST(rules)
{
	/* A provider's rules are those of the file, in token's terms. */
	struct spoa_config *config =
		help_config(PROVIDER "roles: [{name: r, labels: [a=b], number: 200}]\n");
	const struct token_provider *r = &config->rules[0];

	ck_assert_str_eq(r->name, "a");
	ck_assert_str_eq(r->issuer, "https://a");
	ck_assert_uint_eq(r->n_audiences, 2);
	ck_assert_str_eq(r->audiences[1], "y");
	ck_assert_uint_eq(r->n_types, 1);
	ck_assert(r->type_required);
	ck_assert_uint_eq(r->algs, TOKEN_ALG_BIT(TOKEN_ES256));
	ck_assert_int_eq(r->leeway_s, 7);
	ck_assert_int_eq(r->max_lifetime_s, 7200);
	ck_assert_uint_eq(r->max_bytes, 3072);
	spoa_config_unref(spoa_config_ref(config));
	ck_assert_str_eq(config->rules[0].name, "a");
	spoa_config_unref(config);
	spoa_config_unref(NULL);
}
END_TEST

START_TEST(roles)
{
	/* Roles keep their order, their conditions and get the two labels that every identity has. */
	struct spoa_config *config = help_config(PROVIDER
		"roles:\n"
		"  - {name: one, when: [{claim: scope, all: [r, w]}, {claim: x, exists: true}],\n"
		"     labels: ['z:b=1', a=2], number: 200, kill_on_expiry: true}\n"
		"  - {name: two, provider: a, when: [{claim: [p, q], any: [u]}],\n"
		"     labels: [c=3], number: 201, require_binding: true, route: be}\n");

	ck_assert_str_eq(config->roles[0].labels,
		"k8s:a=2;z:b=1;k8s:io.cilium.k8s.policy.cluster=default;"
		"k8s:io.kubernetes.pod.namespace=identity-edge;");
	ck_assert_uint_eq(config->roles[0].n_conditions, 2);
	ck_assert(config->roles[0].conditions[0].space_separated);
	ck_assert_int_eq(config->roles[0].conditions[0].test, IDENT_ALL);
	ck_assert_int_eq(config->roles[0].conditions[1].test, IDENT_EXISTS);
	ck_assert_int_eq(config->roles[0].number.from, IDENT_FIXED);
	ck_assert(config->roles[0].kill_on_expiry && !config->roles[0].require_binding);
	ck_assert_ptr_null(config->roles[0].provider);
	ck_assert_uint_eq(config->roles[1].conditions[0].n_path, 2);
	ck_assert_str_eq(config->roles[1].provider, "a");
	ck_assert_str_eq(config->roles[1].route, "be");
	ck_assert(config->roles[1].require_binding);
	spoa_config_unref(config);
}
END_TEST

START_TEST(numbers_stay)
{
	/* A role without a number gets one that it keeps, whatever comes before it later. */
	char text[224];
	struct spoa_config *config = compile(PROVIDER "roles: [{name: r, labels: [a=b]}]\n", text);
	uint32_t id;

	ck_assert_ptr_nonnull(config);
	id = config->roles[0].number.id;
	ck_assert_uint_ge(id, 256);
	ck_assert_int_eq(config->roles[0].number.from, IDENT_LOCAL);
	spoa_config_unref(config);
	config = compile(
		PROVIDER "roles: [{name: q, labels: [c=d]}, {name: r, labels: [a=b]}]\n", text);
	ck_assert_ptr_nonnull(config);
	ck_assert_uint_eq(config->roles[1].number.id, id);
	ck_assert_uint_ne(config->roles[0].number.id, id);
	spoa_config_unref(config);
}
END_TEST

START_TEST(fixed_goes_first)
{
	/* A fixed number in the range of the allocated ones is not given away to a role before it. */
	char text[224];
	struct spoa_config *config = compile(PROVIDER
		"roles: [{name: r, labels: [a=b]}, {name: f, labels: [c=d], number: 256}]\n",
		text);

	ck_assert_msg(config, "%s", text);
	ck_assert_uint_eq(config->roles[1].number.id, 256);
	ck_assert_uint_ne(config->roles[0].number.id, 256);
	spoa_config_unref(config);
}
END_TEST

static const struct {
	const char *roles, *text;
} REFUSED[] = {
	{"roles: [{name: r, labels: ['reserved:a=b'], number: 200}]\n", "role r: label"},
	{"roles: [{name: r, labels: [a=b, 'x:a=c'], number: 200}]\n", "role r: "},
	{"roles: [{name: r, labels: ['io.kubernetes.pod.namespace=kube-system'], number: 200}]\n",
		"role r: "},
	{"identity: {local_min: 300, local_max: 300}\n"
	 "roles: [{name: q, labels: [a=b]}, {name: r, labels: [c=d]}]\n",
		"role r: the identity numbers 300 to 300 are used up"},
};

START_TEST(refused)
{
	/* What only the rooms behind can see is refused with the role that it is about. */
	char yaml[2000], text[224];

	snprintf(yaml, sizeof(yaml), "%s%s", PROVIDER, REFUSED[_i].roles);
	ck_assert_ptr_null(compile(yaml, text));
	ck_assert_msg(!strncmp(text, REFUSED[_i].text, strlen(REFUSED[_i].text)), "%s", text);
}
END_TEST

START_TEST(number_of_others)
{
	/* A fixed number that the store gave to other labels is refused. */
	char text[224];
	struct spoa_config *config =
		compile(PROVIDER "roles: [{name: r, labels: [a=b], number: 200}]\n", text);

	ck_assert_ptr_nonnull(config);
	spoa_config_unref(config);
	ck_assert_ptr_null(
		compile(PROVIDER "roles: [{name: r, labels: [c=d], number: 200}]\n", text));
	ck_assert_int_eq(strncmp(text, "role r: ", 8), 0);
}
END_TEST

START_TEST(refused_leaves_nothing)
{
	/* A file that is refused because of one role gives no number to the others. */
	char text[224];
	struct spoa_config *config =
		compile(PROVIDER "roles: [{name: r, labels: [a=b], number: 200}]\n", text);

	ck_assert_ptr_nonnull(config);
	spoa_config_unref(config);
	ck_assert_ptr_null(compile(PROVIDER "roles: [{name: x, labels: [x=y], number: 301}, "
					    "{name: y, labels: [c=d], number: 200}]\n",
		text));
	config = compile(PROVIDER "roles: [{name: x, labels: [x=y], number: 302}, "
				  "{name: z, labels: [z=z], number: 301}]\n",
		text);
	ck_assert_msg(config, "%s", text);
	spoa_config_unref(config);
}
END_TEST

Suite *suite_config(void)
{
	Suite *suite = suite_create("config");
	TCase *tc = tcase_create("config");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, rules);
	tcase_add_test(tc, roles);
	tcase_add_test(tc, numbers_stay);
	tcase_add_test(tc, fixed_goes_first);
	tcase_add_loop_test(tc, refused, 0, ARRAY_SIZE(REFUSED));
	tcase_add_test(tc, number_of_others);
	tcase_add_test(tc, refused_leaves_nothing);
	suite_add_tcase(suite, tc);
	return suite;
}
