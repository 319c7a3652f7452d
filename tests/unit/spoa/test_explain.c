#include "tests/unit/spoa/suites.h"

#include "spoa/explain.h"
#include "tests/unit/spoa/help.h"
#include "tests/unit/token/ca.h"
#include "token/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char CONFIG[] = HELP_HEAD
	"providers:\n"
	"  - {name: a, issuer: 'https://a', audiences: [api], algorithms: [ES256], require: "
	"[{claim: kind, equals: access}]}\n"
	"  - {name: devices, trust_bundle: %s/ca.pem}\n"
	"roles:\n"
	"  - {name: device, provider: devices, labels: [r=d]}\n"
	"  - {name: near, when: [{source: 10.0.0.0/8}], labels: [r=n]}\n"
	"  - {name: agent, when: [{actor: sub, prefix: agent-}, {scope: [act]}], labels: [r=a]}\n"
	"  - {name: admin, when: [{claim: groups, any: [admins, root]}], labels: [r=x]}\n"
	"  - {name: rest, when: [{claim: level, at_least: 3}], labels: [r=y]}\n";

static const struct test_cert_order CA = {.cn = "root",
	.constraints = "critical,CA:TRUE",
	.usage = "critical,keyCertSign",
	.from = HELP_NOW_S - 9,
	.to = HELP_NOW_S + 9};
static const struct test_cert_order LEAF = {
	.cn = "leaf", .from = HELP_NOW_S - 9, .to = HELP_NOW_S + 9};

static char dir[64];
static struct test_cert *root;
static struct spoa_config *config;
static struct spoa_snapshot *snapshot;

static void setup(void)
{
	cleanup(free) char *yaml = NULL;
	cleanup(free) char *pem = NULL;
	char path[128];

	help_mkdir(dir);
	root = test_cert_new(&CA, NULL);
	pem = test_cert_pem(root);
	snprintf(path, sizeof(path), "%s/ca.pem", dir);
	help_write(path, pem);
	ck_assert_int_gt(asprintf(&yaml, CONFIG, dir), 0);
	config = help_config(yaml);
	snapshot = help_snapshot(config);
	help_key(snapshot, 0, test_key_of(TOKEN_ES256), "k", UINT64_MAX);
}

static void teardown(void)
{
	spoa_snapshot_unref(snapshot);
	spoa_config_unref(config);
	test_cert_free(root);
	help_rmdir(dir);
}

/* Takes the question. */
static json_t *ask(json_t *question)
{
	json_t *answer = spoa_explain(snapshot, question, &HELP_NOW);

	json_decref(question);
	ck_assert_ptr_nonnull(answer);
	return answer;
}

