#include "spoa/kernel_policy.h"

#include "bpfmap/abi.h"
#include "bpfmap/policy.h"
#include "policy/kernel.h"
#include "policy/policy.h"
#include "spoa/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A set on its way; service N of the index is N + 1 in the maps, where 0 is none. */
struct set {
	struct bpfmap_target *targets;
	struct bpfmap_rule *rules;
	size_t n_targets, n_rules;
};

static void cleanup_fn_set(struct set *set)
{
	free(set->targets);
	free(set->rules);
}

static void cleanup_fn_rules(struct policy_kernel_rules *rules)
{
	policy_kernel_rules_done(rules);
}

/* Each address of a service with each of its ports: what HAProxy connects to. */
static int add_targets(const struct conf_service *service, uint32_t number, const uint16_t *ports,
	size_t n_ports, struct set *set)
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

static int make_targets(const struct conf *conf, const struct policy_index *index, struct set *set)
{
	int err = 0;

	for (size_t s = 0; !err && s < policy_index_services(index); s++) {
		const uint16_t *ports;
		size_t n = policy_index_ports(index, s, &ports);

		err = add_targets(&conf->services[s], (uint32_t)s + 1, ports, n, set);
	}
	return err;
}

static struct bpfmap_rule rule_of(
	const struct spoa_config *config, const struct policy_kernel_rule *from)
{
	return (struct bpfmap_rule){
		.service = from->service + 1,
		.identity = from->caller == POLICY_KERNEL_ANYBODY
				    ? 0
				    : config->roles[from->caller].number.id,
		.direction = BPFMAP_INGRESS,
		.protocol = from->proto,
		.port_lo = from->first,
		.port_hi = from->last,
		.deny = from->deny,
	};
}

/* The index has the roles in the order of the configuration. */
static int make_rules(
	const struct spoa_config *config, const struct spoa_policies *policies, struct set *set)
{
	cleanup(rules) struct policy_kernel_rules rules = {0};
	int err = policy_kernel_of_anybody(policies->index, &rules);

	for (size_t r = 0; !err && r < config->conf->n_roles; r++)
		if (config->roles[r].number.id)
			err = policy_kernel_of_caller(
				policies->index, policies->callers[r], &rules);
	if (err)
		return err;
	set->rules = calloc(rules.n + 1, sizeof(*set->rules));
	if (!set->rules)
		return -ENOMEM;
	for (size_t i = 0; i < rules.n; i++)
		set->rules[set->n_rules++] = rule_of(config, &rules.items[i]);
	return 0;
}

int spoa_kernel_policy_write(struct bpfmap *map, const struct spoa_config *config,
	const struct spoa_policies *policies, char why[BPFMAP_WHY])
{
	cleanup(set) struct set set = {0};
	uint32_t epoch;
	int err = 0;

	if (policies && policies->index)
		err = make_targets(config->conf, policies->index, &set);
	if (!err && policies && policies->index)
		err = make_rules(config, policies, &set);
	if (err) {
		snprintf(why, BPFMAP_WHY, "%s", strerror(-err));
		return err;
	}
	return bpfmap_policy_swap(map,
		&(struct bpfmap_policy){set.targets, set.n_targets, set.rules, set.n_rules}, &epoch,
		why);
}

void spoa_kernel_policy_done(struct spoa_kernel_policy *now)
{
	spoa_policies_unref(now->policies);
	spoa_maps_unref(now->maps);
	*now = (struct spoa_kernel_policy){0};
}

static void log_written(int err, const char *why, uint64_t took_ns)
{
	struct base_log log;

	if (!spoa_log_open(&log, err ? BASE_LOG_ERROR : BASE_LOG_INFO, "kernel_policy"))
		return;
	base_log_str(&log, "state", err ? "the old set goes on" : "in force");
	if (err)
		base_log_str(&log, "why", why);
	base_log_int(&log, "us", (int64_t)(took_ns / 1000));
	spoa_log_close(&log);
}

void spoa_kernel_policy_use(struct spoa_kernel_policy *now, const struct spoa_config *config,
	struct spoa_policies *policies, struct spoa_maps *maps)
{
	char why[BPFMAP_WHY] = "";
	struct base_now before, after;
	int err;

	if (!maps || (now->policies == policies && now->maps == maps))
		return;
	spoa_kernel_policy_done(now);
	now->policies = spoa_policies_ref(policies);
	now->maps = spoa_maps_ref(maps);
	base_clock_now(&before);
	err = spoa_kernel_policy_write(maps->map, config, policies, why);
	base_clock_now(&after);
	log_written(err, why, after.mono_ns - before.mono_ns);
	if (err)
		spoa_kernel_policy_done(now); /* again with the next look */
}
