#include "tests/unit/spoa/suites.h"

#include "spoa/route.h"
#include "tests/unit/spoa/help.h"

#include <errno.h>
#include <stdio.h>

static const char ROLES[] =
	HELP_HEAD "providers:\n"
		  "  - {name: a, issuer: 'https://a', audiences: [api], algorithms: [ES256]}\n"
		  "roles:\n"
		  "  - {name: admin, when: [{claim: role, equals: admin}], labels: [role=admin],\n"
		  "     number: 200}\n"
		  "  - {name: user, when: [{claim: role, equals: user}], labels: [role=user],\n"
		  "     number: 201}\n"
		  "  - {name: bot, when: [{claim: role, equals: bot}], labels: [role=bot, app=x],\n"
		  "     number: 202, route: be_open}\n"
		  "routes:\n"
		  "  - {labels: [role=bot], route: be_other}\n"
		  "  - {labels: [k8s:role=user, role=user], route: be_user}\n"
		  "services:\n"
		  "  - {name: be, namespace: shop, labels: [app=web], port: 8080}\n"
		  "  - {name: be_user, namespace: shop, labels: [app=web], port: 8081}\n"
		  "  - {name: be_open, port: 80}\n"
		  "policy: {paths: [%s/p.yaml], mode: %s}\n";

static const char POLICY[] =
	"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n"
	"metadata: {name: web, namespace: shop}\n"
	"spec:\n  endpointSelector: {matchLabels: {app: web}}\n"
	"  ingress:\n"
	"  - fromEndpoints: [{matchLabels: {role: admin, k8s:io.kubernetes.pod.namespace: "
	"identity-edge}}]\n"
	"    toPorts: [{ports: [{port: '8080', protocol: TCP}], rules: {http: [\n"
	"      {method: GET, path: '/a/.*'}, {method: PUT, headers: ['X-A: 1']}, {path: "
	"'/(b*)*c'}]}}]\n"
	"  - fromEndpoints: [{matchLabels: {role: user, k8s:io.kubernetes.pod.namespace: "
	"identity-edge}}]\n"
	"    toPorts: [{ports: [{port: '8081', protocol: TCP}]}]\n";

static char folder[64];
static struct spoa_config *config;
static struct spoa_snapshot *snapshot;
static struct spoa_state state;

static void begin(const char *mode)
{
	char text[4096];
	struct base_diag diag;

	help_mkdir(folder);
	snprintf(text, sizeof(text), "%s/p.yaml", folder);
	help_write(text, POLICY);
	snprintf(text, sizeof(text), ROLES, folder, mode);
	config = help_config(text);
	snapshot = help_snapshot(config);
	base_diag_init(&diag, "test");
	ck_assert_int_eq(spoa_policies_new(config, &diag, &snapshot->policies), 0);
	base_diag_done(&diag);
	ck_assert_int_eq(spoa_state_init(&state, HELP_CACHE), 0);
	help_key(snapshot, 0, test_key_of(TOKEN_ES256), "k", HELP_NOW.mono_ns);
}

static void end(void)
{
	spoa_state_done(&state);
	spoa_snapshot_unref(snapshot);
	spoa_config_unref(config);
	help_rmdir(folder);
}

/* Two headers as HAProxy packs them: host: h, x-a: 1. */
static const char HEADERS[] = "\4host\1h\3x-a\0011\0\0";
#define TWO SPAN(HEADERS)

static struct spoa_decision decide(const char *role, struct spoa_request request)
{
	char changes[40];
	struct spoa_decision decision;
	struct spoa_need need;
	char *token;

	snprintf(changes, sizeof(changes), "{\"role\": \"%s\"}", role);
	token = help_token(test_key_of(TOKEN_ES256), "k", changes);
	request.token = span_of(token);
	ck_assert(spoa_decide(
		snapshot, &state, &request, HELP_NOW.mono_ns, &HELP_NOW, &need, &decision));
	free(token);
	return decision;
}

static const struct {
	const char *role, *service, *method, *path, *query;
	bool headers;
	enum base_reason reason;
	const char *policy;
} QUESTIONS[] = {
	{"admin", "be", "GET", "/a/x", "", true, BASE_REASON_OK,
		"shop/web:ingress[0].toPorts[0].http[0]"},
	{"admin", "be", "GET", "/a/x", "q=1", true, BASE_REASON_OK,
		"shop/web:ingress[0].toPorts[0].http[0]"},
	{"admin", "be", "GET", "/%61/x", "", true, BASE_REASON_OK,
		"shop/web:ingress[0].toPorts[0].http[0]"},
	{"admin", "be", "PUT", "/b", "", true, BASE_REASON_OK,
		"shop/web:ingress[0].toPorts[0].http[1]"},
	{"admin", "be", "POST", "/b", "", true, BASE_REASON_POLICY_DENIED,
		"shop/web:ingress[0].toPorts[0]"},
	{"admin", "be", "GET", "/a/../b", "", true, BASE_REASON_PATH_AMBIGUOUS, NULL},
	{"admin", "be", "GET", "/a/%2fb", "", true, BASE_REASON_PATH_AMBIGUOUS, NULL},
	{"admin", "be", "PUT", "/b", "", false, BASE_REASON_REQUEST_MALFORMED, NULL},
	{"user", "be", "PUT", "/b//../x", "", false, BASE_REASON_OK,
		"shop/web:ingress[1].toPorts[0]"}, /* routed to be_user, where no rule looks */
	{"bot", "be", "GET", "/", "", false, BASE_REASON_OK, "default-allow"},
	{"admin", "be_user", "GET", "/a/x", "", true, BASE_REASON_POLICY_DENIED, "default-deny"},
	{"admin", "be_none", "GET", "/a/x", "", true, BASE_REASON_SERVICE_UNKNOWN, NULL},
	{"admin", "", "GET", "/a/x", "", true, BASE_REASON_SERVICE_UNKNOWN, NULL},
};

