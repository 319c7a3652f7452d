/*
 * How much kernel memory the maps take, before they are made. Hash maps are
 * preallocated, so it is taken at once; LPM tries grow with their entries.
 */
#ifndef BPFMAP_PLAN_H
#define BPFMAP_PLAN_H

#include "bpfmap/pin.h"

struct bpfmap_plan {
	uint64_t bytes[BPFMAP_MAPS];
	uint64_t total;
};

/*
 * For so many entries of each map; those whose room is fixed may be 0. As
 * kernel/bpf/hashtab.c (htab_map_mem_usage) and its siblings count, on 64 bits.
 */
void bpfmap_plan(
	const uint32_t entries[BPFMAP_MAPS], unsigned n_cpus, struct bpfmap_plan *ret_plan);

/* What the kernel says of an open map (fdinfo's memlock). 0 or -errno. */
int bpfmap_memory(int fd, uint64_t *ret_bytes) must_check;

#endif
