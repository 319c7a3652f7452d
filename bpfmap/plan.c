#include "bpfmap/plan.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* Bytes of the kernel's own structures (Linux 6.18, amd64). */
#define HASH_HEAD   640 /* struct bpf_htab */
#define HASH_BUCKET 16
#define HASH_ELEM   48 /* struct htab_elem */
#define LPM_HEAD    320
#define LPM_NODE    40 /* struct lpm_trie_node; and as many again between the branches */
#define ARRAY_HEAD  320
#define RING_PAGES  3 /* of positions and control */
#define PAGE        4096

static uint64_t round8(uint64_t n)
{
	return (n + 7) / 8 * 8;
}

static uint64_t power_of_two(uint64_t n)
{
	uint64_t p = 1;

	while (p < n)
		p *= 2;
	return p;
}

/* Each CPU has an element in reserve, but for LRU. */
static uint64_t hash_bytes(
	const struct bpfmap_pin *pin, uint64_t n, unsigned n_cpus, bool percpu, bool lru)
{
	uint64_t in_element = percpu ? sizeof(void *) : round8(pin->value_size);
	uint64_t elements = n + (percpu || lru ? 0 : n_cpus);
	uint64_t bytes = HASH_HEAD + HASH_BUCKET * power_of_two(n) +
			 elements * (HASH_ELEM + round8(pin->key_size) + in_element);

	return percpu ? bytes + elements * n_cpus * round8(pin->value_size) : bytes;
}

static uint64_t map_bytes(const struct bpfmap_pin *pin, uint64_t n, unsigned n_cpus)
{
	switch (pin->type) {
	case BPF_MAP_TYPE_HASH:
		return hash_bytes(pin, n, n_cpus, false, false);
	case BPF_MAP_TYPE_LRU_HASH:
		return hash_bytes(pin, n, n_cpus, false, true);
	case BPF_MAP_TYPE_PERCPU_HASH:
		return hash_bytes(pin, n, n_cpus, true, false);
	case BPF_MAP_TYPE_LPM_TRIE:
		return LPM_HEAD + 2 * n * (LPM_NODE + pin->key_size - 4 + pin->value_size);
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		return ARRAY_HEAD +
		       n * (sizeof(void *) + (uint64_t)n_cpus * round8(pin->value_size));
	case BPF_MAP_TYPE_RINGBUF:
		return n + (uint64_t)RING_PAGES * PAGE;
	default:
		return ARRAY_HEAD + n * round8(pin->value_size);
	}
}

static uint64_t fixed_room(enum bpfmap_map id)
{
	if (id == BPFMAP_MAP_OVERFLOW)
		return BPFMAP_OVERFLOW_ENTRIES;
	if (id == BPFMAP_MAP_EVENTS)
		return BPFMAP_EVENTS_BYTES;
	return bpfmap_pins[id].min_entries;
}

void bpfmap_plan(const uint32_t entries[BPFMAP_MAPS], unsigned n_cpus, struct bpfmap_plan *ret_plan)
{
	struct bpfmap_plan plan = {0};

	for (int i = 0; i < BPFMAP_MAPS; i++) {
		plan.bytes[i] =
			map_bytes(&bpfmap_pins[i], entries[i] ? entries[i] : fixed_room(i), n_cpus);
		plan.total += plan.bytes[i];
	}
	*ret_plan = plan;
}

int bpfmap_memory(int fd, uint64_t *ret_bytes)
{
	char path[64], line[128];
	int err = -ENODATA;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "re");
	if (!info)
		return -errno;
	while (err && fgets(line, sizeof(line), info)) {
		if (sscanf(line, "memlock: %" SCNu64, ret_bytes) == 1)
			err = 0;
	}
	fclose(info);
	return err;
}
