#include "policy/model.h"

#include <errno.h>
#include <string.h>

#define NAMESPACE_KEY "io.kubernetes.pod.namespace"
#define CLUSTER_KEY   "io.cilium.k8s.policy.cluster"

static int add_name(struct policy_set *set, const char *text, uint32_t *ret_name)
{
	return policy_names_add(&set->names, &set->arena, span_of(text), ret_name);
}

static int name_all(struct policy_set *set)
{
	const char *cluster = set->options.cluster ? set->options.cluster : "default";
	int err = add_name(set, cluster, &set->cluster_name);

	if (!err)
		err = add_name(set, NAMESPACE_KEY, &set->key_namespace);
	if (!err)
		err = add_name(set, CLUSTER_KEY, &set->key_cluster);
	if (!err)
		err = add_name(set, "k8s", &set->source_k8s);
	if (!err)
		err = add_name(set, "reserved", &set->source_reserved);
	for (size_t i = 0; !err && i < POLICY_ENTITIES; i++)
		err = add_name(set, policy_entity_name((enum policy_entity)i), &set->reserved[i]);
	return err;
}

struct policy_set *policy_set_new(const struct policy_options *options)
{
	cleanup(policy_set) struct policy_set *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->options = *options;
	if (name_all(set))
		return NULL;
	set->options.cluster = policy_names_text(&set->names, set->cluster_name);
	return TAKE_PTR(set);
}

void policy_set_free(struct policy_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->n_patterns; i++)
		policy_pattern_done(&set->patterns[i]);
	policy_lookup_free(set->lookup);
	policy_names_done(&set->names);
	policy_arena_done(&set->arena);
	free(set->objects);
	free(set->specs);
	free(set->rules);
	free(set->selectors);
	free(set->selector_slots);
	free(set->patterns);
	free(set->pattern_slots);
	free(set);
}

int policy_set_ready(struct policy_set *set)
{
	return policy_lookup_new(set);
}

size_t policy_set_policies(const struct policy_set *set)
{
	return set->n_objects;
}

size_t policy_set_rules(const struct policy_set *set)
{
	return set->n_rules;
}

bool policy_set_needs_headers(const struct policy_set *set)
{
	return set->needs_headers;
}

int policy_set_room(void *array_pointer, size_t n, size_t *room, size_t size)
{
	size_t next = *room ? *room * 2 : 16;
	void *array, *grown;

	if (n < *room)
		return 0;
	memcpy(&array, array_pointer, sizeof(array));
	grown = reallocarray(array, next, size);
	if (!grown)
		return -ENOMEM;
	memcpy(array_pointer, &grown, sizeof(grown));
	*room = next;
	return 0;
}

static int compare_needs(const void *a, const void *b)
{
	const struct policy_need *x = a, *y = b;
	const uint32_t left[] = {x->key, x->source, x->op, x->n_values};
	const uint32_t right[] = {y->key, y->source, y->op, y->n_values};

	for (size_t i = 0; i < ARRAY_SIZE(left); i++)
		if (left[i] != right[i])
			return left[i] < right[i] ? -1 : 1;
	for (uint32_t i = 0; i < x->n_values; i++)
		if (x->values[i] != y->values[i])
			return x->values[i] < y->values[i] ? -1 : 1;
	return 0;
}

static uint32_t hash_needs(const struct policy_need *needs, uint32_t n)
{
	uint32_t hash = 2166136261u;

	for (uint32_t i = 0; i < n; i++) {
		hash = (hash ^ needs[i].key) * 16777619u;
		hash = (hash ^ needs[i].source) * 16777619u;
		hash = (hash ^ (uint32_t)needs[i].op) * 16777619u;
		for (uint32_t k = 0; k < needs[i].n_values; k++)
			hash = (hash ^ needs[i].values[k]) * 16777619u;
	}
	return hash ^ hash >> 15;
}

static bool same_needs(
	const struct policy_selector *selector, const struct policy_need *needs, uint32_t n)
{
	bool same = selector->n == n;

	for (uint32_t i = 0; same && i < n; i++)
		same = !compare_needs(&selector->needs[i], &needs[i]);
	return same;
}

/* The slot of an equal selector, or the free one where it would be. */
static uint32_t *selector_slot(
	const struct policy_set *set, const struct policy_need *needs, uint32_t n)
{
	size_t mask = set->n_selector_slots - 1;
	size_t at = hash_needs(needs, n) & mask;

	while (set->selector_slots[at] &&
		!same_needs(&set->selectors[set->selector_slots[at] - 1], needs, n))
		at = (at + 1) & mask;
	return &set->selector_slots[at];
}

static int grow_selectors(struct policy_set *set)
{
	size_t n_slots = set->n_selector_slots ? set->n_selector_slots * 2 : 64;
	uint32_t *slots;

	if (set->n_selectors * 2 < set->n_selector_slots)
		return 0;
	slots = calloc(n_slots, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(set->selector_slots);
	set->selector_slots = slots;
	set->n_selector_slots = n_slots;
	for (size_t i = 0; i < set->n_selectors; i++)
		*selector_slot(set, set->selectors[i].needs, set->selectors[i].n) = (uint32_t)i + 1;
	return 0;
}

int policy_set_selector(
	struct policy_set *set, struct policy_need *needs, uint32_t n, uint32_t *ret_selector)
{
	struct policy_need *copy;
	uint32_t *slot;

	if (n)
		qsort(needs, n, sizeof(*needs), compare_needs);
	if (grow_selectors(set) || policy_set_room(&set->selectors, set->n_selectors,
					   &set->room_selectors, sizeof(*set->selectors)))
		return -ENOMEM;
	slot = selector_slot(set, needs, n);
	if (!*slot) {
		copy = policy_arena_get(&set->arena, n, sizeof(*copy));
		if (!copy)
			return -ENOMEM;
		if (n)
			memcpy(copy, needs, n * sizeof(*copy));
		set->selectors[set->n_selectors++] = (struct policy_selector){copy, n};
		*slot = (uint32_t)set->n_selectors;
	}
	*ret_selector = *slot - 1;
	return 0;
}
