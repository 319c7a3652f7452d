/* The pinned maps as the programs see them. identityd-setup sets the sizes. */
#ifndef BPFMAP_MAPS_BPF_H
#define BPFMAP_MAPS_BPF_H

#include "bpfmap/abi.h"

/* HASH, preallocated: no allocation in softirq. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct bpfmap_flow_key);
	__type(value, struct bpfmap_flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, BPFMAP_OVERFLOW_ENTRIES);
	__type(key, struct bpfmap_flow_key);
	__type(value, __u32);
} overflow SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bpfmap_settings);
} settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bpfmap_control);
} control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bpfmap_cells);
} cells SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BPFMAP_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, struct bpfmap_stat_key);
	__type(value, struct bpfmap_stat);
} stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct bpfmap_endpoint_key);
	__type(value, struct bpfmap_endpoint);
} endpoints SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct bpfmap_policy_key);
	__type(value, __u32);
} policy SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, BPFMAP_EVENTS_BYTES);
} events SEC(".maps");

static __always_inline void count(__u32 counter)
{
	__u64 *value = bpf_map_lookup_elem(&counters, &counter);

	if (value)
		*value += 1;
}

/* Settings of another layout say nothing. */
static __always_inline const struct bpfmap_settings *get_settings(void)
{
	const __u32 zero = 0;
	const struct bpfmap_settings *s = bpf_map_lookup_elem(&settings, &zero);

	return s && s->version == BPFMAP_ABI_VERSION ? s : NULL;
}

static __always_inline const struct bpfmap_control *get_control(void)
{
	const __u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

static __always_inline struct bpfmap_cells *get_cells(void)
{
	const __u32 zero = 0;

	return bpf_map_lookup_elem(&cells, &zero);
}

/* Is this local port listed, or every port wanted? */
static __always_inline int wanted(__u32 port)
{
	const struct bpfmap_settings *s = get_settings();

	if (!s)
		return 0;
	if (s->n_ports == 0)
		return 1;
	for (__u32 i = 0; i < BPFMAP_PORTS_MAX; i++) {
		if (i < s->n_ports && s->ports[i] == port)
			return 1;
	}
	return 0;
}

#define DUE_TRIES 8

/* Remembers the earliest time at which a connection must end. */
static __always_inline void note_due(__u64 when)
{
	struct bpfmap_cells *c = get_cells();

	for (int i = 0; c && i < DUE_TRIES; i++) {
		__u64 now = c->due;

		if (now && now <= when)
			return;
		if (__sync_val_compare_and_swap(&c->due, now, when) == now)
			return;
	}
}

#endif
