/* Everything that is in a map, for tools. */
#ifndef BPFMAP_DUMP_H
#define BPFMAP_DUMP_H

#include "bpfmap/bpfmap.h"
#include "bpfmap/pin.h"

struct bpfmap_extent {
	uint32_t room;    /* entries; bytes of the ring buffer */
	uint32_t entries; /* that are there; of arrays all of them */
	uint64_t bytes;   /* of kernel memory */
};

/* 0 or -errno. Counting is one pass; entries that come or go meanwhile may be missed. */
int bpfmap_extent(struct bpfmap *map, enum bpfmap_map id, struct bpfmap_extent *ret) must_check;

/*
 * Calls visit for every entry of endpoints or policy, whatever its epoch,
 * until it returns something else than 0; returns that, or -errno.
 */
int bpfmap_each(struct bpfmap *map, enum bpfmap_map id,
	int (*visit)(void *arg, const void *key, const void *value), void *arg) must_check;

#endif
