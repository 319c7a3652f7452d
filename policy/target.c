#include "policy/model.h"

#include <errno.h>
#include <string.h>

void policy_target_free(struct policy_target *target)
{
	if (!target)
		return;
	free(target->anybody.items);
	free(target->entries.items);
	free(target->rules);
	free(target);
}

static bool same_ports(const struct policy_entry *a, const struct policy_entry *b)
{
	return a->proto == b->proto && a->first == b->first && a->last == b->last;
}

/* Without rules.http, one of a kind says as much as ten. */
static bool is_said(
	const struct policy_entries *entries, size_t from, const struct policy_entry *entry)
{
	if (entry->flags & POLICY_ENTRY_L7)
		return false;
	for (size_t i = from; i < entries->n; i++)
		if (entries->items[i].flags == entry->flags &&
			same_ports(&entries->items[i], entry))
			return true;
	return false;
}

static int add_entry(struct policy_entries *entries, size_t from, const struct policy_entry *entry)
{
	if (is_said(entries, from, entry))
		return 0;
	if (policy_set_room(&entries->items, entries->n, &entries->room, sizeof(*entry)))
		return -ENOMEM;
	entries->items[entries->n++] = *entry;
	return 0;
}

/* The ports of a named port at this endpoint; false when it has none of that name. */
bool policy_port_resolve(const struct policy_set *set, const struct policy_endpoint *endpoint,
	const struct policy_port *port, struct policy_entry *entry)
{
	const char *name = policy_names_text(&set->names, port->name);

	entry->proto = port->proto;
	entry->first = port->first;
	entry->last = port->last;
	if (!port->name)
		return true;
	for (size_t i = 0; i < endpoint->n_named; i++)
		if (!strcmp(endpoint->named[i].name, name)) {
			entry->first = entry->last = endpoint->named[i].port;
			return true;
		}
	return false;
}

/* Is this a port that anybody will ask about? If only one is, that one is all that stays. */
static bool narrow(const struct policy_endpoint *endpoint, struct policy_entry *entry)
{
	if (!endpoint->only)
		return true;
	if ((entry->proto != POLICY_PROTO_ANY && entry->proto != endpoint->proto) ||
		endpoint->port < entry->first || endpoint->port > entry->last)
		return false;
	entry->proto = (uint8_t)endpoint->proto;
	entry->first = entry->last = endpoint->port;
	return true;
}

static int add_rule_entries(const struct policy_set *set, const struct policy_endpoint *endpoint,
	uint32_t number, struct policy_entries *entries, size_t from)
{
	const struct policy_rule *rule = &set->rules[number];
	bool audit = set->objects[set->specs[rule->spec].object].audit;
	const uint8_t flags =
		(uint8_t)((rule->deny ? POLICY_ENTRY_DENY : 0) | (audit ? POLICY_ENTRY_AUDIT : 0));
	struct policy_entry entry = {number, POLICY_NONE, 0, 65535, POLICY_PROTO_ANY, flags};
	int err = 0;

	if (rule->any_port)
		return narrow(endpoint, &entry) ? add_entry(entries, from, &entry) : 0;
	for (size_t g = 0; !err && g < rule->n_groups; g++) {
		const struct policy_group *group = &rule->groups[g];

		entry.group = (uint32_t)g;
		entry.flags = (uint8_t)(flags | (group->n_http ? POLICY_ENTRY_L7 : 0));
		for (size_t p = 0; !err && p < group->n_ports; p++)
			if (policy_port_resolve(set, endpoint, &group->ports[p], &entry) &&
				narrow(endpoint, &entry))
				err = add_entry(entries, from, &entry);
	}
	return err;
}

