#include "policy/kernel.h"

#include "policy/model.h"

#include <errno.h>

static int add(struct policy_kernel_rules *rules, const struct policy_kernel_rule *rule)
{
	if (policy_set_room(&rules->items, rules->n, &rules->room, sizeof(*rule)))
		return -ENOMEM;
	rules->items[rules->n++] = *rule;
	return 0;
}

static bool is_for_kernel(const struct policy_entry *entry)
{
	return !(entry->flags & POLICY_ENTRY_AUDIT) &&
	       (entry->proto == POLICY_PROTO_ANY || entry->proto == POLICY_PROTO_TCP ||
		       entry->proto == POLICY_PROTO_UDP);
}

static int add_entries(struct policy_kernel_rules *rules, uint32_t service, uint32_t caller,
	const struct policy_entry *items, size_t n)
{
	int err = 0;

	for (size_t i = 0; !err && i < n; i++) {
		const struct policy_kernel_rule rule = {
			.service = service,
			.caller = caller,
			.proto = items[i].proto,
			.first = items[i].first,
			.last = items[i].last,
			.deny = items[i].flags & POLICY_ENTRY_DENY,
		};

		if (is_for_kernel(&items[i]))
			err = add(rules, &rule);
	}
	return err;
}

/* The party's selectors are found once, not once for each service. */
static int add_party(struct policy_kernel_rules *rules, const struct policy_index *index,
	const struct policy_party *party, uint32_t caller)
{
	const struct policy_set *set = policy_index_set(index);
	cleanup(free) uint64_t *hits = calloc(policy_hit_words(set) + 1, sizeof(*hits));
	struct policy_entries entries = {0};
	int err = hits ? 0 : -ENOMEM;

	if (!err)
		policy_lookup_find(set, party, hits);
	for (size_t s = 0; !err && s < policy_index_services(index); s++) {
		entries.n = 0;
		err = policy_target_view(set, policy_index_target(index, s), party, hits, &entries);
		if (!err)
			err = add_entries(rules, (uint32_t)s, caller, entries.items, entries.n);
	}
	free(entries.items);
	return err;
}

int policy_kernel_of_caller(
	const struct policy_index *index, uint32_t caller, struct policy_kernel_rules *rules)
{
	return add_party(rules, index, policy_index_party(index, caller), caller);
}

int policy_kernel_of_labels(
	const struct policy_index *index, struct span labels, struct policy_kernel_rules *rules)
{
	cleanup(policy_party) struct policy_party *party =
		policy_party_of_text(policy_index_set(index), labels);

	return party ? add_party(rules, index, party, 0) : -ENOMEM;
}

int policy_kernel_of_anybody(const struct policy_index *index, struct policy_kernel_rules *rules)
{
	int err = 0;

	for (size_t s = 0; !err && s < policy_index_services(index); s++) {
		const struct policy_target *target = policy_index_target(index, s);
		const struct policy_kernel_rule open = {.service = (uint32_t)s,
			.caller = POLICY_KERNEL_ANYBODY,
			.proto = POLICY_PROTO_ANY,
			.last = UINT16_MAX};

		err = add_entries(rules, (uint32_t)s, POLICY_KERNEL_ANYBODY, target->anybody.items,
			target->anybody.n);
		/* Where nothing refuses by default, only what is denied is denied. */
		if (!err && !target->refuses_enforced)
			err = add(rules, &open);
	}
	return err;
}

void policy_kernel_rules_done(struct policy_kernel_rules *rules)
{
	free(rules->items);
	*rules = (struct policy_kernel_rules){0};
}
