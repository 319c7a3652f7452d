#include "tests/bench/many.h"

#include "policy/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RULES 50 /* for each service */

static char folder[] = "/tmp/identityd-bench-XXXXXX";

double many_now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

void many_die(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

unsigned many_random(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 16);
}

static void write_rule(FILE *f, unsigned i)
{
	fprintf(f, "  - fromEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: edge, ");
	if (i % 5)
		fprintf(f, "team: t%u}}]\n", many_random() % 100);
	else
		fprintf(f, "role: r%u, team: t%u}}]\n", many_random() % 50, many_random() % 100);
	fprintf(f,
		"    toPorts: [{ports: [{port: '8080', protocol: TCP}], rules: {http: [{method: "
		"GET, path: '/api/v%u/items/[0-9]+(\\?.*)?'}, {method: 'POST|PUT', path: "
		"'/api/v%u/.*', host: 'shop\\.example'}]}}]\n",
		i % 4, i % 4);
}

static void write_policies(void)
{
	char path[200];

	for (unsigned s = 0; s < MANY_SERVICES; s++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/p%03u.yaml", folder, s);
		f = fopen(path, "w");
		if (!f)
			many_die("cannot write policies");
		fprintf(f,
			"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: "
			"p%u, namespace: shop}\nspec:\n  endpointSelector: {matchLabels: {app: "
			"a%u}}\n  ingress:\n",
			s, s);
		for (unsigned i = 0; i < RULES - 1; i++)
			write_rule(f, i);
		fprintf(f,
			"  ingressDeny:\n  - fromEndpoints: [{matchLabels: {role: r%u, "
			"k8s:io.kubernetes.pod.namespace: edge}}]\n",
			s % 50);
		fclose(f);
	}
}

static void remove_policies(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	if (system(command))
		many_die("cannot remove the policies");
}

static void add_services(struct policy_index *index)
{
	for (unsigned s = 0; s < MANY_SERVICES; s++) {
		char name[20], labels[200];
		struct policy_service service = {.name = name, .port = 8080};

		snprintf(name, sizeof(name), "be_%u", s);
		snprintf(labels, sizeof(labels),
			"k8s:app=a%u;k8s:io.cilium.k8s.policy.cluster=default;"
			"k8s:io.kubernetes.pod.namespace=shop;",
			s);
		service.labels = span_of(labels);
		if (policy_index_service(index, &service))
			many_die("a service is refused");
	}
}

void many_labels(unsigned i, char labels[MANY_LABELS])
{
	snprintf(labels, MANY_LABELS,
		"k8s:group=g%u;k8s:io.cilium.k8s.policy.cluster=default;"
		"k8s:io.kubernetes.pod.namespace=edge;k8s:role=r%u;k8s:team=t%u;",
		i, i % 53, i % 101);
}

void many_add(struct policy_index *index, unsigned i)
{
	char labels[MANY_LABELS];
	uint32_t caller;

	many_labels(i, labels);
	if (policy_index_caller(index, span_of(labels), &caller))
		many_die("an identity is refused");
}

struct policy_index *many_index(double *ret_s)
{
	static const struct policy_options OPTIONS = {0};
	const char *paths[] = {folder};
	struct policy_set *set;
	struct policy_index *index;
	double start;

	if (!mkdtemp(folder))
		many_die("no folder");
	write_policies();
	start = many_now();
	set = policy_set_new(&OPTIONS);
	if (!set || policy_load(set, paths, 1, NULL, NULL) || policy_set_ready(set))
		many_die("the policies are refused");
	index = policy_index_new(set);
	if (!index)
		many_die("out of memory");
	add_services(index);
	for (unsigned i = 0; i < MANY_IDENTITIES; i++)
		many_add(index, i);
	*ret_s = many_now() - start;
	remove_policies();
	return index;
}