static int add_rule(const struct policy_set *set, const struct policy_endpoint *endpoint,
	uint32_t number, struct policy_target *target)
{
	const struct policy_rule *rule = &set->rules[number];
	size_t first = target->entries.n;
	int err;

	if (rule->any_peer)
		return add_rule_entries(set, endpoint, number, &target->anybody,
			endpoint->only ? 0 : target->anybody.n);
	if (!rule->n_peers)
		return 0;
	err = add_rule_entries(set, endpoint, number, &target->entries, first);
	if (err || target->entries.n == first)
		return err;
	if (policy_set_room(
		    &target->rules, target->n_rules, &target->room_rules, sizeof(*target->rules)))
		return -ENOMEM;
	target->rules[target->n_rules++] = (struct policy_target_rule){
		number, (uint32_t)first, (uint32_t)(target->entries.n - first)};
	return 0;
}

/* Hosts are chosen by nodeSelector, and by nothing else. */
bool policy_spec_concerns(
	const struct policy_spec *spec, const struct policy_party *party, const uint64_t *hits)
{
	bool is_node = party->entities & (1u << POLICY_ENTITY_HOST);

	return spec->node == is_node && policy_is_hit(hits, spec->subject);
}

static int add_specs(const struct policy_set *set, const struct policy_endpoint *endpoint,
	const uint64_t *hits, struct policy_target *target)
{
	int err = 0;

	for (size_t i = 0; !err && i < set->n_specs; i++) {
		const struct policy_spec *spec = &set->specs[i];

		if (!policy_spec_concerns(spec, endpoint->party, hits))
			continue;
		target->refuses = target->refuses || spec->default_deny;
		target->refuses_enforced =
			target->refuses_enforced ||
			(spec->default_deny && !set->objects[spec->object].audit);
		for (uint32_t k = 0; !err && k < spec->n_rules; k++)
			err = add_rule(set, endpoint, spec->first_rule + k, target);
	}
	return err;
}

struct policy_target *policy_target_new(
	const struct policy_set *set, const struct policy_endpoint *endpoint)
{
	cleanup(policy_target) struct policy_target *target = calloc(1, sizeof(*target));
	cleanup(free) uint64_t *hits = calloc(policy_hit_words(set) + 1, sizeof(*hits));

	if (!target || !hits)
		return NULL;
	target->narrow = endpoint->only;
	policy_lookup_find(set, endpoint->party, hits);
	if (add_specs(set, endpoint, hits, target))
		return NULL;
	return TAKE_PTR(target);
}

/* At one port, without rules.http, one rule of a kind says as much as ten. */
static bool is_said_before(
	const struct policy_target *target, const struct policy_entry *entry, unsigned *said)
{
	unsigned bit = 1u << entry->flags;
	bool before = target->narrow && !(entry->flags & POLICY_ENTRY_L7) && (*said & bit);

	*said |= bit;
	return before;
}

int policy_target_view(const struct policy_set *set, const struct policy_target *target,
	const struct policy_party *party, const uint64_t *hits, struct policy_entries *entries)
{
	unsigned said = 0;

	for (size_t i = 0; i < target->n_rules; i++) {
		const struct policy_target_rule *rule = &target->rules[i];

		if (!policy_rule_chooses(&set->rules[rule->rule], party, hits))
			continue;
		for (uint32_t k = 0; k < rule->n; k++) {
			const struct policy_entry *entry = &target->entries.items[rule->first + k];

			if (is_said_before(target, entry, &said))
				continue;
			if (policy_set_room(
				    &entries->items, entries->n, &entries->room, sizeof(*entry)))
				return -ENOMEM;
			entries->items[entries->n++] = *entry;
		}
	}
	return 0;
}

void policy_view_free(struct policy_view *view)
{
	if (!view)
		return;
	free(view->entries.items);
	free(view);
}

struct policy_view *policy_view_new(const struct policy_set *set,
	const struct policy_target *target, const struct policy_party *party)
{
	cleanup(free) uint64_t *hits = calloc(policy_hit_words(set) + 1, sizeof(*hits));
	cleanup(policy_view) struct policy_view *view = calloc(1, sizeof(*view));

	if (!hits || !view)
		return NULL;
	view->target = target;
	policy_lookup_find(set, party, hits);
	if (policy_target_view(set, target, party, hits, &view->entries))
		return NULL;
	return TAKE_PTR(view);
}
