/* Policies as targets and rules of the kernel's maps. Pure. */
#include "bpfmap/policy.h"
#include "policy/kernel.h"
#include "policy/policy.h"
#include "spoa/kernel_policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void cleanup_fn_rules(struct policy_kernel_rules *rules)
{
	policy_kernel_rules_done(rules);
}

void spoa_kernel_rules_done(struct spoa_kernel_set *set)
{
	free(set->targets);
	free(set->rules);
	*set = (struct spoa_kernel_set){0};
}

/* Each address of a service with each of its ports: what HAProxy connects to. */
static int add_targets(const struct conf_service *service, uint32_t number, const uint16_t *ports,
	size_t n_ports, struct spoa_kernel_set *set)
{
	size_t more = service->addresses.n * n_ports;
	struct bpfmap_target *grown =
		reallocarray(set->targets, set->n_targets + more + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	set->targets = grown;
	for (size_t i = 0; i < service->addresses.n; i++) {
		struct policy_range range;

		/* They were checked when the configuration was read. */
		if (policy_range_parse(service->addresses.items[i], &range))
			return -EINVAL;
		for (size_t p = 0; p < n_ports; p++) {
			struct bpfmap_target *to = &set->targets[set->n_targets++];

			*to = (struct bpfmap_target){.len = range.net.len,
				.prefix = range.bits,
				.port = ports[p],
				.service = number};
			memcpy(to->addr, range.net.bytes, sizeof(to->addr));
		}
	}
	return 0;
}

/* Service N of the index is N + 1 in the maps, where 0 is none. */
static int make_targets(
	const struct conf *conf, const struct policy_index *index, struct spoa_kernel_set *set)
{
	int err = 0;

	for (size_t s = 0; !err && s < policy_index_services(index); s++) {
		const uint16_t *ports;
		size_t n = policy_index_ports(index, s, &ports);

		err = add_targets(&conf->services[s], (uint32_t)s + 1, ports, n, set);
	}
	return err;
}

static struct bpfmap_rule rule_of(const struct policy_kernel_rule *from, uint32_t identity)
{
	return (struct bpfmap_rule){
		.service = from->service + 1,
		.identity = identity,
		.direction = BPFMAP_INGRESS,
		.protocol = from->proto,
		.port_lo = from->first,
		.port_hi = from->last,
		.deny = from->deny,
	};
}

/* Rules, from one on, are this identity's; 0: anybody's. Doubling, as there may be many parts. */
static int add_rules(
	const struct policy_kernel_rules *from, uint32_t identity, struct spoa_kernel_set *set)
{
	struct bpfmap_rule *grown;
	size_t n = set->n_rules + from->n, room = 64;

	while (room < n)
		room *= 2;
	grown = reallocarray(set->rules, room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	set->rules = grown;
	for (size_t i = 0; i < from->n; i++)
		set->rules[set->n_rules++] = rule_of(&from->items[i], identity);
	return 0;
}

static int add_roles(const struct spoa_kernel_policy *now, struct spoa_kernel_set *set)
{
	cleanup(rules) struct policy_kernel_rules rules = {0};
	int err = 0;

	/* The index has the roles in the order of the configuration. */
	for (size_t r = 0; !err && r < now->config->conf->n_roles; r++) {
		uint32_t identity = spoa_kernel_role_number(now, r);

		rules.n = 0;
		if (!identity)
			continue;
		err = policy_kernel_of_caller(
			now->policies->index, now->policies->callers[r], &rules);
		if (!err)
			err = add_rules(&rules, identity, set);
	}
	return err;
}

int spoa_kernel_rules_of(const struct spoa_policies *policies,
	const struct spoa_kernel_identity *identity, struct spoa_kernel_set *set)
{
	cleanup(rules) struct policy_kernel_rules rules = {0};
	int err = 0;

	if (!policies || !policies->index)
		return 0;
	err = policy_kernel_of_labels(policies->index, span_of(identity->labels), &rules);
	return err ? err : add_rules(&rules, identity->number, set);
}

int spoa_kernel_rules_all(const struct spoa_kernel_policy *now, struct spoa_kernel_set *set)
{
	cleanup(rules) struct policy_kernel_rules rules = {0};
	int err;

	if (!now->policies || !now->policies->index)
		return 0;
	err = make_targets(now->config->conf, now->policies->index, set);
	if (!err)
		err = policy_kernel_of_anybody(now->policies->index, &rules);
	if (!err)
		err = add_rules(&rules, 0, set);
	if (!err)
		err = add_roles(now, set);
	for (size_t i = 0; !err && i < now->n_known; i++)
		err = spoa_kernel_rules_of(now->policies, &now->known[i], set);
	return err;
}
