/*
 * How fast policies are: reading 10,000 rules for 200 services and 5,000
 * identities, one identity more, and an L7 decision. Prints one line for each,
 * with what docs/POLICY.md promises; exits with 1 when one is not kept.
 */
#include "policy/index.h"
#include "policy/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SERVICES   200
#define RULES      50 /* for each service */
#define IDENTITIES 5000
#define DECISIONS  1000000
#define NEW        200 /* identities that appear later */

static char folder[] = "/tmp/identityd-bench-XXXXXX";

static double now_s(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_policy: %s\n", what);
	exit(1);
}

static unsigned next_random(void)
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
		fprintf(f, "team: t%u}}]\n", next_random() % 100);
	else
		fprintf(f, "role: r%u, team: t%u}}]\n", next_random() % 50, next_random() % 100);
	fprintf(f,
		"    toPorts: [{ports: [{port: '8080', protocol: TCP}], rules: {http: [{method: "
		"GET, path: '/api/v%u/items/[0-9]+(\\?.*)?'}, {method: 'POST|PUT', path: "
		"'/api/v%u/.*', host: 'shop\\.example'}]}}]\n",
		i % 4, i % 4);
}

static void write_policies(void)
{
	char path[200];

	for (unsigned s = 0; s < SERVICES; s++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/p%03u.yaml", folder, s);
		f = fopen(path, "w");
		if (!f)
			die("cannot write policies");
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
		die("cannot remove the policies");
}

static void add_services(struct policy_index *index)
{
	for (unsigned s = 0; s < SERVICES; s++) {
		char name[20], labels[200];
		struct policy_service service = {.name = name, .port = 8080};

		snprintf(name, sizeof(name), "be_%u", s);
		snprintf(labels, sizeof(labels),
			"k8s:app=a%u;k8s:io.cilium.k8s.policy.cluster=default;"
			"k8s:io.kubernetes.pod.namespace=shop;",
			s);
		service.labels = span_of(labels);
		if (policy_index_service(index, &service))
			die("a service is refused");
	}
}

static void add_identity(struct policy_index *index, unsigned i)
{
	char labels[300];
	uint32_t caller;

	snprintf(labels, sizeof(labels),
		"k8s:group=g%u;k8s:io.cilium.k8s.policy.cluster=default;"
		"k8s:io.kubernetes.pod.namespace=edge;k8s:role=r%u;k8s:team=t%u;",
		i, i % 53, i % 101);
	if (policy_index_caller(index, span_of(labels), &caller))
		die("an identity is refused");
}

static struct policy_index *load(double *ret_s)
{
	static const struct policy_options OPTIONS = {0};
	const char *paths[] = {folder};
	double start = now_s();
	struct policy_set *set = policy_set_new(&OPTIONS);
	struct policy_index *index;

	if (!set || policy_load(set, paths, 1, NULL, NULL) || policy_set_ready(set))
		die("the policies are refused");
	index = policy_index_new(set);
	if (!index)
		die("out of memory");
	add_services(index);
	for (unsigned i = 0; i < IDENTITIES; i++)
		add_identity(index, i);
	*ret_s = now_s() - start;
	return index;
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

/* One of the pairs of caller and service whose rules look at the request. */
static void choose(const struct policy_index *index, uint32_t *ret_caller, size_t *ret_service)
{
	do {
		*ret_caller = next_random() % IDENTITIES;
		*ret_service = next_random() % SERVICES;
	} while (!policy_index_asks(index, *ret_caller, *ret_service));
}

static void decide(const struct policy_index *index, float *us)
{
	static const char *const PATHS[] = {
		"/api/v1/items/12345", "/api/v2/items/7?page=2", "/api/v3/orders", "/index.html"};
	static const char *const METHODS[] = {"GET", "GET", "POST", "DELETE"};
	struct policy_scratch *scratch = policy_scratch_new();
	struct policy_answer answer;
	size_t allowed = 0;

	for (size_t i = 0; i < DECISIONS; i++) {
		struct policy_request request = {.method = span_of(METHODS[i % 4]),
			.path = span_of(PATHS[i % 4]),
			.host = SPAN("shop.example")};
		struct timespec before, after;
		uint32_t caller;
		size_t service;

		choose(index, &caller, &service);
		clock_gettime(CLOCK_MONOTONIC, &before);
		policy_index_judge(index, caller, service, &request, scratch, &answer);
		clock_gettime(CLOCK_MONOTONIC, &after);
		us[i] = (float)((double)(after.tv_sec - before.tv_sec) * 1e6 +
				(double)(after.tv_nsec - before.tv_nsec) / 1e3);
		allowed += answer.verdict == POLICY_ALLOW;
	}
	if (allowed < DECISIONS / 100 || allowed > DECISIONS / 100 * 99)
		die("the decisions say nothing: nearly all are the same");
	qsort(us, DECISIONS, sizeof(*us), by_value);
	policy_scratch_free(scratch);
}

static int say(const char *what, double value, double limit, const char *unit)
{
	printf("%-44s %10.3f %-3s (at most %g)\n", what, value, unit, limit);
	return value > limit;
}

int main(void)
{
	float *us = malloc(DECISIONS * sizeof(*us));
	struct policy_index *index;
	double load_s, start;
	int broken = 0;

	if (!us || !mkdtemp(folder))
		die("cannot begin");
	write_policies();
	index = load(&load_s);
	remove_policies();
	printf("%zu policies, %zu rules, %zu services, %zu identities\n",
		policy_set_policies(policy_index_set(index)),
		policy_set_rules(policy_index_set(index)), policy_index_services(index),
		policy_index_callers(index));
	start = now_s();
	for (unsigned i = 0; i < NEW; i++)
		add_identity(index, IDENTITIES + i);
	broken |= say("load: files, services, identities", load_s, 2, "s");
	broken |= say("one identity more", (now_s() - start) / NEW * 1e3, 20, "ms");
	decide(index, us);
	broken |= say("one L7 decision, median", us[DECISIONS / 2], 2, "us");
	printf("%-44s %10.3f us\n", "one L7 decision, 99 of 100", us[DECISIONS / 100 * 99]);
	policy_index_free(index);
	free(us);
	return broken;
}
