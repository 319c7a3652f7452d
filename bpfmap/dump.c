#include "bpfmap/dump.h"

#include "bpfmap/plan.h"
#include "bpfmap/state.h"

#include <bpf/bpf.h>
#include <errno.h>

#define KEY_MAX 64 /* no key of ours is longer */

static bool is_array(enum bpfmap_map id)
{
	return bpfmap_pins[id].type == BPF_MAP_TYPE_ARRAY ||
	       bpfmap_pins[id].type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static int count_keys(struct bpfmap *map, enum bpfmap_map id, uint32_t *ret_n)
{
	uint64_t keys[2][KEY_MAX / sizeof(uint64_t)];
	uint32_t n = 0;
	int err = bpf_map_get_next_key(map->fds[id], NULL, keys[0]);

	/* A map that changes all the time could lead in circles. */
	while (!err && n < map->entries[id]) {
		n++;
		err = bpf_map_get_next_key(map->fds[id], keys[(n + 1) % 2], keys[n % 2]);
	}
	if (err && err != -ENOENT)
		return err;
	*ret_n = n;
	return 0;
}

int bpfmap_extent(struct bpfmap *map, enum bpfmap_map id, struct bpfmap_extent *ret)
{
	struct bpfmap_extent extent = {.room = map->entries[id], .entries = map->entries[id]};
	int err = bpfmap_memory(map->fds[id], &extent.bytes);

	if (!err && bpfmap_pins[id].type == BPF_MAP_TYPE_RINGBUF)
		extent.entries = 0;
	else if (!err && !is_array(id))
		err = count_keys(map, id, &extent.entries);
	if (err)
		return err;
	*ret = extent;
	return 0;
}

int bpfmap_each(struct bpfmap *map, enum bpfmap_map id,
	int (*visit)(void *arg, const void *key, const void *value), void *arg)
{
	uint64_t keys[2][KEY_MAX / sizeof(uint64_t)], value[2];
	uint32_t n = 0;
	int err = bpf_map_get_next_key(map->fds[id], NULL, keys[0]);
	int rc = 0;

	for (; !err && !rc && n < map->entries[id]; n++) {
		if (!bpf_map_lookup_elem(map->fds[id], keys[n % 2], value))
			rc = visit(arg, keys[n % 2], value);
		err = bpf_map_get_next_key(map->fds[id], keys[n % 2], keys[(n + 1) % 2]);
	}
	return rc ? rc : err == -ENOENT ? 0 : err;
}
