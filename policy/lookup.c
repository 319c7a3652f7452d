/*
 * Selectors by a label that they demand. Nearly every selector wants some key
 * to have one certain value; it is filed under the rarest such pair, so that a
 * party with five labels is compared with a few selectors, not with all.
 */
#include "policy/model.h"

#include <errno.h>

struct pair {
	uint32_t key, value; /* key POLICY_NAME_NONE: a free slot */
	uint32_t wanted;     /* by how many selectors */
	uint32_t first;      /* filed here: number + 1; 0: none */
};

struct policy_lookup {
	struct pair *pairs; /* open addressing */
	size_t n_pairs;
	uint32_t *next;   /* by selector: the next one filed under the same pair, + 1 */
	uint32_t anybody; /* the first that demands no certain value, + 1 */
};

static bool is_certain(const struct policy_need *need)
{
	return need->op == POLICY_IN && need->n_values == 1;
}

static struct pair *pair_of(const struct policy_lookup *lookup, uint32_t key, uint32_t value)
{
	uint32_t hash = (key * 2654435761u) ^ (value * 2246822519u);
	size_t at = (hash ^ hash >> 15) & (lookup->n_pairs - 1);

	while (lookup->pairs[at].key &&
		(lookup->pairs[at].key != key || lookup->pairs[at].value != value))
		at = (at + 1) & (lookup->n_pairs - 1);
	return &lookup->pairs[at];
}

static void count_pairs(struct policy_lookup *lookup, const struct policy_selector *selector)
{
	for (uint32_t i = 0; i < selector->n; i++) {
		const struct policy_need *need = &selector->needs[i];
		struct pair *pair;

		if (!is_certain(need))
			continue;
		pair = pair_of(lookup, need->key, need->values[0]);
		pair->key = need->key;
		pair->value = need->values[0];
		pair->wanted++;
	}
}

/* The head of the list under which the selector is filed. */
static uint32_t *list_of(struct policy_lookup *lookup, const struct policy_selector *selector)
{
	struct pair *rarest = NULL;

	for (uint32_t i = 0; i < selector->n; i++) {
		const struct policy_need *need = &selector->needs[i];
		struct pair *pair =
			is_certain(need) ? pair_of(lookup, need->key, need->values[0]) : NULL;

		if (pair && (!rarest || pair->wanted < rarest->wanted))
			rarest = pair;
	}
	return rarest ? &rarest->first : &lookup->anybody;
}

int policy_lookup_new(struct policy_set *set)
{
	struct policy_lookup *lookup = calloc(1, sizeof(*lookup));
	size_t n = 0;

	set->lookup = lookup;
	if (!lookup)
		return -ENOMEM;
	for (size_t i = 0; i < set->n_selectors; i++)
		n += set->selectors[i].n;
	for (lookup->n_pairs = 16; lookup->n_pairs < n * 2;)
		lookup->n_pairs *= 2;
	lookup->pairs = calloc(lookup->n_pairs, sizeof(*lookup->pairs));
	lookup->next = calloc(set->n_selectors + 1, sizeof(*lookup->next));
	if (!lookup->pairs || !lookup->next)
		return -ENOMEM;
	for (size_t i = 0; i < set->n_selectors; i++)
		count_pairs(lookup, &set->selectors[i]);
	for (size_t i = 0; i < set->n_selectors; i++) {
		uint32_t *list = list_of(lookup, &set->selectors[i]);

		lookup->next[i] = *list;
		*list = (uint32_t)i + 1;
	}
	return 0;
}

void policy_lookup_free(struct policy_lookup *lookup)
{
	if (!lookup)
		return;
	free(lookup->pairs);
	free(lookup->next);
	free(lookup);
}

static void try_list(const struct policy_set *set, const struct policy_party *party, uint32_t first,
	uint64_t *hits)
{
	for (uint32_t at = first; at; at = set->lookup->next[at - 1])
		if (policy_selector_holds(&set->selectors[at - 1], party))
			hits[(at - 1) / 64] |= UINT64_C(1) << ((at - 1) % 64);
}

void policy_lookup_find(
	const struct policy_set *set, const struct policy_party *party, uint64_t *hits)
{
	for (size_t i = 0; i < policy_hit_words(set); i++)
		hits[i] = 0;
	try_list(set, party, set->lookup->anybody, hits);
	for (size_t i = 0; i < party->n_labels; i++)
		try_list(set, party,
			pair_of(set->lookup, party->labels[i].key, party->labels[i].value)->first,
			hits);
}
