/* One identity's rules, into and out of the set in force. */
#include "bpfmap/control.h"
#include "bpfmap/policy.h"
#include "bpfmap/state.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct entries {
	struct bpfmap_policy_key *keys;
	uint32_t *values;
	size_t n;
};

static void cleanup_fn_entries(struct entries *entries)
{
	free(entries->keys);
	free(entries->values);
}

/* Writes the entries with this verdict. */
static int put(struct bpfmap *map, const struct entries *entries, uint32_t verdict)
{
	int err = 0;

	for (size_t i = 0; i < entries->n && !err; i++)
		if (entries->values[i] == verdict)
			err = bpf_map_update_elem(map->fds[BPFMAP_MAP_POLICY], &entries->keys[i],
				&entries->values[i], BPF_ANY);
	return err;
}

/* Takes them out; one that is not there is fine. */
static int drop(struct bpfmap *map, const struct entries *entries, uint32_t verdict)
{
	int err = 0;

	for (size_t i = 0; i < entries->n && (!err || err == -ENOENT); i++)
		if (entries->values[i] == verdict)
			err = bpf_map_delete_elem(map->fds[BPFMAP_MAP_POLICY], &entries->keys[i]);
	return err == -ENOENT ? 0 : err;
}

static int drop_all(struct bpfmap *map, const struct entries *entries)
{
	int err = drop(map, entries, BPFMAP_POLICY_ALLOW);

	return err ? err : drop(map, entries, BPFMAP_POLICY_DENY);
}

static bool all_have_one(const struct bpfmap_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!rules[i].identity)
			return false;
	return true;
}

/* The rules as entries of the set in force; epoch 0 is none, and has none. */
static int compile(struct bpfmap *map, const struct bpfmap_rule *rules, size_t n_rules,
	uint32_t *ret_epoch, struct entries *ret, char *why)
{
	struct bpfmap_control control;
	int err = bpfmap_control_get(map, &control);

	if (!err && !all_have_one(rules, n_rules))
		err = -EINVAL;
	if (!err && control.epoch)
		err = bpfmap_policy_compile(
			rules, n_rules, control.epoch, &ret->keys, &ret->values, &ret->n);
	if (err)
		return bpfmap_why(
			why, err, "rules of an identity cannot be made: %s", strerror(-err));
	*ret_epoch = control.epoch;
	return 0;
}

int bpfmap_policy_add(struct bpfmap *map, const struct bpfmap_rule *rules, size_t n_rules,
	uint32_t *ret_epoch, char why[BPFMAP_WHY])
{
	cleanup(entries) struct entries entries = {0};
	uint32_t epoch;
	int err = compile(map, rules, n_rules, &epoch, &entries, why);

	if (err)
		return err;
	err = put(map, &entries, BPFMAP_POLICY_DENY);
	if (!err)
		err = put(map, &entries, BPFMAP_POLICY_ALLOW);
	if (!err) {
		*ret_epoch = epoch;
		return 0;
	}
	if (drop_all(map, &entries))
		return bpfmap_why(why, err, "half of an identity's rules cannot be taken back");
	return bpfmap_why(why, err,
		err == -ENOSPC ? "policy has room for %u entries (bpf.max_policy), and no more for "
				 "another identity"
			       : "an identity's rules cannot be written (policy has %u places)",
		map->entries[BPFMAP_MAP_POLICY]);
}

int bpfmap_policy_remove(
	struct bpfmap *map, const struct bpfmap_rule *rules, size_t n_rules, char why[BPFMAP_WHY])
{
	cleanup(entries) struct entries entries = {0};
	uint32_t epoch;
	int err = compile(map, rules, n_rules, &epoch, &entries, why);

	if (!err)
		err = drop_all(map, &entries);
	if (err)
		bpfmap_why(why, err, "an identity's rules cannot be removed: %s", strerror(-err));
	return err;
}
