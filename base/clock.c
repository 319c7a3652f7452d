#include "base/clock.h"

#include <time.h>

static int64_t read_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

uint64_t base_clock_mono_ns(void)
{
	return (uint64_t)read_ns(CLOCK_MONOTONIC);
}

void base_clock_now(struct base_now *ret_now)
{
	ret_now->wall_ns = read_ns(CLOCK_REALTIME);
	ret_now->mono_ns = (uint64_t)read_ns(CLOCK_MONOTONIC);
	ret_now->boot_ns = (uint64_t)read_ns(CLOCK_BOOTTIME);
}
