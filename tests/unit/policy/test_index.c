#include "policy/index.h"

#include "tests/unit/policy/help.h"
#include "tests/unit/policy/suites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Rules of all kinds on three services; every caller asks for each. */
static const char POLICIES[] =
	"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n"
	"metadata: {name: a, namespace: shop}\n"
	"specs:\n"
	"- endpointSelector: {matchLabels: {app: web}}\n"
	"  ingress:\n"
	"  - fromEntities: [cluster]\n"
	"    toPorts: [{ports: [{port: http, protocol: TCP}], rules: {http: [{path: '/a.*b'}, "
	"{method: PUT, headers: [X-A]}]}}]\n"
	"  - fromEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: edge, role: admin}}]\n"
	"    toPorts: [{ports: [{port: '8000', endPort: 9000}]}]\n"
	"- endpointSelector: {matchLabels: {app: api}}\n"
	"  ingress:\n"
	"  - toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{method: GET}]}}]\n"
	"  - fromEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: edge}}]\n"
	"    toPorts: [{ports: [{port: '81'}]}]\n"
	"  ingressDeny: [{fromEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: edge, "
	"role: user}}]}]\n";

#define API                                                                                        \
	"k8s:app=api;k8s:io.cilium.k8s.policy.cluster=default;"                                    \
	"k8s:io.kubernetes.pod.namespace=shop;"
#define OPEN                                                                                       \
	"k8s:app=open;k8s:io.cilium.k8s.policy.cluster=default;"                                   \
	"k8s:io.kubernetes.pod.namespace=shop;"

static const struct policy_named_port NAMED[] = {{"http", 8080}};
static const uint16_t FURTHER[] = {81, 80};
static const struct policy_service SERVICES[] = {
	{.name = "web",
		.labels = {HELP_WEB, sizeof(HELP_WEB) - 1},
		.port = 8080,
		.named = NAMED,
		.n_named = 1},
	{.name = "api",
		.labels = {API, sizeof(API) - 1},
		.port = 80,
		.ports = FURTHER,
		.n_ports = 2},
	{.name = "open", .labels = {OPEN, sizeof(OPEN) - 1}, .port = 80},
};
static const char *const CALLERS[] = {HELP_ADMIN, HELP_USER, "reserved:world;", ""};
static const char *const METHODS[] = {"GET", "PUT"};
static const char *const PATHS[] = {"/axb", "/c"};

static struct policy_index *make(void)
{
	struct policy_index *index = policy_index_new(help_set(POLICIES, NULL));
	uint32_t caller;

