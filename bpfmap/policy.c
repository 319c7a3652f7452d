#include "bpfmap/policy.h"

#include "bpfmap/control.h"
#include "bpfmap/state.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* Both maps' keys begin alike. */
struct any_key {
	uint32_t prefixlen;
	uint32_t epoch;
	uint8_t rest[sizeof(struct bpfmap_endpoint_key) - 8];
};
static_assert(offsetof(struct bpfmap_endpoint_key, epoch) == offsetof(struct any_key, epoch),
	"endpoint key");
static_assert(
	offsetof(struct bpfmap_policy_key, epoch) == offsetof(struct any_key, epoch), "policy key");
static_assert(sizeof(struct bpfmap_policy_key) <= sizeof(struct any_key), "room for both");

/*
 * Removes what is of another epoch. Done before a swap and not after it: a
 * program that has read the old number may still be looking.
 */
static int clean(struct bpfmap *map, enum bpfmap_map id, uint32_t keep)
{
	struct any_key key, next;
	int fd = map->fds[id];
	int err = bpf_map_get_next_key(fd, NULL, &next);

	while (!err) {
		key = next;
		err = bpf_map_get_next_key(fd, &key, &next);
		if (key.epoch == keep)
			continue;
		if (bpf_map_delete_elem(fd, &key) && errno != ENOENT)
			return -errno;
	}
	return err == -ENOENT ? 0 : err;
}

static bool is_mapped(const struct bpfmap_target *t)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291 2.5.5.2 */

	return t->len == 16 && t->prefix >= 96 && !memcmp(t->addr, prefix, sizeof(prefix));
}

static int put_endpoint(
	struct bpfmap *map, const struct bpfmap_target *t, uint8_t protocol, uint32_t epoch)
{
	const unsigned skip = is_mapped(t) ? 12 : 0;
	const struct bpfmap_endpoint value = {.service = t->service};
	struct bpfmap_endpoint_key key = {
		.prefixlen = BPFMAP_ENDPOINT_BITS + t->prefix - 8 * skip,
		.epoch = epoch,
		.family = t->len - skip == 4 ? BPFMAP_FAMILY_IPV4 : BPFMAP_FAMILY_IPV6,
		.protocol = protocol,
		.port = {(uint8_t)(t->port >> 8), (uint8_t)t->port},
	};

	memcpy(key.addr, t->addr + skip, t->len - skip);
	return bpf_map_update_elem(map->fds[BPFMAP_MAP_ENDPOINTS], &key, &value, BPF_ANY);
}

static int put_target(struct bpfmap *map, const struct bpfmap_target *t, uint32_t epoch)
{
	int err;

	if (!t->service || (t->len != 4 && t->len != 16) || t->prefix > 8 * t->len)
		return -EINVAL;
	if (t->protocol)
		return put_endpoint(map, t, t->protocol, epoch);
	err = put_endpoint(map, t, IPPROTO_TCP, epoch);
	return err ? err : put_endpoint(map, t, IPPROTO_UDP, epoch);
}

static int put_rules(struct bpfmap *map, const struct bpfmap_policy *policy, uint32_t epoch)
{
	cleanup(free) struct bpfmap_policy_key *keys = NULL;
	cleanup(free) uint32_t *values = NULL;
	size_t n = 0;
	int err = bpfmap_policy_compile(policy->rules, policy->n_rules, epoch, &keys, &values, &n);

	for (size_t i = 0; i < n && !err; i++)
		err = bpf_map_update_elem(
			map->fds[BPFMAP_MAP_POLICY], &keys[i], &values[i], BPF_ANY);
	return err;
}

static int put_all(struct bpfmap *map, const struct bpfmap_policy *policy, uint32_t epoch)
{
	int err = 0;

	for (size_t i = 0; i < policy->n_targets && !err; i++)
		err = put_target(map, &policy->targets[i], epoch);
	return err ? err : put_rules(map, policy, epoch);
}

static int why_not(struct bpfmap *map, int err, char *why)
{
	if (err == -ENOSPC)
		return bpfmap_why(why, err,
			"no room for the policy beside the one in force: endpoints has room for "
			"%u entries, policy for %u (bpf.max_endpoints, bpf.max_policy)",
			map->entries[BPFMAP_MAP_ENDPOINTS], map->entries[BPFMAP_MAP_POLICY]);
	return bpfmap_why(why, err, "the policy cannot be written: %s", strerror(-err));
}

int bpfmap_policy_swap(struct bpfmap *map, const struct bpfmap_policy *policy, uint32_t *ret_epoch,
	char why[BPFMAP_WHY])
{
	struct bpfmap_control control;
	uint32_t now, next;
	int err = bpfmap_control_get(map, &control);

	if (err)
		return bpfmap_why(why, err, "control cannot be read: %s", strerror(-err));
	now = control.epoch;
	next = now + 1 ? now + 1 : 1; /* 0 is no policy at all */
	err = clean(map, BPFMAP_MAP_ENDPOINTS, now);
	if (!err)
		err = clean(map, BPFMAP_MAP_POLICY, now);
	if (!err)
		err = put_all(map, policy, next);
	if (!err) {
		control.epoch = next;
		err = bpfmap_control_put(map, &control);
	}
	/* What was written of the new set counts for nobody; the next swap removes it. */
	if (err)
		return why_not(map, err, why);
	*ret_epoch = next;
	return 0;
}
