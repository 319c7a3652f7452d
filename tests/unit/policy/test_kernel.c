#include "policy/kernel.h"

#include "tests/unit/policy/help.h"
#include "tests/unit/policy/suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVICES 4
#define CALLERS  6
#define POLICIES 300 /* of 4 services, 6 callers and 12 ports each: 172,800 questions */

static unsigned next_random(void)
{
	static uint64_t state = 0x9E3779B97F4A7C15u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 33);
}

static void write_ports(FILE *f)
{
	static const unsigned PORTS[] = {0, 1, 80, 443, 8000, 8080, 65535};
	static const char *const PROTOS[] = {"TCP", "UDP", "ANY", "SCTP"};
	unsigned port = PORTS[next_random() % 7];

	if (next_random() % 3 == 0)
		return;
	fprintf(f, ", toPorts: [{ports: [{port: '%u', protocol: %s", port,
		PROTOS[next_random() % 4]);
	if (next_random() % 3 == 0 && port < 60000)
		fprintf(f, ", endPort: %u", port + next_random() % 1000);
	fprintf(f, "}]}]");
}

static void write_rules(FILE *f, const char *section, unsigned n)
{
	fprintf(f, "%s: [", section);
	for (unsigned i = 0; i < n; i++) {
		fprintf(f, "%s{", i ? ", " : "");
		switch (next_random() % 4) {
		case 0:
			fprintf(f, "fromEntities: [all]");
			break;
		case 1:
			fprintf(f, "toPorts: [{ports: [{port: '8080', protocol: TCP}]}], "
				   "fromEndpoints: null}, {fromEndpoints: [{}]");
			break;
		default:
			fprintf(f,
				"fromEndpoints: [{matchLabels: {role: r%u, "
				"k8s:io.kubernetes.pod.namespace: edge}}]",
				next_random() % 4);
			write_ports(f);
		}
		fprintf(f, "}");
	}
	fprintf(f, "]");
}

static void write_policy(FILE *f, unsigned i)
{
	fprintf(f,
		"---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n"
		"metadata: {name: p%u, namespace: shop%s}\n"
		"spec: {endpointSelector: {matchLabels: {app: a%u}}, ",
		i, next_random() % 6 ? "" : ", annotations: {identityd.io/policy-mode: audit}",
		next_random() % (SERVICES - 1));
	write_rules(f, "ingress", next_random() % 3);
	fprintf(f, ", ");
	write_rules(f, "ingressDeny", next_random() % 3 / 2);
	if (next_random() % 5 == 0)
		fprintf(f, ", enableDefaultDeny: {ingress: false}");
	fprintf(f, "}\n");
}

static struct policy_index *make(void)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	struct policy_index *index;

	for (unsigned i = 0; i < 4; i++)
		write_policy(f, i);
	fclose(f);
	index = policy_index_new(help_set(text, NULL));
	free(text);
	for (unsigned s = 0; s < SERVICES; s++) {
		char name[8], labels[200];
		struct policy_service service = {.name = name, .port = 8080};

		snprintf(name, sizeof(name), "s%u", s);
		snprintf(labels, sizeof(labels),
			"k8s:app=a%u;k8s:io.kubernetes.pod.namespace=shop;", s);
		service.labels = span_of(labels);
		ck_assert_int_eq(policy_index_service(index, &service), 0);
	}
	for (unsigned c = 0; c < CALLERS; c++) {
		char labels[200];
		uint32_t caller;

		snprintf(labels, sizeof(labels),
			"k8s:io.cilium.k8s.policy.cluster=default;k8s:io.kubernetes.pod.namespace="
			"%s;k8s:role=r%u;",
			c == 5 ? "shop" : "edge", c);
		ck_assert_int_eq(policy_index_caller(index, span_of(labels), &caller), 0);
	}
	return index;
}

/* What the kernel's two lookups come to: a deny of either wins, then an allow of either. */
static bool allows(const struct policy_kernel_rules *rules, uint32_t service, uint32_t caller,
	uint8_t proto, uint16_t port)
{
	bool allowed = false;

	for (size_t i = 0; i < rules->n; i++) {
		const struct policy_kernel_rule *rule = &rules->items[i];

		if (rule->service != service ||
			(rule->caller != caller && rule->caller != POLICY_KERNEL_ANYBODY) ||
			(rule->proto && rule->proto != proto) || port < rule->first ||
			port > rule->last)
			continue;
		if (rule->deny)
			return false;
		allowed = true;
	}
	return allowed;
}

/* Goal: the kernel's rules mean what user space says at L4, for every caller, service and port. */
START_TEST(rules_mean_the_same)
{
	static const uint16_t PORTS[] = {1, 80, 443, 8000, 8080, 65535};
	static const uint8_t PROTOS[] = {POLICY_PROTO_TCP, POLICY_PROTO_UDP};
	size_t asked[2] = {0};

	for (unsigned round = 0; round < POLICIES; round++) {
		struct policy_index *index = make();
		struct policy_kernel_rules rules = {0};

		ck_assert_int_eq(policy_kernel_of_anybody(index, &rules), 0);
		for (uint32_t c = 0; c < CALLERS; c++)
			ck_assert_int_eq(policy_kernel_of_caller(index, c, &rules), 0);
		for (uint32_t i = 0; i < SERVICES * CALLERS * 12; i++) {
			uint32_t s = i % SERVICES, c = i / SERVICES % CALLERS;
			uint16_t port = PORTS[i / SERVICES / CALLERS % 6];
			uint8_t proto = PROTOS[i / SERVICES / CALLERS / 6];
			struct policy_answer answer;
			bool kernel = allows(&rules, s, c, proto, port);

			policy_index_judge_l4(index, c, s, (enum policy_proto)proto, port, &answer);
			ck_assert_msg(kernel == (answer.verdict == POLICY_ALLOW),
				"round %u service %u caller %u port %u: kernel %d", round, s, c,
				port, kernel);
			asked[kernel]++;
		}
		policy_kernel_rules_done(&rules);
		policy_index_free(index);
	}
	ck_assert_uint_gt(asked[0], 20000);
	ck_assert_uint_gt(asked[1], 20000);
}
END_TEST

Suite *kernel_suite(void)
{
	Suite *suite = suite_create("policy/kernel");
	TCase *tc = tcase_create("kernel");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, rules_mean_the_same);
	suite_add_tcase(suite, tc);
	return suite;
}
