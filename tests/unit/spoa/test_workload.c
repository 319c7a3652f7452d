/* Callers that are known by an address, and tokens that are compared with it. */
#include "tests/unit/spoa/suites.h"

#include "spoa/explain.h"
#include "spoa/workload_of.h"
#include "tests/unit/spoa/help.h"
#include "token/json.h"

#include <arpa/inet.h>
#include <stdio.h>

#define RECEIVED (HELP_NOW.mono_ns - 1)

#define NAMESPACE "k8s:io.kubernetes.pod.namespace=shop"
#define ACCOUNT   "k8s:io.cilium.k8s.policy.serviceaccount=cart"

static const char CONFIG[] =
	HELP_HEAD "providers:\n"
		  "  - {name: a, issuer: 'https://a', audiences: [api], algorithms: [ES256]}\n"
		  "roles:\n"
		  "  - {name: other, provider: workload, when: [{workload: app=other}], "
		  "labels: [role=other], number: 203}\n"
		  "  - {name: local, provider: workload, when: [{source: 10.0.1.0/24}], labels: "
		  "[role=local], number: 200}\n"
		  "  - {name: admin, when: [{claim: role, equals: admin}], labels: [role=admin], "
		  "number: 201}\n"
		  "  - {name: anybody, labels: [role=anybody], number: 202}\n"
		  "assertion: {issuer: 'https://edge'}\n"
		  "workloads:\n"
		  "  ranges: [10.0.0.0/16, 'fd00::/16']\n"
		  "  mismatch: %s\n"
		  "  unknown: %s\n"
		  "  entries:\n"
		  "    - {addresses: [10.0.1.7, 'fd00::7'], pod: cart-0,\n"
		  "       labels: ['" NAMESPACE "', '" ACCOUNT "']}\n"
		  "    - {addresses: 10.0.1.0/24, labels: ['" NAMESPACE "']}\n"
		  "    - {addresses: 10.0.2.0/24, labels: ['k8s:app=other']}\n"
		  "    - {addresses: 10.0.3.1, labels: ['" NAMESPACE "',\n"
		  "       'k8s:statefulset.kubernetes.io/pod-name=cart-3']}\n";

static struct spoa_config *config;
static struct spoa_snapshot *snapshot;
static struct spoa_state state;

static void make(const char *mismatch, const char *unknown)
{
	char text[sizeof(CONFIG) + 32];

	snprintf(text, sizeof(text), CONFIG, mismatch, unknown);
	config = help_config(text);
	snapshot = help_snapshot(config);
	ck_assert_int_eq(spoa_state_init(&state, HELP_CACHE), 0);
	help_key(snapshot, 0, test_key_of(TOKEN_ES256), "k", HELP_NOW.mono_ns);
}

static void teardown(void)
{
	spoa_state_done(&state);
	spoa_snapshot_unref(snapshot);
	spoa_config_unref(config);
}

static struct spoa_address address(const char *text)
{
	struct spoa_address to = {.len = strchr(text, ':') ? 16 : 4};

	ck_assert_int_eq(inet_pton(to.len == 4 ? AF_INET : AF_INET6, text, to.bytes), 1);
	return to;
}

/* A request that a HAProxy of ours sends, from this address, with a token or without. */
static struct spoa_decision ask(const char *token, const char *src, struct spoa_request *request)
{
	struct spoa_request plain = {.vouched = true, .sport = 1};
	struct spoa_decision decision;
	struct spoa_need need = {0};

	if (!request)
		request = &plain;
	request->src = address(src);
	if (!request->client.len)
		request->client = request->src;
	if (token)
		request->token = span_of(token);
	ck_assert(spoa_decide(snapshot, &state, request, RECEIVED, &HELP_NOW, &need, &decision));
	return decision;
}

