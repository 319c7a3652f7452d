/*
 * Latencies in constant space: every power of two is cut into 64 equal parts,
 * so a percentile is at most 1.6 % too high, whatever its size.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#define BENCH_PARTS   64
#define BENCH_BUCKETS (BENCH_PARTS * 59)

struct bench_histogram {
	uint64_t n;
	uint64_t max;
	uint64_t counts[BENCH_BUCKETS];
};

void bench_histogram_add(struct bench_histogram *h, uint64_t value);

/* The upper edge of the bucket that this share (0 to 1) of all values does not exceed; 0 if empty. */
uint64_t bench_histogram_at(const struct bench_histogram *h, double share);

#endif
