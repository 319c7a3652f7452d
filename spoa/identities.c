#include "spoa/identities.h"

#include "base/siphash.h"
#include "spoa/config.h"

#include <string.h>

/*
 * Values come out of signed claims, so nobody can choose them freely; and the
 * number of identities is bounded. One key for the process is enough, as an
 * identity's hash goes from one configuration into the next.
 */
uint64_t spoa_identity_hash(struct span labels)
{
	static const struct base_siphash_key KEY = {
		UINT64_C(0x8f3c5d1e27a94b60), UINT64_C(0x41c7e2905bd8f36a)};

	return base_siphash(&KEY, labels);
}

struct spoa_identity *spoa_identity_new(struct span labels, struct span roles)
{
	struct spoa_identity *identity = calloc(1, sizeof(*identity) + labels.n + roles.n + 2);
	char *at;

	if (!identity)
		return NULL;
	atomic_init(&identity->refs, 1);
	identity->role = -1;
	identity->hash = spoa_identity_hash(labels);
	identity->n_labels = labels.n;
	memcpy(identity->labels, labels.p, labels.n);
	at = identity->labels + labels.n + 1;
	if (roles.n)
		memcpy(at, roles.p, roles.n);
	identity->roles = at;
	return identity;
}

struct spoa_identity *spoa_identity_ref(struct spoa_identity *identity)
{
	atomic_fetch_add_explicit(&identity->refs, 1, memory_order_relaxed);
	return identity;
}

void spoa_identity_unref(struct spoa_identity *identity)
{
	if (identity && atomic_fetch_sub_explicit(&identity->refs, 1, memory_order_acq_rel) == 1)
		free(identity);
}

static struct spoa_identities *make(size_t n_roles, size_t n)
{
	cleanup(spoa_identities) struct spoa_identities *made = calloc(1, sizeof(*made));

	if (!made)
		return NULL;
	atomic_init(&made->refs, 1);
	made->n_roles = n_roles;
	/* At most half of the slots are taken. */
	for (made->n_slots = 64; made->n_slots < 2 * n; made->n_slots *= 2)
		;
	made->of_role = calloc(n_roles + 1, sizeof(*made->of_role));
	made->of_each = calloc(n_roles + 1, sizeof(*made->of_each));
	made->slots = calloc(made->n_slots, sizeof(*made->slots));
	return made->of_role && made->of_each && made->slots ? TAKE_PTR(made) : NULL;
}

struct spoa_identities *spoa_identities_ref(struct spoa_identities *identities)
{
	atomic_fetch_add_explicit(&identities->refs, 1, memory_order_relaxed);
	return identities;
}

void spoa_identities_unref(struct spoa_identities *identities)
{
	if (!identities ||
		atomic_fetch_sub_explicit(&identities->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; identities->slots && i < identities->n_slots; i++)
		spoa_identity_unref(identities->slots[i]);
	free(identities->of_role);
	free(identities->of_each);
	free(identities->slots);
	free(identities);
}

/* Where it is, or the free slot where it would be. */
static size_t slot_of(const struct spoa_identities *in, uint64_t hash, struct span labels)
{
	size_t i = hash & (in->n_slots - 1);

	for (const struct spoa_identity *at; (at = in->slots[i]); i = (i + 1) & (in->n_slots - 1))
		if (at->hash == hash && at->n_labels == labels.n &&
			!memcmp(at->labels, labels.p, labels.n))
			break;
	return i;
}

struct spoa_identity *spoa_identities_find(
	const struct spoa_identities *identities, uint64_t hash, struct span labels)
{
	return identities->slots[slot_of(identities, hash, labels)];
}

/* Counts it for each role that it names. */
static void count_roles(struct spoa_identities *in, const struct spoa_config *config,
	const struct spoa_identity *identity)
{
	struct span rest = span_of(identity->roles), name;

	while (span_next(&rest, ',', &name)) {
		size_t i = spoa_config_role(config, name);

		if (i < in->n_roles)
			in->of_each[i]++;
	}
}

void spoa_identities_put(struct spoa_identities *to, const struct spoa_config *config,
	struct spoa_identity *identity)
{
	struct span labels = {identity->labels, identity->n_labels};
	struct spoa_identity **slot = &to->slots[slot_of(to, identity->hash, labels)];
	struct spoa_identity *old = *slot;

	*slot = spoa_identity_ref(identity);
	for (size_t i = 0; i < to->n_roles; i++)
		if (config->roles[i].labels && span_is(labels, config->roles[i].labels))
			to->of_role[i] = identity;
	if (!old)
		to->n++;
	if (!old && identity->role < 0) {
		to->n_dynamic++;
		count_roles(to, config, identity);
	}
	spoa_identity_unref(old);
}

struct spoa_identities *spoa_identities_copy(const struct spoa_identities *from, size_t n)
{
	struct spoa_identities *copy = make(from->n_roles, from->n + n);

	if (!copy)
		return NULL;
	copy->n = from->n;
	copy->n_dynamic = from->n_dynamic;
	copy->failed_at = from->failed_at;
	memcpy(copy->of_role, from->of_role, from->n_roles * sizeof(*copy->of_role));
	memcpy(copy->of_each, from->of_each, from->n_roles * sizeof(*copy->of_each));
	for (size_t i = 0; i < from->n_slots; i++) {
		struct spoa_identity *one = from->slots[i];
		struct span labels;

		if (!one)
			continue;
		labels = (struct span){one->labels, one->n_labels};
		copy->slots[slot_of(copy, one->hash, labels)] = spoa_identity_ref(one);
	}
	return copy;
}

struct spoa_identities *spoa_identities_without(const struct spoa_identities *from,
	const struct spoa_config *config,
	bool (*gone)(void *arg, const struct spoa_identity *identity), void *arg)
{
	struct spoa_identities *copy = make(from->n_roles, from->n);

	if (!copy)
		return NULL;
	copy->failed_at = from->failed_at;
	for (size_t i = 0; i < from->n_slots; i++)
		if (from->slots[i] && !gone(arg, from->slots[i]))
			spoa_identities_put(copy, config, from->slots[i]);
	return copy;
}

struct spoa_identities *spoa_identities_new(const struct spoa_config *config)
{
	size_t n = config->conf->n_roles;
	cleanup(spoa_identities) struct spoa_identities *made = make(n, n);

	/* Fixed numbers first: of roles with the same labels theirs is everybody's. */
	for (size_t k = 0; made && k < 2 * n; k++) {
		size_t i = k % n;
		const struct ident_role *role = &config->roles[i];
		cleanup(spoa_identity) struct spoa_identity *identity = NULL;

		if (!config->conf->roles[i].number == (k < n) || !role->number.id ||
			!role->labels || made->of_role[i])
			continue;
		identity = spoa_identity_new(span_of(role->labels), (struct span){0});
		if (!identity)
			return NULL;
		identity->number = role->number;
		identity->role = (int)i;
		spoa_identities_put(made, config, identity);
	}
	return TAKE_PTR(made);
}