static const char *text_in(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* What the answer says of this role. */
static const json_t *role_in(const json_t *answer, const char *name)
{
	const json_t *role;
	size_t i;

	json_array_foreach (json_object_get(answer, "roles"), i, role)
		if (!strcmp(text_in(role, "role"), name))
			return role;
	ck_abort_msg("nothing about role %s", name);
}

static void is(const json_t *answer, const char *role, const char *what, const char *why)
{
	const json_t *found = role_in(answer, role);

	ck_assert_msg(
		!strcmp(text_in(found, "answer"), what) && !strcmp(text_in(found, "why"), why),
		"%s: %s: %s", role, text_in(found, "answer"), text_in(found, "why"));
}

START_TEST(claims)
{
	/* Which role matched, and for each other the condition that did not, with what was found. */
	cleanup(json) json_t *answer = ask(json_pack("{s:s, s:{s:s, s:[s], s:i, s:{s:s}, s:s}}",
		"provider", "a", "claims", "kind", "access", "groups", "users", "level", 7, "act",
		"sub", "agent-1", "scp", "read"));

	ck_assert_str_eq(text_in(answer, "reason"), "ok");
	ck_assert_str_eq(text_in(answer, "role"), "rest");
	ck_assert_str_eq(text_in(json_object_get(answer, "caller"), "actor"), "agent-1");
	is(answer, "device", "fails", "it is for provider devices");
	is(answer, "near", "fails", "source: the address is not known");
	is(answer, "agent", "fails", "scope [act]: the scopes are 'read'");
	is(answer, "admin", "fails", "claim groups any [admins, root]: it is [\"users\"]");
	is(answer, "rest", "holds", "");
}
END_TEST

START_TEST(unknown)
{
	/* A claim that the provider left out ends the search, and the answer says so. */
	cleanup(json) json_t *answer = ask(json_pack("{s:s, s:{s:s, s:b, s:i}}", "provider", "a",
		"claims", "kind", "access", "hasgroups", 1, "level", 7));

	ck_assert_str_eq(text_in(answer, "reason"), "groups_unknown");
	ck_assert_str_eq(text_in(answer, "role"), "");
	is(answer, "admin", "unknown",
		"claim groups any [admins, root]: the provider left it out of the token");
	is(answer, "rest", "holds", "");
}
END_TEST

START_TEST(requirement)
{
	/* What the provider requires of every token comes first. */
	cleanup(json) json_t *answer =
		ask(json_pack("{s:s, s:{s:s}}", "provider", "a", "claims", "kind", "refresh"));

	ck_assert_str_eq(text_in(answer, "reason"), "claim_required");
	ck_assert_str_eq(
		text_in(answer, "required"), "claim kind equals [access]: it is \"refresh\"");
	ck_assert_ptr_null(json_object_get(answer, "roles"));
}
END_TEST

START_TEST(sources)
{
	/* The address is the question's, and one from a header is not believed here either. */
	json_t *answer = ask(json_pack("{s:s, s:{s:s}, s:s}", "provider", "a", "claims", "kind",
		"access", "source", "10.1.2.3"));

	ck_assert_str_eq(text_in(answer, "role"), "near");
	json_decref(answer);
	answer = ask(json_pack("{s:s, s:{s:s}, s:s, s:b}", "provider", "a", "claims", "kind",
		"access", "source", "10.1.2.3", "proxied", 1));
	is(answer, "near", "fails", "source: the address came in a header, or is elsewhere");
	json_decref(answer);
}
END_TEST

START_TEST(tokens)
{
	/* A token is verified as in a request. */
	cleanup(free) char *good =
		help_token(test_key_of(TOKEN_ES256), "k", "{\"kind\":\"access\",\"level\":3}");
	cleanup(free) char *bad = help_token(test_key_of(TOKEN_ES256), "k", "{\"exp\":5}");
	json_t *answer = ask(json_pack("{s:s}", "token", good));

	ck_assert_str_eq(text_in(answer, "role"), "rest");
	ck_assert_str_eq(text_in(json_object_get(answer, "caller"), "sub"), "s");
	json_decref(answer);
	answer = ask(json_pack("{s:s}", "token", bad));
	ck_assert_str_eq(text_in(answer, "reason"), "expired");
	ck_assert_ptr_null(json_object_get(answer, "roles"));
	json_decref(answer);
}
END_TEST

START_TEST(certificates)
{
	/* A certificate alone is a caller, judged as in a request. */
	struct test_cert *leaf = test_cert_new(&LEAF, root);
	cleanup(free) char *good = test_cert_pem(leaf);
	cleanup(free) char *bad = test_cert_pem(root);
	json_t *answer = ask(json_pack("{s:s}", "cert", good));

	ck_assert_str_eq(text_in(answer, "role"), "device");
	ck_assert_str_eq(text_in(json_object_get(answer, "caller"), "sub"), "CN=leaf");
	json_decref(answer);
	answer = ask(json_pack("{s:s}", "cert", bad));
	ck_assert_str_eq(text_in(answer, "reason"), "cert_not_allowed");
	json_decref(answer);
	answer = ask(json_pack("{s:s}", "cert", "rubbish"));
	ck_assert_str_eq(text_in(answer, "reason"), "cert_malformed");
	json_decref(answer);
	test_cert_free(leaf);
}
END_TEST

static const char TEAMS[] = HELP_HEAD
	"%s"
	"providers:\n"
	"  - {name: a, issuer: 'https://a', audiences: [api], algorithms: [ES256]}\n"
	"roles:\n"
	"  - {name: team, labels: ['team={claims.team|lower}']}\n"
	"  - {name: admin, when: [{claim: role, equals: admin}], labels: [r=x], number: 200}\n";

#define COMMON                                                                                     \
	"k8s:io.cilium.k8s.policy.cluster=default;k8s:io.kubernetes.pod.namespace=identity-edge;"

static const struct {
	bool all;
	const char *claims, *reason, *role, *labels;
	int64_t identity;       /* 0: none */
	const char *team, *why; /* what of the first role */
} TEMPLATES[] = {
	{false, "{\"team\": \"Red\", \"role\": \"admin\"}", "ok", "team", COMMON "k8s:team=red;", 0,
		"holds", "-"},
	{true, "{\"team\": \"Red\", \"role\": \"admin\"}", "ok", "team,admin",
		COMMON "k8s:r=x;k8s:team=red;", 0, "holds", "-"},
	{true, "{\"team\": \"a b\", \"role\": \"admin\"}", "ok", "admin", COMMON "k8s:r=x;", 200,
		"fails",
		"label team={claims.team|lower}: the value must be letters, digits, '-', '_', "
		"'.', with a letter or digit at both ends"},
	{true, "{\"role\": \"admin\"}", "ok", "admin", COMMON "k8s:r=x;", 200, "fails",
		"label team={claims.team|lower}: there is no such claim"},
	{true, "{\"_claim_names\": {\"team\": \"src\"}, \"role\": \"admin\"}", "groups_unknown",
		"-", "-", 0, "unknown",
		"label team={claims.team|lower}: the provider left the claim out of the token"},
	{false, "{}", "no_role", "-", "-", 0, "fails",
		"label team={claims.team|lower}: there is no such claim"},
};

START_TEST(templates)
{
	/* Labels from claims and all roles: what would follow, and why a role does not fit. */
	char yaml[1024];
	json_t *answer, *role;
	const char *text;

	snprintf(yaml, sizeof(yaml), TEAMS, TEMPLATES[_i].all ? "roles_match: all\n" : "");
	spoa_snapshot_unref(snapshot);
	spoa_config_unref(config);
	config = help_config(yaml);
	snapshot = help_snapshot(config);
	answer = ask(json_pack("{s:s, s:o}", "provider", "a", "claims",
		json_loads(TEMPLATES[_i].claims, 0, NULL)));
	ck_assert_str_eq(text_in(answer, "reason"), TEMPLATES[_i].reason);
	text = json_string_value(json_object_get(answer, "role"));
	ck_assert_str_eq(text ? text : "-", TEMPLATES[_i].role);
	text = json_string_value(json_object_get(answer, "labels"));
	ck_assert_str_eq(text ? text : "-", TEMPLATES[_i].labels);
	ck_assert_int_eq(
		json_integer_value(json_object_get(answer, "identity")), TEMPLATES[_i].identity);
	ck_assert_int_eq(json_object_get(answer, "identity_why") != NULL,
		!strcmp(TEMPLATES[_i].reason, "ok") && !TEMPLATES[_i].identity);
	role = json_array_get(json_object_get(answer, "roles"), 0);
	ck_assert_str_eq(text_in(role, "answer"), TEMPLATES[_i].team);
	text = json_string_value(json_object_get(role, "why"));
	ck_assert_str_eq(text ? text : "-", TEMPLATES[_i].why);
	json_decref(answer);
}
END_TEST

START_TEST(no_questions)
{
	/* What is no question is said to be none. */
	static const char *const QUESTIONS[] = {"[]", "{}", "{\"claims\":{}}",
		"{\"claims\":{},\"provider\":\"z\"}", "{\"claims\":7,\"provider\":\"a\"}",
		"{\"claims\":{},\"provider\":\"a\",\"token\":\"x\"}",
		"{\"claims\":{},\"provider\":\"a\",\"source\":\"here\"}"};

	for (size_t i = 0; i < ARRAY_SIZE(QUESTIONS); i++) {
		cleanup(json) json_t *answer = ask(json_loads(QUESTIONS[i], 0, NULL));

		ck_assert_msg(*text_in(answer, "error"), "%s", QUESTIONS[i]);
	}
}
END_TEST

Suite *suite_explain(void)
{
	Suite *suite = suite_create("explain");
	TCase *tc = tcase_create("explain");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, claims);
	tcase_add_test(tc, unknown);
	tcase_add_test(tc, requirement);
	tcase_add_test(tc, sources);
	tcase_add_test(tc, tokens);
	tcase_add_test(tc, certificates);
	tcase_add_loop_test(tc, templates, 0, ARRAY_SIZE(TEMPLATES));
	tcase_add_test(tc, no_questions);
	suite_add_tcase(suite, tc);
	return suite;
}
