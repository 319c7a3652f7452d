/*
 * How fast policies are: reading 10,000 rules for 200 services and 5,000
 * identities, one identity more, and an L7 decision. Prints one line for each,
 * with what docs/POLICY.md promises; exits with 1 when one is not kept.
 */
#include "tests/bench/many.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DECISIONS 1000000
#define NEW       200 /* identities that appear later */

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

/* One of the pairs of caller and service whose rules look at the request. */
static void choose(const struct policy_index *index, uint32_t *ret_caller, size_t *ret_service)
{
	do {
		*ret_caller = many_random() % MANY_IDENTITIES;
		*ret_service = many_random() % MANY_SERVICES;
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
		many_die("the decisions say nothing: nearly all are the same");
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

	if (!us)
		many_die("out of memory");
	index = many_index(&load_s);
	printf("%zu policies, %zu rules, %zu services, %zu identities\n",
		policy_set_policies(policy_index_set(index)),
		policy_set_rules(policy_index_set(index)), policy_index_services(index),
		policy_index_callers(index));
	start = many_now();
	for (unsigned i = 0; i < NEW; i++)
		many_add(index, MANY_IDENTITIES + i);
	broken |= say("load: files, services, identities", load_s, 2, "s");
	broken |= say("one identity more", (many_now() - start) / NEW * 1e3, 20, "ms");
	decide(index, us);
	broken |= say("one L7 decision, median", us[DECISIONS / 2], 2, "us");
	printf("%-44s %10.3f us\n", "one L7 decision, 99 of 100", us[DECISIONS / 100 * 99]);
	policy_index_free(index);
	free(us);
	return broken;
}
