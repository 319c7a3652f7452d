/* What the kernel counted, for a scrape. Nothing while nothing is enforced. */
#ifndef SPOA_METRICS_KERNEL_H
#define SPOA_METRICS_KERNEL_H

#include "bpfmap/dump.h"
#include "spoa/identities.h"
#include "spoa/kernel.h"

#include <stdio.h>

/* How full the maps are that nobody counts while they change. Begins as {0}. */
#define SPOA_EXTENTS 3
struct spoa_extents {
	uint64_t counted_at; /* CLOCK_MONOTONIC, ns */
	struct bpfmap_extent extent[SPOA_EXTENTS];
};

/*
 * Identities of the table, the first 1024 in the order of its slots, by
 * number; all others are one series, "other".
 */
void spoa_metrics_kernel(FILE *to, const struct spoa_kernel *kernel,
	const struct spoa_identities *table, struct spoa_extents *extents);

#endif
