#include "base/mem.h"
#include "ident/condition.h"
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
	/* prefixes */
	{"{\"a\":\"repo:x/y\"}", P("a"), WHOLE, IDENT_PREFIX, V("repo:x/"), true},
	{"{\"a\":\"repo:x\"}", P("a"), WHOLE, IDENT_PREFIX, V("repo:x/"), false},
	{"{\"a\":\"repo:x/y\"}", P("a"), WHOLE, IDENT_PREFIX, V("z", "repo"), true},
	{"{\"a\":\"Repo\"}", P("a"), WHOLE, IDENT_PREFIX, V("repo"), false},
	{"{\"a\":[\"x\",\"team-a\"]}", P("a"), WHOLE, IDENT_PREFIX, V("team-"), true},
	{"{\"a\":[[\"team-a\"]]}", P("a"), WHOLE, IDENT_PREFIX, V("team-"), false},
	{"{\"a\":70}", P("a"), WHOLE, IDENT_PREFIX, V("7"), false},
	{"{\"a\":true}", P("a"), WHOLE, IDENT_PREFIX, V("t"), false},
	{"{\"s\":\"read write:x\"}", P("s"), WORDS, IDENT_PREFIX, V("write:"), true},
	{"{\"s\":\"read write:x\"}", P("s"), WHOLE, IDENT_PREFIX, V("write:"), false},
	{"{}", P("a"), WHOLE, IDENT_PREFIX, V(""), false},
	/* patterns */
	{"{\"a\":\"team-x-admin\"}", P("a"), WHOLE, IDENT_GLOB, V("team-*-admin"), true},
	{"{\"a\":\"team--admin\"}", P("a"), WHOLE, IDENT_GLOB, V("team-*-admin"), true},
	{"{\"a\":\"team-admin\"}", P("a"), WHOLE, IDENT_GLOB, V("team-*-admin"), false},
	{"{\"a\":\"team-x-admin-y\"}", P("a"), WHOLE, IDENT_GLOB, V("team-*-admin"), false},
	{"{\"a\":\"xteam-x-admin\"}", P("a"), WHOLE, IDENT_GLOB, V("team-*-admin"), false},
	{"{\"a\":\"team-a-admin-b-admin\"}", P("a"), WHOLE, IDENT_GLOB, V("team-*-admin"), true},
	{"{\"a\":\"abcabd\"}", P("a"), WHOLE, IDENT_GLOB, V("*ab?"), true},
	{"{\"a\":\"aXbYc\"}", P("a"), WHOLE, IDENT_GLOB, V("a*b*c"), true},
	{"{\"a\":\"aXbYd\"}", P("a"), WHOLE, IDENT_GLOB, V("a*b*c"), false},
	{"{\"a\":\"\"}", P("a"), WHOLE, IDENT_GLOB, V("*"), true},
	{"{\"a\":\"\"}", P("a"), WHOLE, IDENT_GLOB, V("?"), false},
	{"{\"a\":\"\"}", P("a"), WHOLE, IDENT_GLOB, V("**"), true},
	{"{\"a\":\"xy\"}", P("a"), WHOLE, IDENT_GLOB, V("??"), true},
	{"{\"a\":\"xy\"}", P("a"), WHOLE, IDENT_GLOB, V("?"), false},
	{"{\"a\":\"\u00e9\"}", P("a"), WHOLE, IDENT_GLOB, V("?"), true},
	{"{\"a\":\"😀x\"}", P("a"), WHOLE, IDENT_GLOB, V("?x"), true},
	{"{\"a\":\"x\"}", P("a"), WHOLE, IDENT_GLOB, V("[x]"), false},
	{"{\"a\":7}", P("a"), WHOLE, IDENT_GLOB, V("*"), false},
	{"{\"a\":[\"x\",\"yz\"]}", P("a"), WHOLE, IDENT_GLOB, V("q", "y*"), true},
	/* comparisons */
	{"{\"n\":3}", P("n"), WHOLE, IDENT_AT_LEAST, V("3"), true},
	{"{\"n\":2}", P("n"), WHOLE, IDENT_AT_LEAST, V("3"), false},
	{"{\"n\":3}", P("n"), WHOLE, IDENT_AT_MOST, V("3"), true},
	{"{\"n\":4}", P("n"), WHOLE, IDENT_AT_MOST, V("3"), false},
	{"{\"n\":-1}", P("n"), WHOLE, IDENT_AT_MOST, V("0"), true},
	{"{\"n\":3.5}", P("n"), WHOLE, IDENT_AT_LEAST, V("3"), true},
	{"{\"n\":3.5}", P("n"), WHOLE, IDENT_AT_MOST, V("3.5"), true},
	{"{\"n\":3}", P("n"), WHOLE, IDENT_AT_LEAST, V("2.5"), true},
	{"{\"n\":3}", P("n"), WHOLE, IDENT_AT_LEAST, V("1e1"), false},
	{"{\"n\":9007199254740993}", P("n"), WHOLE, IDENT_AT_MOST, V("9007199254740992"), false},
	{"{\"n\":\"3\"}", P("n"), WHOLE, IDENT_AT_LEAST, V("1"), false},
	{"{\"n\":true}", P("n"), WHOLE, IDENT_AT_LEAST, V("0"), false},
	{"{\"n\":[3]}", P("n"), WHOLE, IDENT_AT_LEAST, V("1"), false},
	{"{\"n\":3}", P("n"), WHOLE, IDENT_AT_LEAST, V("x"), false},
	{"{\"n\":3}", P("n"), WHOLE, IDENT_AT_LEAST, {NULL}, false},
	{"{}", P("n"), WHOLE, IDENT_AT_MOST, V("9"), false},
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

	const struct ident_caller caller = {.claims = claims};

	ck_assert_msg(ident_condition_of_caller(&condition, &caller) ==
			      (CONDITIONS[_i].holds ? IDENT_HOLDS : IDENT_FAILS),
		"row %d: %s, first value %s", _i, CONDITIONS[_i].claims,
		condition.n_values ? condition.values[0] : "(none)");
}
END_TEST

