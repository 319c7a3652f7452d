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

#define MAX 4
#define P(...)                                                                                     \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define V(...)                                                                                     \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define WORDS true
#define WHOLE false

static const struct {
	const char *claims;
	const char *path[MAX];
	bool space_separated;
	enum ident_test test;
	const char *values[MAX];
	bool holds;
} CONDITIONS[] = {
	/* text */
	{"{\"a\":\"x\"}", P("a"), WHOLE, IDENT_EQUALS, V("x"), true},
	{"{\"a\":\"x\"}", P("a"), WHOLE, IDENT_EQUALS, V("X"), false},
	{"{\"a\":\"x\"}", P("a"), WHOLE, IDENT_EQUALS, V("xy"), false},
	{"{\"a\":\"xy\"}", P("a"), WHOLE, IDENT_EQUALS, V("x"), false},
	{"{\"a\":\"\"}", P("a"), WHOLE, IDENT_EQUALS, V(""), true},
	{"{\"a\":\"x\\u0000y\"}", P("a"), WHOLE, IDENT_EQUALS, V("x"), false},
	{"{\"a\":\"x y\"}", P("a"), WHOLE, IDENT_EQUALS, V("x"), false},
	{"{\"a\":\"x y\"}", P("a"), WHOLE, IDENT_EQUALS, V("x y"), true},
	{"{\"a\":\" x\"}", P("a"), WHOLE, IDENT_EQUALS, V("x"), false},
	{"{\"a\":\"x\"}", P("a"), WHOLE, IDENT_ANY, V("w", "x"), true},
	{"{\"a\":\"x\"}", P("a"), WHOLE, IDENT_ANY, V("w", "y"), false},
	{"{\"a\":\"x\"}", P("a"), WHOLE, IDENT_ALL, V("x"), true},
	{"{\"a\":\"x\"}", P("a"), WHOLE, IDENT_ALL, V("x", "y"), false},
	{"{\"a\":\"x\"}", P("a"), WHOLE, IDENT_ANY, {NULL}, false},
	{"{\"a\":\"x\"}", P("a"), WHOLE, IDENT_ALL, {NULL}, false},
	{"{\"a\":\"x\"}", P("a"), WHOLE, IDENT_EQUALS, {NULL}, false},
	/* arrays */
	{"{\"a\":[\"w\",\"x\"]}", P("a"), WHOLE, IDENT_EQUALS, V("x"), true},
	{"{\"a\":[\"w\",\"x\"]}", P("a"), WHOLE, IDENT_EQUALS, V("y"), false},
	{"{\"a\":[]}", P("a"), WHOLE, IDENT_EQUALS, V(""), false},
	{"{\"a\":[]}", P("a"), WHOLE, IDENT_ALL, {NULL}, false},
	{"{\"a\":[\"w\",\"x\"]}", P("a"), WHOLE, IDENT_ANY, V("y", "w"), true},
	{"{\"a\":[\"w\",\"x\"]}", P("a"), WHOLE, IDENT_ANY, V("y", "z"), false},
	{"{\"a\":[\"w\",\"x\",\"y\"]}", P("a"), WHOLE, IDENT_ALL, V("y", "w"), true},
	{"{\"a\":[\"w\",\"x\"]}", P("a"), WHOLE, IDENT_ALL, V("w", "y"), false},
	{"{\"a\":[\"w\",\"w\"]}", P("a"), WHOLE, IDENT_ALL, V("w", "x"), false},
	{"{\"a\":[1,true,1.5]}", P("a"), WHOLE, IDENT_ALL, V("1", "true", "1.5"), true},
	{"{\"a\":[[\"x\"]]}", P("a"), WHOLE, IDENT_EQUALS, V("x"), false},
	{"{\"a\":[{\"x\":\"x\"}]}", P("a"), WHOLE, IDENT_EQUALS, V("x"), false},
	{"{\"a\":[null]}", P("a"), WHOLE, IDENT_EQUALS, V("null"), false},
	{"{\"a\":[null]}", P("a"), WHOLE, IDENT_EQUALS, V(""), false},
	{"{\"a\":[\"x y\"]}", P("a"), WORDS, IDENT_EQUALS, V("x"), false},
	{"{\"a\":[\"x y\"]}", P("a"), WORDS, IDENT_EQUALS, V("x y"), true},
	/* space-separated text */
	{"{\"s\":\"read write\"}", P("s"), WORDS, IDENT_EQUALS, V("write"), true},
	{"{\"s\":\"read write\"}", P("s"), WORDS, IDENT_EQUALS, V("read"), true},
	{"{\"s\":\"read write\"}", P("s"), WORDS, IDENT_EQUALS, V("rea"), false},
	{"{\"s\":\"read write\"}", P("s"), WORDS, IDENT_EQUALS, V("read write"), false},
	{"{\"s\":\"read\"}", P("s"), WORDS, IDENT_EQUALS, V("read"), true},
	{"{\"s\":\"readwrite\"}", P("s"), WORDS, IDENT_EQUALS, V("read"), false},
	{"{\"s\":\" read  write \"}", P("s"), WORDS, IDENT_ALL, V("read", "write"), true},
	{"{\"s\":\" read  write \"}", P("s"), WORDS, IDENT_EQUALS, V(""), false},
	{"{\"s\":\"\"}", P("s"), WORDS, IDENT_EQUALS, V(""), false},
	{"{\"s\":\"read\\twrite\"}", P("s"), WORDS, IDENT_EQUALS, V("read"), false},
	{"{\"s\":\"read write\"}", P("s"), WORDS, IDENT_ALL, V("read", "admin"), false},
	{"{\"s\":\"read write\"}", P("s"), WORDS, IDENT_ANY, V("admin", "write"), true},
	{"{\"s\":[\"read\",\"write\"]}", P("s"), WORDS, IDENT_ALL, V("read", "write"), true},
	{"{\"s\":7}", P("s"), WORDS, IDENT_EQUALS, V("7"), true},
	/* numbers */
	{"{\"n\":1}", P("n"), WHOLE, IDENT_EQUALS, V("1"), true},
	{"{\"n\":1}", P("n"), WHOLE, IDENT_EQUALS, V("1.0"), false},
	{"{\"n\":1}", P("n"), WHOLE, IDENT_EQUALS, V("01"), false},
	{"{\"n\":1}", P("n"), WHOLE, IDENT_EQUALS, V("+1"), false},
	{"{\"n\":1}", P("n"), WHOLE, IDENT_EQUALS, V("1e0"), false},
	{"{\"n\":1}", P("n"), WHOLE, IDENT_EQUALS, V("true"), false},
	{"{\"n\":-5}", P("n"), WHOLE, IDENT_EQUALS, V("-5"), true},
	{"{\"n\":9223372036854775807}", P("n"), WHOLE, IDENT_EQUALS, V("9223372036854775807"),
		true},
	{"{\"n\":-9223372036854775808}", P("n"), WHOLE, IDENT_EQUALS, V("-9223372036854775808"),
		true},
	{"{\"n\":9007199254740993}", P("n"), WHOLE, IDENT_EQUALS, V("9007199254740992"), false},
	{"{\"n\":1.0}", P("n"), WHOLE, IDENT_EQUALS, V("1.0"), true},
	{"{\"n\":1.0}", P("n"), WHOLE, IDENT_EQUALS, V("1"), false},
	{"{\"n\":0.1}", P("n"), WHOLE, IDENT_EQUALS, V("0.1"), true},
	{"{\"n\":0.1}", P("n"), WHOLE, IDENT_EQUALS, V("0.10000000001"), false},
	{"{\"n\":1e2}", P("n"), WHOLE, IDENT_EQUALS, V("1e2"), true},
	{"{\"n\":1e2}", P("n"), WHOLE, IDENT_EQUALS, V("100"), false},
	{"{\"n\":1e2}", P("n"), WHOLE, IDENT_EQUALS, V("1e2x"), false},
	{"{\"n\":1.5}", P("n"), WHOLE, IDENT_EQUALS, V("0x1.8p0"), false},
	{"{\"n\":0.0}", P("n"), WHOLE, IDENT_EQUALS, V("."), false},
	{"{\"n\":0.0}", P("n"), WHOLE, IDENT_EQUALS, V("e"), false},
	{"{\"n\":0.0}", P("n"), WHOLE, IDENT_EQUALS, V(""), false},
	{"{\"n\":1.5}", P("n"), WHOLE, IDENT_EQUALS, V(" 1.5"), false},
	{"{\"n\":\"1\"}", P("n"), WHOLE, IDENT_EQUALS, V("1"), true},
	/* booleans, null, objects */
	{"{\"b\":true}", P("b"), WHOLE, IDENT_EQUALS, V("true"), true},
	{"{\"b\":true}", P("b"), WHOLE, IDENT_EQUALS, V("1"), false},
	{"{\"b\":true}", P("b"), WHOLE, IDENT_EQUALS, V("false"), false},
	{"{\"b\":false}", P("b"), WHOLE, IDENT_EQUALS, V("false"), true},
	{"{\"b\":false}", P("b"), WHOLE, IDENT_EQUALS, V(""), false},
	{"{\"b\":null}", P("b"), WHOLE, IDENT_EQUALS, V("null"), false},
	{"{\"b\":null}", P("b"), WHOLE, IDENT_EQUALS, V(""), false},
	{"{\"b\":null}", P("b"), WHOLE, IDENT_EXISTS, {NULL}, false},
	{"{\"b\":{}}", P("b"), WHOLE, IDENT_EQUALS, V("{}"), false},
	{"{\"b\":{\"c\":\"x\"}}", P("b"), WHOLE, IDENT_EQUALS, V("x"), false},
	/* existence */
	{"{\"b\":false}", P("b"), WHOLE, IDENT_EXISTS, {NULL}, true},
	{"{\"b\":\"\"}", P("b"), WHOLE, IDENT_EXISTS, {NULL}, true},
	{"{\"b\":[]}", P("b"), WHOLE, IDENT_EXISTS, {NULL}, true},
	{"{\"b\":{}}", P("b"), WHOLE, IDENT_EXISTS, {NULL}, true},
	{"{\"b\":1}", P("c"), WHOLE, IDENT_EXISTS, {NULL}, false},
	{"{\"b\":1}", P("B"), WHOLE, IDENT_EXISTS, {NULL}, false},
	/* missing never matches */
	{"{}", P("a"), WHOLE, IDENT_EQUALS, V(""), false},
	{"{}", P("a"), WHOLE, IDENT_ALL, V(""), false},
	{"{}", P("a"), WORDS, IDENT_ANY, V("", "x"), false},
	{"[\"x\"]", P("0"), WHOLE, IDENT_EXISTS, {NULL}, false},
	{"\"x\"", P("x"), WHOLE, IDENT_EXISTS, {NULL}, false},
	{"{\"a\":\"x\"}", {NULL}, WHOLE, IDENT_EXISTS, {NULL}, false},
	/* paths */
	{"{\"r\":{\"roles\":[\"ops\"]}}", P("r", "roles"), WHOLE, IDENT_EQUALS, V("ops"), true},
	{"{\"r\":{\"roles\":[\"ops\"]}}", P("r.roles"), WHOLE, IDENT_EQUALS, V("ops"), false},
	{"{\"r.roles\":[\"ops\"]}", P("r.roles"), WHOLE, IDENT_EQUALS, V("ops"), true},
	{"{\"r.roles\":[\"ops\"]}", P("r", "roles"), WHOLE, IDENT_EQUALS, V("ops"), false},
	{"{\"https://x/y\":\"z\"}", P("https://x/y"), WHOLE, IDENT_EQUALS, V("z"), true},
	{"{\"a\":{\"b\":{\"c\":\"d\"}}}", P("a", "b", "c"), WHOLE, IDENT_EQUALS, V("d"), true},
	{"{\"a\":{\"b\":{\"c\":\"d\"}}}", P("a", "b"), WHOLE, IDENT_EQUALS, V("d"), false},
	{"{\"a\":{\"b\":\"c\"}}", P("a", "b", "c"), WHOLE, IDENT_EXISTS, {NULL}, false},
	{"{\"a\":[{\"b\":\"c\"}]}", P("a", "b"), WHOLE, IDENT_EXISTS, {NULL}, false},
	{"{\"\":\"x\"}", P(""), WHOLE, IDENT_EQUALS, V("x"), true},
};