static const struct {
	const char *src, *token; /* token: its claim kubernetes.io; NULL: it names nobody */
	enum spoa_bound bound;
} TOKENS[] = {
	{"10.0.1.7", "{\"namespace\": \"shop\", \"serviceaccount\": {\"name\": \"cart\"}}",
		SPOA_BOUND_MATCH},
	{"fd00::7", "{\"namespace\": \"shop\", \"serviceaccount\": {\"name\": \"cart\"}}",
		SPOA_BOUND_MATCH},
	{"::ffff:10.0.1.7", "{\"namespace\": \"shop\"}", SPOA_BOUND_MATCH},
	{"10.0.1.7", "{\"namespace\": \"shop\", \"pod\": {\"name\": \"cart-0\"}}",
		SPOA_BOUND_MATCH},
	/* Each of the three contradicts by itself. */
	{"10.0.1.7", "{\"namespace\": \"bank\", \"serviceaccount\": {\"name\": \"cart\"}}",
		SPOA_BOUND_MISMATCH},
	{"10.0.1.7", "{\"namespace\": \"shop\", \"serviceaccount\": {\"name\": \"root\"}}",
		SPOA_BOUND_MISMATCH},
	{"10.0.1.7", "{\"namespace\": \"shop\", \"pod\": {\"name\": \"cart-1\"}}",
		SPOA_BOUND_MISMATCH},
	{"10.0.3.1", "{\"namespace\": \"shop\", \"pod\": {\"name\": \"cart-0\"}}",
		SPOA_BOUND_MISMATCH},
	{"10.0.3.1", "{\"namespace\": \"shop\", \"pod\": {\"name\": \"cart-3\"}}",
		SPOA_BOUND_MATCH},
	/* A name that Kubernetes cannot have given is nobody's. */
	{"10.0.1.7", "{\"namespace\": \"sh/op\"}", SPOA_BOUND_MISMATCH},
	{"10.0.1.7", "7", SPOA_BOUND_MISMATCH},
	/* What is not known about the address cannot contradict. */
	{"10.0.1.8", "{\"namespace\": \"shop\", \"serviceaccount\": {\"name\": \"root\"}}",
		SPOA_BOUND_MATCH},
	{"10.0.2.1", "{\"namespace\": \"shop\"}", SPOA_BOUND_UNKNOWN},
	/* Nobody there; outside of ranges. */
	{"10.0.9.1", "{\"namespace\": \"shop\"}", SPOA_BOUND_UNKNOWN},
	{"192.0.2.1", "{\"namespace\": \"shop\"}", SPOA_BOUND_UNKNOWN},
	{"10.0.1.7", NULL, SPOA_BOUND_NONE},
};

static const enum base_reason REASONS[2][4] = {
	{[SPOA_BOUND_MISMATCH] = BASE_REASON_WORKLOAD_MISMATCH},
	{[SPOA_BOUND_UNKNOWN] = BASE_REASON_WORKLOAD_UNKNOWN},
};

static char *token_of(const char *kubernetes)
{
	char changes[300];

	snprintf(
		changes, sizeof(changes), "{\"kubernetes.io\": %s}", kubernetes ? kubernetes : "7");
	return help_token(test_key_of(TOKEN_ES256), "k", kubernetes ? changes : "{}");
}

START_TEST(binding)
{
	/* Goal: what the token says and what is known are compared, remembered tokens as well. */
	bool audit = _i % 2;
	cleanup(free) char *token = token_of(TOKENS[_i / 2].token);

	make(audit ? "audit" : "deny", audit ? "deny" : "allow");
	for (int again = 0; again < 2; again++) {
		struct spoa_decision decision = ask(token, TOKENS[_i / 2].src, NULL);

		ck_assert_int_eq(decision.bound, TOKENS[_i / 2].bound);
		ASSERT_REASON(decision.reason, REASONS[audit][TOKENS[_i / 2].bound]);
		ck_assert_int_eq(decision.role != NULL, decision.reason == BASE_REASON_OK);
		/* In audit mode it is written down as what would have been denied. */
		ck_assert_int_eq(spoa_decision_is_audited(&decision),
			audit && decision.bound == SPOA_BOUND_MISMATCH);
	}
}
END_TEST

START_TEST(same_token_elsewhere)
{
	/* Goal: a token that was remembered where it belongs is refused elsewhere. */
	cleanup(free) char *token =
		token_of("{\"namespace\": \"shop\", \"pod\": {\"name\": \"cart-0\"}}");

	make("deny", "deny");
	ASSERT_REASON(ask(token, "10.0.1.7", NULL).reason, BASE_REASON_OK);
	ASSERT_REASON(ask(token, "10.0.3.1", NULL).reason, BASE_REASON_WORKLOAD_MISMATCH);
	ASSERT_REASON(ask(token, "192.0.2.1", NULL).reason, BASE_REASON_WORKLOAD_UNKNOWN);
}
END_TEST