START_TEST(actors)
{
	/* Goal: a condition on the actor looks into the outermost act, never into the subject's claims. */
	static const char *const SUB[] = {"sub"};
	static const char *const AGENT[] = {"agent"};
	const struct ident_condition condition = {
		.about = IDENT_ACTOR, .path = SUB, .n_path = 1, .values = AGENT, .n_values = 1};
	static const struct {
		const char *claims;
		enum ident_answer want;
	} CASES[] = {
		{"{\"sub\":\"alice\",\"act\":{\"sub\":\"agent\"}}", IDENT_HOLDS},
		{"{\"sub\":\"agent\"}", IDENT_FAILS},
		{"{\"sub\":\"agent\",\"act\":{\"sub\":\"alice\"}}", IDENT_FAILS},
		/* row 35: who acted before is history */
		{"{\"act\":{\"sub\":\"x\",\"act\":{\"sub\":\"agent\"}}}", IDENT_FAILS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
		cleanup(claims) json_t *claims = claims_of(CASES[i].claims);
		const struct ident_caller caller = {
			.claims = claims, .actor = json_object_get(claims, "act")};

		ck_assert_int_eq(ident_condition_of_caller(&condition, &caller), CASES[i].want);
	}
}
END_TEST

START_TEST(scopes)
{
	/* Goal: a condition on scopes wants all of them, whole. */
	static const char *const WANT[] = {"read", "write"};
	const struct ident_condition condition = {
		.about = IDENT_SCOPE, .values = WANT, .n_values = 2};
	const struct ident_condition nothing = {.about = IDENT_SCOPE};
	static const struct {
		struct span scope;
		enum ident_answer want;
	} CASES[] = {
		{SPAN("write read x"), IDENT_HOLDS},
		{SPAN("read"), IDENT_FAILS},
		{SPAN("readwrite"), IDENT_FAILS},
		{SPAN(""), IDENT_FAILS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
		const struct ident_caller caller = {.scope = CASES[i].scope};

		ck_assert_int_eq(ident_condition_of_caller(&condition, &caller), CASES[i].want);
		ck_assert_int_eq(ident_condition_of_caller(&nothing, &caller), IDENT_FAILS);
	}
}
END_TEST

START_TEST(elsewhere)
{
	/* Goal: groups that the provider left out are unknown, never none (tokens.md 2.2). */
	static const char *const PATH[] = {"groups"};
	static const char *const ROLES[] = {"roles"};
	static const char *const ADMINS[] = {"admins"};
	const struct ident_condition groups = {
		.path = PATH, .n_path = 1, .values = ADMINS, .n_values = 1};
	const struct ident_condition exists = {.path = PATH, .n_path = 1, .test = IDENT_EXISTS};
	const struct ident_condition roles = {
		.path = ROLES, .n_path = 1, .values = ADMINS, .n_values = 1};
	static const struct {
		const char *claims;
		enum ident_answer want;
	} CASES[] = {
		{"{\"groups\":[\"admins\"]}", IDENT_HOLDS},
		{"{\"groups\":[]}", IDENT_FAILS},
		{"{}", IDENT_FAILS},
		{"{\"_claim_names\":{\"groups\":\"src1\"},\"_claim_sources\":{\"src1\":{}}}",
			IDENT_UNSAID},
		{"{\"hasgroups\":true}", IDENT_UNSAID},
		{"{\"hasgroups\":false}", IDENT_FAILS},
		{"{\"hasgroups\":true,\"groups\":[\"x\"]}", IDENT_FAILS},
		{"{\"_claim_names\":{\"other\":\"src1\"}}", IDENT_FAILS},
		{"{\"_claim_names\":[\"groups\"]}", IDENT_FAILS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
		cleanup(claims) json_t *claims = claims_of(CASES[i].claims);
		const struct ident_caller caller = {.claims = claims};

		ck_assert_int_eq(ident_condition_of_caller(&groups, &caller), CASES[i].want);
		if (CASES[i].want == IDENT_UNSAID)
			ck_assert_int_eq(ident_condition_of_caller(&exists, &caller), IDENT_UNSAID);
		ck_assert_int_eq(ident_condition_of_caller(&roles, &caller), IDENT_FAILS);
	}
}
END_TEST

static struct ident_request request_from(const char *address, bool proxied)
{
	struct ident_request request = {.has_address = address != NULL, .proxied = proxied};
	struct base_cidr host;

	if (address) {
		ck_assert_int_eq(base_cidr_parse(address, &host), 0);
		memcpy(request.address, host.bytes, sizeof(request.address));
	}
	return request;
}

static const struct {
	const char *labels, *values[2];
	bool holds;
} WORKLOADS[] = {
	{"k8s:app=cart;oidc:b=c;", {"k8s:app=cart"}, true},
	{"k8s:app=cart;oidc:b=c;", {"app=cart", "oidc:b=c"}, true},
	{"k8s:app=cart;oidc:b=c;", {"app=cart", "b=c"}, false},
	{"k8s:app=cart;oidc:b=c;", {"oidc:app=cart"}, false}, {"k8s:app=cart;", {"app=car"}, false},
	{"k8s:app=cart;", {"app=cart;"}, false}, {"k8s:app=cart;", {"pp=cart"}, false},
	{"k8s:app=;", {"app="}, true}, {"", {"app=cart"}, false},
	{"k8s:app=cart;", {NULL}, false}, /* no values, no match */
};

START_TEST(workloads)
{
	/* Goal: the workload has exactly these labels, all of them; nobody known has none. */
	const char *const *values = WORKLOADS[_i].values;
	const struct ident_condition condition = {.about = IDENT_LABELS,
		.values = values,
		.n_values = (size_t)(values[0] != NULL) + (values[1] != NULL)};
	const struct ident_request request = {.workload = span_of(WORKLOADS[_i].labels)};

	ck_assert(ident_condition_is_of_request(&condition));
	ck_assert_int_eq(ident_condition_of_request(&condition, &request), WORKLOADS[_i].holds);
	ck_assert_int_eq(
		ident_condition_of_caller(&condition, &(struct ident_caller){0}), IDENT_FAILS);
}
END_TEST

START_TEST(sources)
{
	/* Goal: the caller's address counts, one from a header only where the role says so. */
	struct base_cidr networks[2];
	struct ident_condition condition = {
		.about = IDENT_SOURCE, .networks = networks, .n_networks = 2};
	static const struct {
		const char *address;
		bool proxied, trusted, want;
	} CASES[] = {
		{"10.1.2.3", false, false, true},
		{"11.1.2.3", false, false, false},
		{"2001:db8::7", false, false, true},
		{"2001:db9::7", false, false, false},
		{"10.1.2.3", true, false, false},
		{"10.1.2.3", true, true, true},
		{"11.1.2.3", true, true, false},
		{NULL, false, true, false},
	};

	ck_assert_int_eq(base_cidr_parse("10.0.0.0/8", &networks[0]), 0);
	ck_assert_int_eq(base_cidr_parse("2001:db8::/32", &networks[1]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
		struct ident_request request = request_from(CASES[i].address, CASES[i].proxied);

		condition.proxied = CASES[i].trusted;
		ck_assert(ident_condition_is_of_request(&condition));
		ck_assert(ident_condition_of_request(&condition, &request) == CASES[i].want);
		ck_assert_int_eq(ident_condition_of_caller(&condition, &(struct ident_caller){0}),
			IDENT_FAILS);
	}
}
END_TEST

START_TEST(certificates)
{
	/* Goal: a condition on the certificate holds for one that was vouched for, and only then. */
	static const char *const PATH[] = {"dns"};
	static const char *const VALUES[] = {"*.example"};
	const struct ident_condition condition = {.about = IDENT_CERT,
		.path = PATH,
		.n_path = 1,
		.test = IDENT_GLOB,
		.values = VALUES,
		.n_values = 1};
	cleanup(claims) json_t *cert = claims_of("{\"dns\":[\"x\",\"a.example\"]}");
	cleanup(claims) json_t *other = claims_of("{\"dns\":[\"x\"],\"uri\":[\"a.example\"]}");

	ck_assert(ident_condition_of_request(&condition, &(struct ident_request){.cert = cert}));
	ck_assert(!ident_condition_of_request(&condition, &(struct ident_request){.cert = other}));
	ck_assert(!ident_condition_of_request(&condition, &(struct ident_request){.cert = NULL}));
	ck_assert_int_eq(
		ident_condition_of_caller(&condition, &(struct ident_caller){.claims = cert}),
		IDENT_FAILS);
}
END_TEST

Suite *condition_suite(void)
{
	Suite *suite = suite_create("condition");
	TCase *tc = tcase_create("condition");

	tcase_add_loop_test(tc, conditions, 0, ARRAY_SIZE(CONDITIONS));
	tcase_add_test(tc, actors);
	tcase_add_test(tc, scopes);
	tcase_add_test(tc, elsewhere);
	tcase_add_test(tc, sources);
	tcase_add_loop_test(tc, workloads, 0, ARRAY_SIZE(WORKLOADS));
	tcase_add_test(tc, certificates);
	suite_add_tcase(suite, tc);
	return suite;
}