static size_t count(const char *const *list)
{
	size_t n = 0;

	while (n < MAX && list[n])
		n++;
	return n;
}

START_TEST(conditions)
{
	/* Goal: each test says what the table says of each kind of claim. */
	cleanup(claims) json_t *claims = claims_of(CONDITIONS[_i].claims);
	struct ident_condition condition = {
		.path = CONDITIONS[_i].path,
		.n_path = count(CONDITIONS[_i].path),
		.space_separated = CONDITIONS[_i].space_separated,
		.test = CONDITIONS[_i].test,
		.values = CONDITIONS[_i].values,
		.n_values = count(CONDITIONS[_i].values),
	};

	ck_assert_msg(ident_condition_holds(&condition, claims) == CONDITIONS[_i].holds,
		"row %d: %s, first value %s", _i, CONDITIONS[_i].claims,
		condition.n_values ? condition.values[0] : "(none)");
}
END_TEST

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

START_TEST(first_match)
{
	/* Goal: the first role whose provider and conditions all hold is taken, or none. */
	cleanup(claims) json_t *claims = claims_of(MATCHES[_i].claims);
	const struct ident_role *role =
		ident_role_match(ROLES, ARRAY_SIZE(ROLES), MATCHES[_i].provider, claims);

	ck_assert_pstr_eq(role ? role->name : NULL, MATCHES[_i].role);
}
END_TEST

START_TEST(nothing_to_match)
{
	/* Goal: without roles, or without claims, nothing but an open role matches. */
	cleanup(claims) json_t *claims = claims_of("{}");

	ck_assert_ptr_null(ident_role_match(NULL, 0, "corp", claims));
	ck_assert_ptr_null(ident_role_match(ROLES, ARRAY_SIZE(ROLES), "x", NULL));
	ck_assert_str_eq(
		ident_role_match(ROLES, ARRAY_SIZE(ROLES), "corp", NULL)->name, "corp-user");
}
END_TEST

Suite *role_suite(void)
{
	Suite *suite = suite_create("role");
	TCase *tc = tcase_create("role");

	tcase_add_loop_test(tc, conditions, 0, ARRAY_SIZE(CONDITIONS));
	tcase_add_loop_test(tc, first_match, 0, ARRAY_SIZE(MATCHES));
	tcase_add_test(tc, nothing_to_match);
	suite_add_tcase(suite, tc);
	return suite;
}