/* Goal: policies are asked on the final route, and their rule is named. */
START_TEST(policies_decide)
{
	struct spoa_decision decision;

	begin("enforce");
	decision = decide(
		QUESTIONS[_i].role, (struct spoa_request){.service = span_of(QUESTIONS[_i].service),
					    .method = span_of(QUESTIONS[_i].method),
					    .path = span_of(QUESTIONS[_i].path),
					    .query = span_of(QUESTIONS[_i].query),
					    .headers = QUESTIONS[_i].headers ? TWO : SPAN("")});
	ASSERT_REASON(decision.reason, QUESTIONS[_i].reason);
	if (QUESTIONS[_i].policy)
		ck_assert_msg(span_is(decision.policy, QUESTIONS[_i].policy), "%.*s",
			SPAN_ARG(decision.policy));
	ck_assert(!decision.audited);
	end();
}
END_TEST

/* Goal: in audit mode what would be denied is allowed, and marked. */
START_TEST(audit_allows)
{
	static const char *const PATHS[] = {"/b", "/a/../b"};
	struct spoa_decision decision;

	begin("audit");
	for (size_t i = 0; i < ARRAY_SIZE(PATHS); i++) {
		decision = decide("admin", (struct spoa_request){.service = SPAN("be"),
						   .method = SPAN("POST"),
						   .path = span_of(PATHS[i]),
						   .headers = TWO});
		ASSERT_REASON(decision.reason, BASE_REASON_OK);
		ck_assert(decision.audited);
	}
	end();
}
END_TEST

/* Goal: a path that is too much work is an error, not an allow. */
START_TEST(hostile_path_is_an_error)
{
	char path[6000];
	struct spoa_decision decision;

	begin("enforce");
	memset(path, 'b', sizeof(path));
	path[0] = '/';
	memcpy(path + sizeof(path) - 2, "!c", 2);
	decision = decide("admin", (struct spoa_request){.service = SPAN("be"),
					   .method = SPAN("POST"),
					   .path = {path, sizeof(path)},
					   .headers = TWO});
	ASSERT_REASON(decision.reason, BASE_REASON_POLICY_ERROR);
	ck_assert(span_is(decision.policy, "shop/web:ingress[0].toPorts[0]"));
	end();
}
END_TEST

/* Goal: headers are read as HAProxy packs them, every strict prefix is refused or short. */
START_TEST(headers_are_bounded)
{
	begin("enforce");
	for (size_t n = 0; n < sizeof(HEADERS); n++) {
		char *copy = malloc(n ? n : 1);
		struct spoa_decision decision;

		memcpy(copy, HEADERS, n);
		decision = decide("admin", (struct spoa_request){.service = SPAN("be"),
						   .method = SPAN("PUT"),
						   .path = SPAN("/b"),
						   .headers = {copy, n}});
		ck_assert(decision.reason != BASE_REASON_OK || n >= 12);
		free(copy);
	}
	end();
}
END_TEST

/* Goal: without policies nothing is asked. */
START_TEST(no_policies)
{
	struct spoa_decision decision;

	begin("enforce");
	spoa_policies_unref(snapshot->policies);
	snapshot->policies = NULL;
	decision = decide("admin", (struct spoa_request){.service = SPAN("be_none")});
	ASSERT_REASON(decision.reason, BASE_REASON_OK);
	ck_assert_uint_eq(decision.policy.n, 0);
	end();
}
END_TEST

/* Goal: routes come from the role, else from the first rule whose labels all fit. */
START_TEST(routes_select_on_labels)
{
	begin("enforce");
	ck_assert_ptr_null(config->roles[0].route);
	ck_assert_str_eq(config->roles[1].route, "be_user");
	ck_assert_str_eq(config->roles[2].route, "be_open");
	ck_assert_str_eq(spoa_route_find(config->conf, "k8s:role=bot;"), "be_other");
	ck_assert_str_eq(spoa_route_find(config->conf, "oidc:role=bot;"), "be_other");
	ck_assert_ptr_null(spoa_route_find(config->conf, "oidc:role=user;"));
	ck_assert_ptr_null(spoa_route_find(config->conf, "k8s:role=botx;k8s:xrole=bot;"));
	end();
}
END_TEST

/* Goal: a role whose route no service describes is a mistake of the configuration. */
START_TEST(routes_need_services)
{
	char text[4096], *at;
	struct spoa_policies *policies = NULL;
	struct spoa_config *other;
	struct base_diag diag;

	begin("enforce");
	snprintf(text, sizeof(text), ROLES, folder, "enforce");
	at = strstr(text, "name: be_open");
	memcpy(at, "name: be_xxxx", 13);
	other = help_config(text);
	base_diag_init(&diag, "test");
	ck_assert_int_eq(spoa_policies_new(other, &diag, &policies), -EINVAL);
	ck_assert_ptr_nonnull(strstr(diag.items[0].text, "its route be_open is not in services"));
	base_diag_done(&diag);
	spoa_config_unref(other);
	end();
}
END_TEST

Suite *suite_policy(void)
{
	Suite *suite = suite_create("policy");
	TCase *tc = tcase_create("policy");

	tcase_add_loop_test(tc, policies_decide, 0, ARRAY_SIZE(QUESTIONS));
	tcase_add_test(tc, audit_allows);
	tcase_add_test(tc, hostile_path_is_an_error);
	tcase_add_test(tc, headers_are_bounded);
	tcase_add_test(tc, no_policies);
	tcase_add_test(tc, routes_select_on_labels);
	tcase_add_test(tc, routes_need_services);
	suite_add_tcase(suite, tc);
	return suite;
}