	for (size_t i = 0; i < ARRAY_SIZE(SERVICES); i++)
		ck_assert_int_eq(policy_index_service(index, &SERVICES[i]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(CALLERS); i++) {
		ck_assert_int_eq(policy_index_caller(index, span_of(CALLERS[i]), &caller), 0);
		ck_assert_uint_eq(caller, i);
	}
	return index;
}

/* What the engine says without an index. */
static struct policy_answer slow(const struct policy_set *set, size_t caller, size_t service,
	uint16_t port, const struct policy_request *request, struct policy_scratch *scratch)
{
	struct policy_party *src = policy_party_of_text(set, span_of(CALLERS[caller]));
	struct policy_party *dst = policy_party_of_text(set, SERVICES[service].labels);
	struct policy_endpoint endpoint = {.party = dst,
		.named = SERVICES[service].named,
		.n_named = SERVICES[service].n_named};
	struct policy_target *target = policy_target_new(set, &endpoint);
	struct policy_view *view = policy_view_new(set, target, src);
	struct policy_answer answer;

	policy_view_judge(set, view, POLICY_PROTO_TCP, port, request, scratch, &answer);
	policy_view_free(view);
	policy_target_free(target);
	policy_party_free(src);
	policy_party_free(dst);
	return answer;
}

static void check_same(const struct policy_answer *a, const struct policy_answer *b)
{
	ck_assert_int_eq(a->verdict, b->verdict);
	ck_assert_int_eq(a->l4, b->l4);
	ck_assert_int_eq(a->has_l7, b->has_l7);
	ck_assert_int_eq(a->selected, b->selected);
}

/* Goal: the index answers what the engine answers, for every caller, service and request. */
START_TEST(index_is_the_engine)
{
	struct policy_index *index = make();
	const struct policy_set *set = policy_index_set(index);
	struct policy_scratch *scratch = policy_scratch_new();
	size_t denied = 0, allowed = 0;

	for (uint32_t c = 0; c < ARRAY_SIZE(CALLERS); c++)
		for (size_t s = 0; s < ARRAY_SIZE(SERVICES); s++)
			for (size_t i = 0; i < 4; i++) {
				struct policy_request request = {.method = span_of(METHODS[i % 2]),
					.path = span_of(PATHS[i / 2])};
				struct policy_answer quick,
					want = slow(set, c, s, SERVICES[s].port, &request, scratch);

				policy_index_judge(index, c, s, &request, scratch, &quick);
				check_same(&quick, &want);
				denied += quick.verdict == POLICY_DENY;
				allowed += quick.verdict == POLICY_ALLOW;
			}
	ck_assert_uint_gt(denied, 5);
	ck_assert_uint_gt(allowed, 5);
	policy_scratch_free(scratch);
	policy_index_free(index);
}
END_TEST

/* Goal: the same without a request, for any port. */
START_TEST(index_is_the_engine_at_l4)
{
	static const uint16_t PORTS[] = {80, 81, 8000, 8080, 9000, 9001};
	struct policy_index *index = make();

	for (uint32_t c = 0; c < ARRAY_SIZE(CALLERS); c++)
		for (size_t s = 0; s < ARRAY_SIZE(SERVICES); s++)
			for (size_t p = 0; p < ARRAY_SIZE(PORTS); p++) {
				struct policy_answer quick, want = slow(policy_index_set(index), c,
								    s, PORTS[p], NULL, NULL);

				policy_index_judge_l4(
					index, c, s, POLICY_PROTO_TCP, PORTS[p], &quick);
				check_same(&quick, &want);
			}
	policy_index_free(index);
}
END_TEST

/* Goal: services are found by their names, twice is refused, ports come HTTP first. */
START_TEST(services_have_names)
{
	struct policy_index *index = make();
	const uint16_t *ports;

	ck_assert_int_eq(policy_index_find(index, SPAN("api")), 1);
	ck_assert_int_eq(policy_index_find(index, SPAN("ap")), -1);
	ck_assert_int_eq(policy_index_find(index, SPAN("")), -1);
	ck_assert_str_eq(policy_index_service_name(index, 2), "open");
	ck_assert_int_eq(policy_index_service(index, &SERVICES[0]), -EEXIST);
	ck_assert_uint_eq(policy_index_ports(index, 1, &ports), 2);
	ck_assert(ports[0] == 80 && ports[1] == 81);
	ck_assert_uint_eq(policy_index_port(index, 0), 8080);
	ck_assert(span_eq(policy_index_labels(index, 1), SERVICES[1].labels));
	ck_assert(policy_index_asks(index, 0, 0));
	ck_assert(!policy_index_asks(index, 0, 2));
	ck_assert(policy_index_asks_headers(index, 0, 0));
	ck_assert(policy_index_asks(index, 0, 1) && !policy_index_asks_headers(index, 0, 1));
	policy_index_free(index);
}
END_TEST

Suite *index_suite(void)
{
	Suite *suite = suite_create("policy/index");
	TCase *tc = tcase_create("index");

	tcase_add_test(tc, index_is_the_engine);
	tcase_add_test(tc, index_is_the_engine_at_l4);
	tcase_add_test(tc, services_have_names);
	suite_add_tcase(suite, tc);
	return suite;
}
