/* The same work on one core and on two: how much more of it two do. */
#include "tests/bench/decide_work.h"
#include "tests/bench/machine.h"
#include "tests/bench/threads.h"

#include <pthread.h>

#define RUN_NS (200 * 1000 * 1000)
#define MEMORY ((size_t)4 << 20)

struct share {
	pthread_t thread;
	int cpu;
	enum bench_threads_work what;
	uint64_t until;
	uint64_t done;
	struct spoa_state state;
	char buf[2048];
};

/* Arithmetic alone, some 20 us of it. */
static void spin(void)
{
	volatile uint32_t x = 1;

	for (int i = 0; i < 10000; i++)
		x = x * 1664525 + 1013904223;
}

static void once(struct share *share, size_t i)
{
	switch (share->what) {
	case BENCH_THREADS_SPIN:
		spin();
		break;
	case BENCH_THREADS_COLD:
		bench_work_decide(&share->state, bench_work_token(0, i), false);
		break;
	case BENCH_THREADS_CACHED:
		bench_work_decide(&share->state, bench_work_numbered(i, share->buf), true);
		break;
	}
}

static void *work(void *arg)
{
	struct share *share = arg;

	bench_pin(share->cpu);
	while (bench_now() < share->until) {
		for (size_t i = 0; i < 100; i++)
			once(share, i);
		share->done += 100;
	}
	return NULL;
}

static double rate(int n_threads, enum bench_threads_work what)
{
	static struct share shares[2];
	double sum = 0;
	uint64_t until;

	for (int i = 0; i < n_threads; i++) {
		shares[i] = (struct share){.cpu = i, .what = what};
		bench_work_init(&shares[i].state, what == BENCH_THREADS_CACHED ? MEMORY : 0);
		if (what == BENCH_THREADS_CACHED)
			bench_work_fill(&shares[i].state, 1000, shares[i].buf);
	}
	until = bench_now() + RUN_NS;
	for (int i = 0; i < n_threads; i++) {
		shares[i].until = until;
		if (pthread_create(&shares[i].thread, NULL, work, &shares[i]))
			bench_die("no thread");
	}
	for (int i = 0; i < n_threads; i++) {
		pthread_join(shares[i].thread, NULL);
		sum += (double)shares[i].done;
		spoa_state_done(&shares[i].state);
	}
	return sum;
}

double bench_threads(enum bench_threads_work what)
{
	return rate(2, what) / rate(1, what);
}
