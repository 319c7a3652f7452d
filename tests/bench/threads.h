/* How much more of the same work two threads do than one, each on a core of its own. */
#ifndef BENCH_THREADS_H
#define BENCH_THREADS_H

enum bench_threads_work {
	BENCH_THREADS_SPIN, /* arithmetic alone: what the machine can give */
	BENCH_THREADS_COLD,
	BENCH_THREADS_CACHED,
};

double bench_threads(enum bench_threads_work what);

#endif
