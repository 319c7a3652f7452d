#include "spoa/snapshot.h"

#include <stdlib.h>

static const char *const NAMES[] = {"off", "not_enforced", "enforced", "lost"};
_Static_assert(ARRAY_SIZE(NAMES) == SPOA_ENFORCEMENTS, "a word for each");

const char *spoa_enforcement_name(enum spoa_enforcement enforcement)
{
	return NAMES[enforcement];
}

struct spoa_maps *spoa_maps_new(struct bpfmap *map)
{
	struct spoa_maps *maps = calloc(1, sizeof(*maps));

	if (!maps) {
		bpfmap_close(map);
		return NULL;
	}
	atomic_init(&maps->refs, 1);
	maps->map = map;
	return maps;
}

struct spoa_maps *spoa_maps_ref(struct spoa_maps *maps)
{
	if (maps)
		atomic_fetch_add_explicit(&maps->refs, 1, memory_order_relaxed);
	return maps;
}

void spoa_maps_unref(struct spoa_maps *maps)
{
	if (!maps || atomic_fetch_sub_explicit(&maps->refs, 1, memory_order_acq_rel) != 1)
		return;
	bpfmap_close(maps->map);
	free(maps);
}

/* A shared secret is the only key there is, and never older than the configuration. */
static void take_provider(struct spoa_snapshot *snapshot, size_t i)
{
	struct token_keyset *secret = snapshot->config->providers[i].secret;

	snapshot->issuers[i].rules = snapshot->config->rules[i];
	if (!secret)
		return;
	snapshot->issuers[i].keys = token_keyset_ref(secret);
	snapshot->ages[i] = (struct spoa_keys_age){UINT64_MAX, UINT64_MAX, UINT64_MAX, NULL};
}

struct spoa_snapshot *spoa_snapshot_new(
	struct spoa_config *config, enum spoa_enforcement enforcement, struct spoa_maps *maps)
{
	cleanup(spoa_snapshot) struct spoa_snapshot *snapshot = calloc(1, sizeof(*snapshot));
	size_t n = config->conf->n_providers;

	if (!snapshot)
		return NULL;
	atomic_init(&snapshot->refs, 1);
	snapshot->config = spoa_config_ref(config);
	snapshot->observe = config->conf->observe;
	snapshot->enforcement = enforcement;
	snapshot->maps = spoa_maps_ref(maps);
	snapshot->issuers = calloc(n + 1, sizeof(*snapshot->issuers));
	snapshot->ages = calloc(n + 1, sizeof(*snapshot->ages));
	snapshot->identities = spoa_identities_new(config);
	if (!snapshot->issuers || !snapshot->ages || !snapshot->identities)
		return NULL;
	snapshot->n_issuers = n;
	for (size_t i = 0; i < n; i++)
		take_provider(snapshot, i);
	return TAKE_PTR(snapshot);
}

struct spoa_snapshot *spoa_snapshot_ref(struct spoa_snapshot *snapshot)
{
	atomic_fetch_add_explicit(&snapshot->refs, 1, memory_order_relaxed);
	return snapshot;
}

void spoa_snapshot_unref(struct spoa_snapshot *snapshot)
{
	if (!snapshot || atomic_fetch_sub_explicit(&snapshot->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < snapshot->n_issuers; i++) {
		token_keyset_unref(snapshot->issuers[i].keys);
		free(snapshot->ages[i].absent);
	}
	free(snapshot->issuers);
	free(snapshot->ages);
	spoa_maps_unref(snapshot->maps);
	spoa_policies_unref(snapshot->policies);
	spoa_identities_unref(snapshot->identities);
	spoa_workloads_unref(snapshot->workloads);
	token_revocations_unref(snapshot->revocations);
	spoa_signers_unref(snapshot->signers);
	spoa_config_unref(snapshot->config);
	free(snapshot);
}

static const struct token_key *find_key(
	const struct spoa_snapshot *snapshot, size_t provider, uint64_t key)
{
	const struct token_keyset *keys = snapshot->issuers[provider].keys;

	for (size_t i = 0; keys && i < token_keyset_count(keys); i++)
		if (token_keyset_at(keys, i)->print == key)
			return token_keyset_at(keys, i);
	return NULL;
}

bool spoa_snapshot_has_key(const struct spoa_snapshot *snapshot, size_t provider, uint64_t key)
{
	return find_key(snapshot, provider, key);
}

struct span spoa_snapshot_kid(const struct spoa_snapshot *snapshot, size_t provider, uint64_t key)
{
	const struct token_key *found = find_key(snapshot, provider, key);

	return found ? found->kid : (struct span){0};
}
