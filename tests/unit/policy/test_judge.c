#include "tests/unit/policy/help.h"
#include "tests/unit/policy/suites.h"

#include <stdio.h>
#include <string.h>

#define POLICY(name, more, spec)                                                                   \
	"---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n"                               \
	"metadata: {name: " name ", namespace: shop" more "}\n"                                    \
	"spec:\n  endpointSelector: {matchLabels: {app: web}}\n" spec
#define ADMIN "fromEndpoints: [{matchLabels: {role: admin, k8s:io.kubernetes.pod.namespace: edge}}]"
#define AUDIT ", annotations: {identityd.io/policy-mode: audit}"

static const char WEB[] = POLICY("web", "",
	"  ingress:\n"
	"  - " ADMIN
	"\n    toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{method: "
	"GET}, {method: PUT, path: /a}]}}]\n"
	"  - " ADMIN "\n    toPorts: [{ports: [{port: '81', protocol: TCP}]}]\n"
	"  ingressDeny:\n  - fromEntities: [world]\n"
	"  - toPorts: [{ports: [{port: '82'}]}]\n");

static const struct {
	const char *from;
	uint16_t port;
	const char *method, *path;
	enum policy_verdict verdict;
	const char *cause;
} QUESTIONS[] = {
	{HELP_ADMIN, 80, "GET", "/x", POLICY_ALLOW, "shop/web:ingress[0].toPorts[0].http[0]"},
	{HELP_ADMIN, 80, "PUT", "/a", POLICY_ALLOW, "shop/web:ingress[0].toPorts[0].http[1]"},
	{HELP_ADMIN, 80, "PUT", "/b", POLICY_DENY, "shop/web:ingress[0].toPorts[0]"},
	{HELP_ADMIN, 80, NULL, NULL, POLICY_ALLOW, "shop/web:ingress[0].toPorts[0]"},
	{HELP_ADMIN, 81, "PUT", "/b", POLICY_ALLOW, "shop/web:ingress[1].toPorts[0]"},
	{HELP_ADMIN, 82, "GET", "/", POLICY_DENY, "shop/web:ingressDeny[1].toPorts[0]"},
	{HELP_ADMIN, 83, "GET", "/", POLICY_DENY, "default-deny"},
	{HELP_USER, 80, "GET", "/", POLICY_DENY, "default-deny"},
	{"reserved:world;", 80, "GET", "/", POLICY_DENY, "shop/web:ingressDeny[0]"},
};

/* Goal: the verdict comes with the rule that made it. */
START_TEST(causes_are_named)
{
	struct policy_set *set = help_set(WEB, NULL);
	struct policy_answer answer = help_ask(set, QUESTIONS[_i].from, HELP_WEB,
		QUESTIONS[_i].port, QUESTIONS[_i].method, QUESTIONS[_i].path);

	ck_assert_int_eq(answer.verdict, QUESTIONS[_i].verdict);
	ck_assert_str_eq(help_cause(set, &answer), QUESTIONS[_i].cause);
	policy_set_free(set);
}
END_TEST

/* Goal: whoever no policy protects is open, and says so. */
START_TEST(unselected_is_open)
{
	struct policy_set *set = help_set(WEB, NULL);
	struct policy_answer answer = help_ask(set, HELP_USER, HELP_USER, 80, "GET", "/");

	ck_assert_int_eq(answer.verdict, POLICY_ALLOW);
	ck_assert(!answer.selected);
	ck_assert_str_eq(help_cause(set, &answer), "default-allow");
	policy_set_free(set);
}
END_TEST

static const char OBSERVED[] =
	POLICY("base", "", "  ingress: [{" ADMIN "}]\n") POLICY("next", AUDIT,
		"  ingress: [{fromEntities: [all]}]\n"
		"  ingressDeny: [{toPorts: [{ports: [{port: '81'}]}]}]\n");

/* Goal: a policy in audit mode neither denies nor allows; what it would deny is said. */
START_TEST(audited_policies_only_observe)
{
	struct policy_set *set = help_set(OBSERVED, NULL);
	struct policy_answer answer = help_ask(set, HELP_ADMIN, HELP_WEB, 80, NULL, NULL);

	ck_assert(answer.verdict == POLICY_ALLOW && !answer.audited);
	answer = help_ask(set, HELP_ADMIN, HELP_WEB, 81, NULL, NULL);
	ck_assert(answer.verdict == POLICY_ALLOW && answer.audited);
	ck_assert_str_eq(help_cause(set, &answer), "shop/next:ingressDeny[0].toPorts[0]");
	answer = help_ask(set, HELP_USER, HELP_WEB, 80, NULL, NULL);
	ck_assert(answer.verdict == POLICY_DENY && !answer.audited);
	policy_set_free(set);
}
END_TEST

/* Goal: with everything in audit mode nothing is denied, L7 included. */
START_TEST(audit_of_the_whole)
{
	const struct policy_options options = {.audit = true};
	struct policy_set *set = help_set(WEB, &options);

	for (size_t i = 0; i < sizeof(QUESTIONS) / sizeof(QUESTIONS[0]); i++) {
		struct policy_answer answer = help_ask(set, QUESTIONS[i].from, HELP_WEB,
			QUESTIONS[i].port, QUESTIONS[i].method, QUESTIONS[i].path);

		ck_assert_int_eq(answer.verdict, POLICY_ALLOW);
		ck_assert_int_eq(answer.audited, QUESTIONS[i].verdict == POLICY_DENY);
		if (answer.audited)
			ck_assert_str_eq(help_cause(set, &answer), QUESTIONS[i].cause);
	}
	policy_set_free(set);
}
END_TEST

static const char HOSTILE[] = POLICY("web", "",
	"  ingress:\n  - toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{path: "
	"'(a*)*b'}, {method: PUT}]}}]\n");

/* Goal: a match that was stopped is an error, unless another rule allows; never a quiet "no". */
START_TEST(limits_are_errors)
{
	struct policy_set *set = help_set(HOSTILE, NULL);
	char path[4000];
	struct policy_answer answer;

	memset(path, 'a', sizeof(path));
	memcpy(path + sizeof(path) - 3, "!b", 3);
	answer = help_ask(set, HELP_USER, HELP_WEB, 80, "GET", path);
	ck_assert_int_eq(answer.verdict, POLICY_ERROR);
	answer = help_ask(set, HELP_USER, HELP_WEB, 80, "PUT", path);
	ck_assert_int_eq(answer.verdict, POLICY_ALLOW);
	policy_set_free(set);
}
END_TEST

Suite *judge_suite(void)
{
	Suite *suite = suite_create("policy/judge");
	TCase *tc = tcase_create("judge");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, causes_are_named, 0, sizeof(QUESTIONS) / sizeof(QUESTIONS[0]));
	tcase_add_test(tc, unselected_is_open);
	tcase_add_test(tc, audited_policies_only_observe);
	tcase_add_test(tc, audit_of_the_whole);
	tcase_add_test(tc, limits_are_errors);
	suite_add_tcase(suite, tc);
	return suite;
}
