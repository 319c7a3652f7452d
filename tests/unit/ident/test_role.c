#include "base/mem.h"
#include "ident/role.h"
#include "tests/unit/ident/suites.h"

#include <string.h>

DEFINE_CLEANUP(claims, json_t *, json_decref)

static json_t *claims_of(const char *text)
{
	json_error_t error;
	json_t *claims = json_loads(text, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);

	ck_assert_msg(claims != NULL, "%s: %s", text, error.text);
	return claims;
}

static const char *const GROUPS[] = {"groups"};
static const char *const TENANT[] = {"tenant", "id"};
static const char *const ADMINS[] = {"admins"};
static const char *const SEVEN[] = {"7"};
static const struct ident_condition IS_ADMIN[] = {
	{.path = GROUPS, .n_path = 1, .test = IDENT_EQUALS, .values = ADMINS, .n_values = 1},
};
static const struct ident_condition IS_ADMIN_OF_7[] = {
	{.path = GROUPS, .n_path = 1, .test = IDENT_EQUALS, .values = ADMINS, .n_values = 1},
	{.path = TENANT, .n_path = 2, .test = IDENT_ANY, .values = SEVEN, .n_values = 1},
};
static const struct ident_role ROLES[] = {
	{.name = "admin-of-7", .conditions = IS_ADMIN_OF_7, .n_conditions = 2},
	{.name = "corp-admin", .provider = "corp", .conditions = IS_ADMIN, .n_conditions = 1},
	{.name = "corp-user", .provider = "corp"},
	{.name = "admin", .conditions = IS_ADMIN, .n_conditions = 1},
};

static const struct {
	const char *provider;
	const char *claims;
	const char *role;
} MATCHES[] = {
	{"corp", "{\"groups\":[\"admins\"],\"tenant\":{\"id\":7}}", "admin-of-7"},
	{"else", "{\"groups\":[\"admins\"],\"tenant\":{\"id\":7}}", "admin-of-7"},
	{"corp", "{\"groups\":[\"admins\"],\"tenant\":{\"id\":8}}", "corp-admin"},
	{"corp", "{\"groups\":[\"admins\"]}", "corp-admin"},
	{"corp", "{\"groups\":[\"users\"],\"tenant\":{\"id\":7}}", "corp-user"},
	{"corp", "{}", "corp-user"},
	{"else", "{\"groups\":\"admins\"}", "admin"},
	{"corp2", "{}", NULL},
	{"cor", "{}", NULL},
	{"CORP", "{}", NULL},
	{NULL, "{\"groups\":\"admins\"}", "admin"},
	{NULL, "{}", NULL},
};

/* The first role that holds for the caller. */
static const struct ident_role *match(const char *provider, const json_t *claims)
{
	const struct ident_caller caller = {.provider = provider, .claims = claims};

	for (size_t i = 0; i < ARRAY_SIZE(ROLES); i++)
		if (ident_role_of_caller(&ROLES[i], &caller) == IDENT_HOLDS)
			return &ROLES[i];
	return NULL;
}

START_TEST(matches)
{
	/* Goal: a role holds when its provider and conditions all do. */
	cleanup(claims) json_t *claims = claims_of(MATCHES[_i].claims);
	const struct ident_role *role = match(MATCHES[_i].provider, claims);

	ck_assert_pstr_eq(role ? role->name : NULL, MATCHES[_i].role);
}
END_TEST

START_TEST(nothing_to_match)
{
	/* Goal: without claims nothing but an open role matches. */
	ck_assert_ptr_null(match("x", NULL));
	ck_assert_str_eq(match("corp", NULL)->name, "corp-user");
}
END_TEST

START_TEST(unknown)
{
	/* Goal: a role is unknown when only the claim that was left out decides; never when another does. */
	cleanup(claims) json_t *overage = claims_of("{\"hasgroups\":true,\"tenant\":{\"id\":7}}");
	cleanup(claims) json_t *other = claims_of("{\"hasgroups\":true,\"tenant\":{\"id\":8}}");
	struct ident_caller caller = {.provider = "x", .claims = overage};

	ck_assert_int_eq(ident_role_of_caller(&ROLES[0], &caller), IDENT_UNSAID);
	ck_assert_int_eq(ident_role_of_caller(&ROLES[1], &caller), IDENT_FAILS);
	ck_assert_int_eq(ident_role_of_caller(&ROLES[3], &caller), IDENT_UNSAID);
	caller.claims = other;
	ck_assert_int_eq(ident_role_of_caller(&ROLES[0], &caller), IDENT_FAILS);
}
END_TEST

START_TEST(of_request)
{
	/* Goal: what a credential says and what the request says are asked apart, and both must hold. */
	static const char *const DNS[] = {"dns"};
	const struct ident_condition both[] = {
		IS_ADMIN[0], {.about = IDENT_CERT, .path = DNS, .n_path = 1, .test = IDENT_EXISTS}};
	const struct ident_role role = {.conditions = both, .n_conditions = 2};
	cleanup(claims) json_t *claims = claims_of("{\"groups\":\"admins\"}");
	cleanup(claims) json_t *cert = claims_of("{\"dns\":[]}");
	const struct ident_caller caller = {.claims = claims}, nobody = {0};
	const struct ident_request with = {.cert = cert}, without = {0};
	enum ident_answer answer;

	ck_assert(ident_role_asks_request(&role) && !ident_role_asks_request(&ROLES[0]));
	ck_assert_int_eq(ident_role_of_caller(&role, &caller), IDENT_HOLDS);
	ck_assert_int_eq(ident_role_of_caller(&role, &nobody), IDENT_FAILS);
	ck_assert(ident_role_of_request(&role, &with) && !ident_role_of_request(&role, &without));
	ck_assert(ident_role_of_request(&ROLES[0], &without));
	ck_assert_uint_eq(ident_role_objection(&role, &caller, &with, &answer), 2);
	ck_assert_int_eq(answer, IDENT_HOLDS);
	ck_assert_uint_eq(ident_role_objection(&role, &caller, &without, &answer), 1);
	ck_assert_int_eq(answer, IDENT_FAILS);
	ck_assert_uint_eq(ident_role_objection(&role, &nobody, &with, &answer), 0);
	ck_assert_uint_eq(ident_role_objection(&ROLES[2], &nobody, &with, &answer), 0);
	ck_assert_int_eq(answer, IDENT_FAILS);
}
END_TEST

Suite *role_suite(void)
{
	Suite *suite = suite_create("role");
	TCase *tc = tcase_create("role");

	tcase_add_loop_test(tc, matches, 0, ARRAY_SIZE(MATCHES));
	tcase_add_test(tc, nothing_to_match);
	tcase_add_test(tc, unknown);
	tcase_add_test(tc, of_request);
	suite_add_tcase(suite, tc);
	return suite;
}
