/*
 * Time as a value. Only base_clock_now asks the kernel; everything that
 * decides takes a struct base_now, so tests say what time it is.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct base_now {
	int64_t wall_ns;  /* since 1970, UTC: token claims, logs */
	uint64_t mono_ns; /* CLOCK_MONOTONIC: deadlines, key age */
	uint64_t boot_ns; /* CLOCK_BOOTTIME: what the kernel's maps expire by */
};

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

void base_clock_now(struct base_now *ret_now);
/* CLOCK_MONOTONIC alone. */
uint64_t base_clock_mono_ns(void);

static inline int64_t base_clock_wall_s(const struct base_now *now)
{
	return now->wall_ns / NS_PER_S;
}

#endif
