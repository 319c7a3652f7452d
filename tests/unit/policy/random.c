#include "tests/unit/policy/random.h"

#include "tests/unit/policy/help.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned random_next(void)
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
	unsigned port = PORTS[random_next() % 7];

	if (random_next() % 3 == 0)
		return;
	if (random_next() % 5 == 0) {
		fprintf(f, ", toPorts: [{ports: [{port: %s, protocol: %s}]}]",
			random_next() % 2 ? "web" : "none", PROTOS[random_next() % 3]);
		return;
	}
	fprintf(f, ", toPorts: [{ports: [{port: '%u', protocol: %s", port,
		PROTOS[random_next() % 4]);
	if (random_next() % 3 == 0 && port < 60000)
		fprintf(f, ", endPort: %u", port + random_next() % 1000);
	fprintf(f, "}]}]");
}

static void write_rules(FILE *f, const char *section, unsigned n)
{
	fprintf(f, "%s: [", section);
	for (unsigned i = 0; i < n; i++) {
		fprintf(f, "%s{", i ? ", " : "");
		switch (random_next() % 4) {
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
				random_next() % 4);
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
		i, random_next() % 6 ? "" : ", annotations: {identityd.io/policy-mode: audit}",
		random_next() % (RANDOM_SERVICES - 1));
	write_rules(f, "ingress", random_next() % 3);
	fprintf(f, ", ");
	write_rules(f, "ingressDeny", random_next() % 3 / 2);
	if (random_next() % 5 == 0)
		fprintf(f, ", enableDefaultDeny: {ingress: false}");
	fprintf(f, "}\n");
}

void random_labels(uint32_t caller, char labels[200])
{
	snprintf(labels, 200,
		"k8s:io.cilium.k8s.policy.cluster=default;k8s:io.kubernetes.pod.namespace="
		"%s;k8s:role=r%u;",
		caller == 5 ? "shop" : "edge", caller);
}

struct policy_index *random_index(void)
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
	for (unsigned s = 0; s < RANDOM_SERVICES; s++) {
		char name[8], labels[200];
		const struct policy_named_port web = {.name = "web", .port = s % 2 ? 8080 : 9000};
		struct policy_service service = {
			.name = name, .port = 8080, .named = &web, .n_named = 1};

		snprintf(name, sizeof(name), "s%u", s);
		snprintf(labels, sizeof(labels),
			"k8s:app=a%u;k8s:io.kubernetes.pod.namespace=shop;", s);
		service.labels = span_of(labels);
		ck_assert_int_eq(policy_index_service(index, &service), 0);
	}
	for (unsigned c = 0; c < RANDOM_CALLERS; c++) {
		char labels[200];
		uint32_t caller;

		random_labels(c, labels);
		ck_assert_int_eq(policy_index_caller(index, span_of(labels), &caller), 0);
	}
	return index;
}
