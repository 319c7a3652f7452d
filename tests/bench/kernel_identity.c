/*
 * One identity more, and one less, in the kernel's maps that already hold
 * 5,000 identities and 200 services: what the agent does before the first
 * answer that says allow. And the whole set, for comparison.
 */
#include "tests/bench/kernel_identity.h"

#include "bpfmap/policy.h"
#include "bpfmap/state.h"
#include "policy/kernel.h"
#include "tests/bench/many.h"
#include "tests/unit/bpfmap/kernel.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST 256 /* identity 0 of the bench has this number */
#define NEW   100

static struct bpfmap *load(void)
{
	const struct bpfmap_load how = {.dir = kernel.bpf,
		.cgroup = kernel.cgroup,
		.clusters = 255,
		.max_flows = 1024,
		.max_identities = 8192,
		.max_endpoints = 4096,
		.max_policy = 1000000,
		.control = {.mode = {2, 2, 2, 2}}};
	struct bpfmap_loaded loaded;
	struct bpfmap *map;
	char why[BPFMAP_WHY];

	if (bpfmap_load(&how, &loaded, why) || bpfmap_open(kernel.bpf, &map, why))
		many_die(why);
	return map;
}

static struct bpfmap_rule *convert(
	const struct policy_kernel_rules *from, uint32_t identity, bool by_caller)
{
	struct bpfmap_rule *rules = calloc(from->n + 1, sizeof(*rules));

	for (size_t i = 0; rules && i < from->n; i++) {
		const struct policy_kernel_rule *rule = &from->items[i];

		rules[i] = (struct bpfmap_rule){.service = rule->service + 1,
			.identity = !by_caller                              ? identity
				    : rule->caller == POLICY_KERNEL_ANYBODY ? 0
									    : FIRST + rule->caller,
			.direction = BPFMAP_INGRESS,
			.protocol = rule->proto,
			.port_lo = rule->first,
			.port_hi = rule->last,
			.deny = rule->deny};
	}
	if (!rules)
		many_die("out of memory");
	return rules;
}

static size_t count(struct bpfmap *map)
{
	struct bpfmap_policy_key key, *last = NULL;
	size_t n = 0;

	while (!bpf_map_get_next_key(map->fds[BPFMAP_MAP_POLICY], last, &key)) {
		last = &key;
		n++;
	}
	return n;
}

static void write_all(struct bpfmap *map, const struct policy_index *index)
{
	struct bpfmap_target targets[MANY_SERVICES];
	struct bpfmap_policy policy = {.targets = targets, .n_targets = MANY_SERVICES};
	struct policy_kernel_rules from = {0};
	struct bpfmap_rule *rules;
	double begun = many_now(), made;
	char why[BPFMAP_WHY];
	uint32_t epoch;

	if (policy_kernel_of_anybody(index, &from))
		many_die("out of memory");
	for (uint32_t c = 0; c < MANY_IDENTITIES; c++)
		if (policy_kernel_of_caller(index, c, &from))
			many_die("out of memory");
	for (uint32_t s = 0; s < MANY_SERVICES; s++)
		targets[s] = (struct bpfmap_target){.addr = {10, 0, (uint8_t)s, 1},
			.len = 4,
			.prefix = 32,
			.port = 8080,
			.service = 1 + s};
	policy.rules = rules = convert(&from, 0, true);
	policy.n_rules = from.n;
	made = many_now();
	if (bpfmap_policy_swap(map, &policy, &epoch, why))
		many_die(why);
	printf("the whole set, %d identities and %d services: %zu entries, %.0f ms to make and "
	       "%.0f ms to write\n",
		MANY_IDENTITIES, MANY_SERVICES, count(map), (made - begun) * 1e3,
		(many_now() - made) * 1e3);
	free(rules);
	policy_kernel_rules_done(&from);
}

/* Seconds for identity number i to come into user space and the kernel, or to go from the kernel. */
static double change(struct bpfmap *map, struct policy_index *index, unsigned i, bool come)
{
	struct policy_kernel_rules from = {0};
	struct bpfmap_rule *rules;
	double begun = many_now(), took;
	char labels[MANY_LABELS], why[BPFMAP_WHY] = "";
	uint32_t epoch;
	int err;

	many_labels(i, labels);
	if (come)
		many_add(index, i);
	if (policy_kernel_of_labels(index, span_of(labels), &from))
		many_die("out of memory");
	rules = convert(&from, FIRST + i, false);
	err = come ? bpfmap_policy_add(map, rules, from.n, &epoch, why)
		   : bpfmap_policy_remove(map, rules, from.n, why);
	if (err)
		many_die(why);
	took = many_now() - begun;
	free(rules);
	policy_kernel_rules_done(&from);
	return took;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int say(const char *what, double *seconds, size_t entries)
{
	qsort(seconds, NEW, sizeof(*seconds), by_value);
	printf("%s (%zu entries): median %.2f ms, worst of %d %.2f ms (goal 100)\n", what,
		entries / NEW, seconds[NEW / 2] * 1e3, NEW, seconds[NEW - 1] * 1e3);
	return seconds[NEW - 1] > .1;
}

int bench_kernel_identity(void)
{
	struct bpfmap *map = load();
	double load_s, seconds[NEW];
	struct policy_index *index = many_index(&load_s);
	size_t before, grown;
	int broken;

	write_all(map, index);
	before = count(map);
	for (unsigned i = 0; i < NEW; i++)
		seconds[i] = change(map, index, MANY_IDENTITIES + i, true);
	grown = count(map) - before;
	broken = say("one identity more, in user space and the kernel", seconds, grown);
	for (unsigned i = 0; i < NEW; i++)
		seconds[i] = change(map, index, MANY_IDENTITIES + i, false);
	broken |= say("one identity less, in the kernel", seconds, grown);
	if (grown < NEW || count(map) != before)
		many_die("identities came or went without their rules");
	policy_index_free(index);
	bpfmap_close(map);
	return broken;
}
