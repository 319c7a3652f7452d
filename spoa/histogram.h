/*
 * How long something took, in buckets that double. One thread observes; any
 * other may read meanwhile and sees each number as it was at some moment.
 */
#ifndef SPOA_HISTOGRAM_H
#define SPOA_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Up to 512 ns, 1024 ns and so on to 2.1 s, and whatever took longer. */
#define SPOA_HISTOGRAM_FIRST_BITS 9
#define SPOA_HISTOGRAM_BUCKETS    24

struct spoa_histogram {
	atomic_uint_fast64_t buckets[SPOA_HISTOGRAM_BUCKETS];
	atomic_uint_fast64_t sum_ns;
};

/* Only the thread that owns the number raises it, so this needs no locked instruction. */
static inline void spoa_histogram_raise(atomic_uint_fast64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
		memory_order_relaxed);
}

/* The first bucket whose bound is not below ns. */
static inline unsigned spoa_histogram_bucket(uint64_t ns)
{
	uint64_t above = (ns ? ns - 1 : 0) >> SPOA_HISTOGRAM_FIRST_BITS;
	unsigned bits = above ? 64 - (unsigned)__builtin_clzll(above) : 0;

	return bits < SPOA_HISTOGRAM_BUCKETS ? bits : SPOA_HISTOGRAM_BUCKETS - 1;
}

/* n things that took ns each. */
static inline void spoa_histogram_observe(struct spoa_histogram *h, uint64_t ns, uint64_t n)
{
	spoa_histogram_raise(&h->buckets[spoa_histogram_bucket(ns)], n);
	spoa_histogram_raise(&h->sum_ns, n * ns);
}

/* Upper bound of a bucket in ns; 0: the last one has none. */
static inline uint64_t spoa_histogram_bound(unsigned bucket)
{
	return bucket + 1 < SPOA_HISTOGRAM_BUCKETS
		       ? UINT64_C(1) << (SPOA_HISTOGRAM_FIRST_BITS + bucket)
		       : 0;
}

#endif
