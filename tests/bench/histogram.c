#include "tests/bench/histogram.h"

#include <stddef.h>

/* Values below BENCH_PARTS have a bucket each; then BENCH_PARTS for each power of two. */
static size_t bucket_of(uint64_t value)
{
	unsigned shift;

	if (value < BENCH_PARTS)
		return (size_t)value;
	shift = 57 - (unsigned)__builtin_clzll(value);
	return (shift + 1) * BENCH_PARTS + (size_t)(value >> shift) - BENCH_PARTS;
}

static uint64_t upper_edge(size_t bucket)
{
	unsigned shift = (unsigned)(bucket / BENCH_PARTS);
	uint64_t part = bucket % BENCH_PARTS;

	if (!shift)
		return part;
	return ((part + BENCH_PARTS + 1) << (shift - 1)) - 1;
}

void bench_histogram_add(struct bench_histogram *h, uint64_t value)
{
	h->n++;
	h->counts[bucket_of(value)]++;
	if (value > h->max)
		h->max = value;
}

uint64_t bench_histogram_at(const struct bench_histogram *h, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)h->n);
	uint64_t seen = 0;

	if (!h->n)
		return 0;
	for (size_t i = 0; i < BENCH_BUCKETS; i++) {
		seen += h->counts[i];
		if (seen > wanted || seen == h->n)
			return upper_edge(i) < h->max ? upper_edge(i) : h->max;
	}
	return h->max;
}