START_TEST(without_token)
{
	/* Goal: an address alone is enough for roles that name no other provider than workload. */
	struct spoa_decision decision;

	make("deny", "deny");
	decision = ask(NULL, "10.0.1.7", NULL);
	ASSERT_REASON(decision.reason, BASE_REASON_OK);
	ck_assert_str_eq(decision.role->name, "local");
	ck_assert_uint_eq(decision.binding.identity, 200);
	ck_assert_uint_eq(decision.binding.expires, UINT64_MAX);
	ck_assert_uint_ne(decision.binding.subject, 0);
	ck_assert(decision.binding.subject != ask(NULL, "10.0.1.8", NULL).binding.subject);
	ck_assert_str_eq(ask(NULL, "10.0.2.1", NULL).role->name, "other");
	/* Known, but no role is for it: "anybody" is for credentials. */
	ASSERT_REASON(ask(NULL, "10.0.3.1", NULL).reason, BASE_REASON_NO_TOKEN);
	ASSERT_REASON(ask(NULL, "10.0.9.1", NULL).reason, BASE_REASON_NO_TOKEN);
	ASSERT_REASON(ask(NULL, "192.0.2.1", NULL).reason, BASE_REASON_NO_TOKEN);
	/* A bad token is no reason to look at the address, nor is a header without one. */
	ASSERT_REASON(ask("x.y.z", "10.0.1.7", NULL).reason, BASE_REASON_TOKEN_MALFORMED);
	ASSERT_REASON(
		ask(NULL, "10.0.1.7", &(struct spoa_request){.vouched = true, .scheme = SPAN("x")})
			.reason,
		BASE_REASON_SCHEME_UNSUPPORTED);
	ASSERT_REASON(ask(NULL, "10.0.1.7",
			      &(struct spoa_request){.vouched = true, .scheme = SPAN("Bearer")})
			      .reason,
		BASE_REASON_TOKEN_MALFORMED);
}
END_TEST

START_TEST(with_token)
{
	/* Goal: a role for callers without a token is not for those with one. */
	cleanup(free) char *token = token_of(NULL);

	make("deny", "deny");
	ck_assert_str_eq(ask(token, "10.0.1.7", NULL).role->name, "admin");
}
END_TEST

static const struct {
	struct spoa_request request;
	const char *client;
} STRANGERS[] = {
	{{.vouched = false}, NULL},                 /* a SPOP peer that nobody knows */
	{{.vouched = true, .proxied = true}, NULL}, /* a header said so */
	{{.vouched = true, .proxied = true}, "10.0.1.7"},
	{{.vouched = true}, "10.0.1.8"}, /* ... and nobody said that one did */
	{{.vouched = true}, "192.0.2.1"},
	{{.vouched = true}, "fd00::7"},
};

START_TEST(not_the_callers)
{
	/* Goal: an address that is or may be a proxy's makes nobody a workload. */
	struct spoa_request request = STRANGERS[_i].request;
	cleanup(free) char *token = token_of("{\"namespace\": \"shop\"}");

	make("deny", "deny");
	if (STRANGERS[_i].client)
		request.client = address(STRANGERS[_i].client);
	ASSERT_REASON(ask(NULL, "10.0.1.7", &request).reason, BASE_REASON_NO_TOKEN);
	ASSERT_REASON(ask(token, "10.0.1.7", &request).reason, BASE_REASON_WORKLOAD_UNKNOWN);
}
END_TEST

START_TEST(no_ipcache)
{
	/* Goal: where the ipcache is to be asked and cannot be, it is an error, never a yes or no. */
	struct spoa_workloads lost = {.lost = true};
	cleanup(free) char *token = token_of("{\"namespace\": \"shop\"}");
	cleanup(free) char *plain = token_of(NULL);

	make("audit", "allow");
	atomic_init(&lost.refs, 2);
	snapshot->workloads = &lost;
	ASSERT_REASON(ask(NULL, "10.0.9.1", NULL).reason, BASE_REASON_WORKLOAD_UNAVAILABLE);
	ASSERT_REASON(ask(token, "10.0.9.1", NULL).reason, BASE_REASON_WORKLOAD_UNAVAILABLE);
	/* The operator's entries, other addresses and other tokens do not need it. */
	ASSERT_REASON(ask(NULL, "10.0.1.7", NULL).reason, BASE_REASON_OK);
	ASSERT_REASON(ask(token, "192.0.2.1", NULL).reason, BASE_REASON_OK);
	ASSERT_REASON(ask(plain, "10.0.9.1", NULL).reason, BASE_REASON_OK);
}
END_TEST

