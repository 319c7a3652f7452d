#include "policy/model.h"

#include <string.h>

/* Which entities the name of a reserved label makes one, besides the one of that name. */
#define BIT(entity)  (UINT32_C(1) << POLICY_ENTITY_##entity)
#define OF_THE_WORLD (BIT(WORLD) | BIT(WORLD4) | BIT(WORLD6))
#define OF_THE_CLUSTER                                                                             \
	(BIT(HOST) | BIT(REMOTE_NODE) | BIT(INIT) | BIT(INGRESS) | BIT(HEALTH) | BIT(UNMANAGED) |  \
		BIT(API_SERVER))

static struct policy_label find_label(const struct policy_set *set, struct span text)
{
	const char *equals = text.n ? memchr(text.p, '=', text.n) : NULL;
	struct span key = {text.p, equals ? (size_t)(equals - text.p) : text.n};
	struct span value = {equals ? equals + 1 : "", equals ? text.n - key.n - 1 : 0};
	const char *colon = key.n ? memchr(key.p, ':', key.n) : NULL;
	struct span source = colon ? (struct span){key.p, (size_t)(colon - key.p)} : SPAN("unspec");

	if (colon) {
		key.n -= source.n + 1;
		key.p = colon + 1;
	}
	return (struct policy_label){
		.source = policy_names_find(&set->names, source),
		.key = policy_names_find(&set->names, key),
		.value = policy_names_find(&set->names, value),
	};
}

/* One value for each key, whatever its source; a key that no selector knows is of no use. */
static void add_label(struct policy_party *party, struct policy_label label)
{
	size_t at = 0;

	if (label.key == POLICY_NAME_OTHER)
		return;
	while (at < party->n_labels && party->labels[at].key != label.key)
		at++;
	party->labels[at] = label;
	if (at == party->n_labels)
		party->n_labels++;
}

/* The label with this source and key, or NULL. */
static const struct policy_label *get_label(
	const struct policy_party *party, uint32_t source, uint32_t key)
{
	for (size_t i = 0; i < party->n_labels; i++)
		if (party->labels[i].key == key)
			return !source || party->labels[i].source == source ? &party->labels[i]
									    : NULL;
	return NULL;
}

/*
 * cilium pkg/policy/api/entity.go and, for identities without a cluster label,
 * pkg/policy/aggregate.go: what has no reserved label and lies in the local
 * range of numbers is of the cluster, whatever its labels say or do not say.
 */
static uint32_t entities_of(const struct policy_set *set, const struct policy_party *party)
{
	const struct policy_label *cluster = get_label(party, set->source_k8s, set->key_cluster);
	uint32_t bits = 0;
	bool reserved = party->address.len > 0;

	for (size_t i = 0; i < party->n_labels; i++)
		reserved = reserved || party->labels[i].source == set->source_reserved;
	for (size_t i = 0; i < POLICY_ENTITIES; i++)
		if (get_label(party, set->source_reserved, set->reserved[i]))
			bits |= UINT32_C(1) << i;
	bits &= ~(BIT(ALL) | BIT(CLUSTER) | BIT(MESH));
	if (party->address.len)
		bits |= party->address.len == 4 ? BIT(WORLD4) : BIT(WORLD6);
	if (bits & OF_THE_WORLD)
		bits |= BIT(WORLD);
	if (bits & OF_THE_CLUSTER || (cluster && cluster->value == set->cluster_name) ||
		(!cluster && !reserved))
		bits |= BIT(CLUSTER);
	if (bits & BIT(CLUSTER) || cluster)
		bits |= BIT(MESH);
	return bits | BIT(ALL);
}

struct policy_party *policy_party_new(const struct policy_set *set, const struct span *labels,
	size_t n, const struct policy_address *address)
{
	bool outside = address && address->len;
	struct policy_party *party = calloc(1, sizeof(*party) + (n + 1) * sizeof(party->labels[0]));

	if (!party)
		return NULL;
	if (outside)
		party->address = *address;
	for (size_t i = 0; i < n; i++)
		add_label(party, find_label(set, labels[i]));
	if (outside)
		add_label(party, find_label(set, SPAN("reserved:world")));
	party->entities = entities_of(set, party);
	return party;
}

struct policy_party *policy_party_of_text(const struct policy_set *set, struct span text)
{
	struct span labels[64];
	size_t n = 0;

	while (text.n && n < ARRAY_SIZE(labels)) {
		const char *end = memchr(text.p, ';', text.n);
		size_t len = end ? (size_t)(end - text.p) : text.n;

		if (len)
			labels[n++] = (struct span){text.p, len};
		text.p += len + (end ? 1 : 0);
		text.n -= len + (end ? 1 : 0);
	}
	return policy_party_new(set, labels, n, NULL);
}

void policy_party_free(struct policy_party *party)
{
	free(party);
}

static bool has_value(const struct policy_need *need, uint32_t value)
{
	for (uint32_t i = 0; i < need->n_values; i++)
		if (need->values[i] == value)
			return true;
	return false;
}

static bool need_holds(const struct policy_need *need, const struct policy_party *party)
{
	const struct policy_label *label = get_label(party, need->source, need->key);

	switch (need->op) {
	case POLICY_IN:
		return label && has_value(need, label->value);
	case POLICY_NOT_IN:
		return !label || !has_value(need, label->value);
	case POLICY_EXISTS:
		return label != NULL;
	case POLICY_ABSENT:
		return !label;
	}
	return false;
}

const struct policy_need *policy_selector_fault(
	const struct policy_selector *selector, const struct policy_party *party)
{
	for (uint32_t i = 0; i < selector->n; i++)
		if (!need_holds(&selector->needs[i], party))
			return &selector->needs[i];
	return NULL;
}

bool policy_selector_holds(const struct policy_selector *selector, const struct policy_party *party)
{
	return !policy_selector_fault(selector, party);
}

static bool peer_is(
	const struct policy_peer *peer, const struct policy_party *party, const uint64_t *hits)
{
	switch (peer->kind) {
	case POLICY_PEER_LABELS:
		return policy_is_hit(hits, peer->selector);
	case POLICY_PEER_ENTITY:
		return peer->entities & party->entities;
	case POLICY_PEER_CIDR:
		return party->address.len && policy_cidr_holds(peer->cidr, &party->address);
	}
	return false;
}

bool policy_rule_chooses(
	const struct policy_rule *rule, const struct policy_party *party, const uint64_t *hits)
{
	bool chosen = rule->any_peer;

	for (size_t i = 0; !chosen && i < rule->n_peers; i++)
		chosen = peer_is(&rule->peers[i], party, hits);
	return chosen;
}
