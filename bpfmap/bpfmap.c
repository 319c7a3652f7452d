#include "bpfmap/bpfmap.h"

#include "bpfmap/flow.h"
#include "bpfmap/link.h"
#include "bpfmap/pin.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/*
 * The map has no compare-and-swap: two threads that bind two subjects to one
 * connection could both find it free, and the second write would hide the
 * first. Lookup and update of one connection therefore happen under one lock,
 * chosen by its ports.
 */
#define LOCKS 64

struct bpfmap {
	char *dir;
	int fds[BPFMAP_MAPS];
	uint32_t max_flows;
	int n_cpus;
	pthread_mutex_t locks[LOCKS];
};

static const uint32_t pin_flags[BPFMAP_MAPS] = {
	[BPFMAP_MAP_OVERFLOW] = BPF_F_RDONLY,
	[BPFMAP_MAP_SETTINGS] = BPF_F_RDONLY,
	[BPFMAP_MAP_STATS] = BPF_F_RDONLY,
};

static struct bpfmap *bpfmap_new(const char *dir)
{
	struct bpfmap *map = calloc(1, sizeof(*map));

	if (!map)
		return NULL;
	for (size_t i = 0; i < BPFMAP_MAPS; i++)
		map->fds[i] = -1;
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&map->locks[i], NULL);
	map->dir = strdup(dir);
	if (!map->dir) {
		bpfmap_close(map);
		return NULL;
	}
	return map;
}

void bpfmap_close(struct bpfmap *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < BPFMAP_MAPS; i++)
		cleanup_fn_fd(&map->fds[i]);
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&map->locks[i]);
	free(map->dir);
	free(map);
}

int bpfmap_open(const char *dir, struct bpfmap **ret, char why[BPFMAP_WHY])
{
	cleanup(bpfmap) struct bpfmap *map = bpfmap_new(dir);
	uint32_t entries[BPFMAP_MAPS];
	int err;

	if (!map)
		return bpfmap_why(why, -ENOMEM, "out of memory");
	for (int i = 0; i < BPFMAP_MAPS; i++) {
		err = bpfmap_pin_open(dir, i, pin_flags[i], &map->fds[i], &entries[i], why);
		if (err)
			return err;
	}
	err = bpfmap_pin_version(map->fds[BPFMAP_MAP_SETTINGS], dir, why);
	if (err)
		return err;
	map->max_flows = entries[BPFMAP_MAP_FLOWS];
	map->n_cpus = libbpf_num_possible_cpus();
	if (map->n_cpus < 0)
		return bpfmap_why(why, map->n_cpus, "the number of CPUs cannot be read: %s",
			strerror(-map->n_cpus));
	*ret = TAKE_PTR(map);
	return 0;
}

int bpfmap_flow_get(
	struct bpfmap *map, const struct bpfmap_flow_key *key, struct bpfmap_flow *ret_flow)
{
	struct bpfmap_flow flow;
	int err = bpf_map_lookup_elem(map->fds[BPFMAP_MAP_FLOWS], key, &flow);

	if (err)
		return err;
	*ret_flow = flow;
	return 0;
}

/* No entry: because there was no room for one, or because nobody tracks this connection? */
static bool overflowed(struct bpfmap *map, const struct bpfmap_flow_key *key)
{
	uint32_t one;

	return bpf_map_lookup_elem(map->fds[BPFMAP_MAP_OVERFLOW], key, &one) == 0;
}

static int bind_locked(struct bpfmap *map, const struct bpfmap_flow_key *key,
	const struct bpfmap_binding *binding, enum bpfmap_bound *ret_bound)
{
	struct bpfmap_flow now, next;
	enum bpfmap_bound bound;
	int err;

	err = bpfmap_flow_get(map, key, &now);
	if (!err) {
		bound = bpfmap_flow_merge(&now, binding, &next);
		if (!bpfmap_flow_same(&now, &next))
			err = bpf_map_update_elem(
				map->fds[BPFMAP_MAP_FLOWS], key, &next, BPF_EXIST);
	}
	if (err == -ENOENT && overflowed(map, key))
		return -E2BIG;
	if (err && err != -ENOENT)
		return err;
	*ret_bound = err ? BPFMAP_UNBOUND : bound;
	return 0;
}

int bpfmap_flow_bind(struct bpfmap *map, const struct bpfmap_flow_key *key,
	const struct bpfmap_binding *binding, enum bpfmap_bound *ret_bound)
{
	pthread_mutex_t *lock = &map->locks[(key->remote_port ^ key->local_port) % LOCKS];
	int err;

	if (!binding->identity || !binding->subject)
		return -EINVAL;
	pthread_mutex_lock(lock);
	err = bind_locked(map, key, binding, ret_bound);
	pthread_mutex_unlock(lock);
	return err;
}

/* The kernel writes one value per possible CPU, 8 bytes each. */
static int sum_stats(struct bpfmap *map, uint64_t sums[BPFMAP_STATS])
{
	cleanup(free) uint64_t *values = calloc((size_t)map->n_cpus, sizeof(*values));
	int err;

	if (!values)
		return -ENOMEM;
	for (uint32_t stat = 0; stat < BPFMAP_STATS; stat++) {
		err = bpf_map_lookup_elem(map->fds[BPFMAP_MAP_STATS], &stat, values);
		if (err)
			return err;
		for (int cpu = 0; cpu < map->n_cpus; cpu++)
			sums[stat] += values[cpu];
	}
	return 0;
}

/*
 * Opened anew each time: identityd-setup may have replaced the link. That
 * there is no descriptor or memory to look with says nothing about the link.
 */
static int read_attached(const char *dir, bool *ret_attached)
{
	cleanup(fd) int fd = -1;
	uint64_t cgroup = 0;
	int err = bpfmap_link_open(dir, &fd);

	if (!err)
		err = bpfmap_link_cgroup(fd, &cgroup);
	if (err == -EMFILE || err == -ENFILE || err == -ENOMEM)
		return err;
	*ret_attached = !err && cgroup;
	return 0;
}

int bpfmap_status(struct bpfmap *map, struct bpfmap_status *ret)
{
	struct bpfmap_status status = {.max_flows = map->max_flows};
	int err = sum_stats(map, status.stats);

	if (!err)
		err = read_attached(map->dir, &status.attached);
	if (err)
		return err;
	*ret = status;
	return 0;
}