START_TEST(label)
{
	/* Goal: the value of exactly this label, not of one that ends or begins like it. */
	static const char LABELS[] = "k8s:xapp=1;k8s:app=2;k8s:app2=3;k8s:empty=;k8s:last=4;";

	ck_assert(span_is(spoa_workload_label(span_of(LABELS), "k8s:app"), "2"));
	ck_assert(span_is(spoa_workload_label(span_of(LABELS), "k8s:last"), "4"));
	ck_assert_ptr_nonnull(spoa_workload_label(span_of(LABELS), "k8s:empty").p);
	ck_assert_uint_eq(spoa_workload_label(span_of(LABELS), "k8s:empty").n, 0);
	ck_assert_ptr_null(spoa_workload_label(span_of(LABELS), "app").p);
	ck_assert_ptr_null(spoa_workload_label(span_of(LABELS), "k8s:ap").p);
	ck_assert_ptr_null(spoa_workload_label((struct span){0}, "k8s:app").p);
}
END_TEST

static const struct {
	const char *question, *reason, *role, *where, *bound; /* NULL: not there */
} QUESTIONS[] = {
	{"{'source': '10.0.1.7'}", "ok", "local", "known", NULL},
	{"{'source': '10.0.2.1'}", "ok", "other", "known", NULL},
	{"{'source': '10.0.3.1'}", "no_token", NULL, "known", NULL},
	{"{'source': '10.0.9.1'}", "no_token", NULL, "nowhere", NULL},
	{"{'source': '10.0.1.7', 'proxied': true}", "no_token", NULL, "outside", NULL},
	{"{'workload': 'k8s:app=other;'}", "ok", "other", "known", NULL},
	{"{'provider': 'a', 'claims': {'role': 'admin', 'kubernetes.io': {'namespace': 'shop'}}, "
	 "'source': '10.0.1.7'}",
		"ok", "admin", "known", "match"},
	{"{'provider': 'a', 'claims': {'role': 'admin', 'kubernetes.io': {'namespace': 'x'}}, "
	 "'source': '10.0.1.7'}",
		"workload_mismatch", NULL, "known", "mismatch"},
	{"{'provider': 'a', 'claims': {'role': 'admin', 'kubernetes.io': {'namespace': 'x'}}}",
		"workload_unknown", NULL, "outside", "unknown"},
	{"{'provider': 'a', 'claims': {'role': 'admin'}, 'workload': 'k8s:app=other;'}", "ok",
		"admin", "known", NULL},
};

static void has(const json_t *object, const char *key, const char *text)
{
	const char *got = json_string_value(json_object_get(object, key));

	ck_assert_msg(text ? got && !strcmp(got, text) : !got, "%s: %s", key, got);
}

START_TEST(explained)
{
	/* Goal: role test says what a request would get, and who is known to be there. */
	cleanup(json) json_t *question = NULL, *answer = NULL;
	char text[300];

	make("deny", "deny");
	snprintf(text, sizeof(text), "%s", QUESTIONS[_i].question);
	for (char *c = text; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	question = json_loads(text, 0, NULL);
	ck_assert_ptr_nonnull(question);
	answer = spoa_explain(snapshot, question, &HELP_NOW);
	has(answer, "reason", QUESTIONS[_i].reason);
	has(answer, "role", QUESTIONS[_i].role);
	has(json_object_get(answer, "workload"), "where", QUESTIONS[_i].where);
	has(json_object_get(answer, "workload"), "bound", QUESTIONS[_i].bound);
}
END_TEST

START_TEST(no_question)
{
	/* Goal: labels that are not canonical are a mistake, not a workload without them. */
	cleanup(json) json_t *question = json_pack("{s:s}", "workload", "app=other");
	cleanup(json) json_t *answer = NULL;

	make("deny", "deny");
	answer = spoa_explain(snapshot, question, &HELP_NOW);
	ck_assert_ptr_nonnull(json_object_get(answer, "error"));
}
END_TEST

Suite *suite_workload(void)
{
	Suite *suite = suite_create("spoa/workload");
	TCase *tc = tcase_create("workload");
	TCase *plain = tcase_create("label");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_loop_test(tc, binding, 0, 2 * ARRAY_SIZE(TOKENS));
	tcase_add_test(tc, same_token_elsewhere);
	tcase_add_test(tc, without_token);
	tcase_add_test(tc, with_token);
	tcase_add_loop_test(tc, not_the_callers, 0, ARRAY_SIZE(STRANGERS));
	tcase_add_test(tc, no_ipcache);
	tcase_add_loop_test(tc, explained, 0, ARRAY_SIZE(QUESTIONS));
	tcase_add_test(tc, no_question);
	suite_add_tcase(suite, tc);
	tcase_add_test(plain, label);
	suite_add_tcase(suite, plain);
	return suite;
}
