/*
 * spoa_decide in memory: what a verification costs beside OpenSSL alone, what
 * a token that was seen before costs, how both grow. Prints JSON: a list of
 * {name, unit, value}, medians over rounds in which all take their turn.
 *
 *	bench_decide ROUNDS [LARGEST]
 *	bench_decide profile answer|RS256|ES256   one of them 1000 times, for
 *		valgrind --tool=callgrind --toggle-collect=profiled
 */
#include "tests/bench/decide_work.h"
#include "tests/bench/machine.h"
#include "tests/bench/reference.h"
#include "tests/bench/threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 51
#define COLD       400    /* verifications for each measurement */
#define WARM       100000 /* lookups */
#define ANSWERS    50000
#define PROFILED   1000
#define CONTROL    1.9
#define TRIES      5

/* Measurements, one row for each name. */
static struct row {
	const char *name;
	const char *unit;
	double values[ROUNDS_MAX];
	size_t n;
} rows[64];
static size_t n_rows;

static void note(const char *name, const char *unit, double value)
{
	size_t i = 0;

	while (i < n_rows && strcmp(rows[i].name, name))
		i++;
	if (i == n_rows)
		rows[n_rows++] = (struct row){.name = name, .unit = unit};
	rows[i].values[rows[i].n++] = value;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print(void)
{
	for (size_t i = 0; i < n_rows; i++) {
		qsort(rows[i].values, rows[i].n, sizeof(double), ascending);
		printf("%s{\"name\": \"%s\", \"unit\": \"%s\", \"value\": %.4f}", i ? ",\n " : "[",
			rows[i].name, rows[i].unit, rows[i].values[rows[i].n / 2]);
	}
	printf("]\n");
}

/* Every token is verified: with a cache of nothing. */
static double cold_us(struct spoa_state *state, size_t a)
{
	uint64_t started = bench_cpu();

	for (size_t i = 0; i < COLD; i++)
		bench_work_decide(state, bench_work_token(a, i), false);
	return (double)(bench_cpu() - started) / 1e3 / COLD;
}

/* Of tokens that were all seen before. */
static double answer_us(struct spoa_state *state)
{
	uint64_t started;

	bench_work_warm_up(state);
	started = bench_cpu();
	for (size_t i = 0; i < ANSWERS; i++)
		bench_work_answer(state, i);
	return (double)(bench_cpu() - started) / 1e3 / ANSWERS;
}

/* Of tokens that are known by their bytes. */
static double hot_us(struct spoa_state *state)
{
	uint64_t started;

	bench_work_warm_up(state);
	started = bench_cpu();
	for (size_t i = 0; i < WARM; i++)
		bench_work_decide(state, bench_work_token(1, i), true);
	return (double)(bench_cpu() - started) / 1e3 / WARM;
}

static uint32_t random_of(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 4;
}

static double warm_us(struct spoa_state *state, size_t n, char *buf)
{
	uint32_t seed = 7;
	uint64_t started = bench_cpu();

	for (size_t i = 0; i < WARM; i++)
		bench_work_decide(state, bench_work_numbered(random_of(&seed) % n, buf), true);
	return (double)(bench_cpu() - started) / 1e3 / WARM;
}

static size_t resident(void)
{
	unsigned long total, pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f || fscanf(f, "%lu %lu", &total, &pages) != 2)
		bench_die("no /proc/self/statm");
	fclose(f);
	return pages * 4096;
}

static const struct size {
	size_t n;
	const char *lookup, *bytes;
} SIZES[] = {
	{1000, "cached decide, 1 k tokens", "bytes for each of 1 k tokens"},
	{100000, "cached decide, 100 k tokens", "bytes for each of 100 k tokens"},
	{1000000, "cached decide, 1 M tokens", "bytes for each of 1 M tokens"},
};
#define N_SIZES ARRAY_SIZE(SIZES)

struct filled {
	struct spoa_state state;
	char *buf;
};

static size_t fill_all(struct filled *filled, size_t largest)
{
	size_t n = 0;

	for (; n < N_SIZES && SIZES[n].n <= largest; n++) {
		size_t before = resident();

		/* Room for the ring and the index that goes with it. */
		bench_work_init(&filled[n].state, SIZES[n].n * 512 + 4096);
		bench_work_forget_bytes(&filled[n].state);
		filled[n].buf = malloc(2048);
		bench_work_fill(&filled[n].state, SIZES[n].n, filled[n].buf);
		note(SIZES[n].bytes, "bytes", (double)(resident() - before) / (double)SIZES[n].n);
	}
	return n;
}

/*
 * Two cores are not always two: others use them, or they share one. Measured
 * is when two threads of pure arithmetic reach CONTROL; after a few tries, as it is.
 */
static void note_threads(void)
{
	double control = 0;

	for (int i = 0; i < TRIES && control < CONTROL; i++)
		control = bench_threads(BENCH_THREADS_SPIN);
	note("arithmetic, two threads against one", "times", control);
	note("cold RS256, two threads against one", "times", bench_threads(BENCH_THREADS_COLD));
	note("cached decide, two threads against one", "times",
		bench_threads(BENCH_THREADS_CACHED));
}

static void round_of(
	struct spoa_state *cold, struct spoa_state *memory, struct filled *filled, size_t n_filled)
{
	static const char *const NAMES[][3] = {
		{"RS256: OpenSSL alone", "RS256: parsing alone", "RS256: cold decide"},
		{"ES256: OpenSSL alone", "ES256: parsing alone", "ES256: cold decide"},
	};

	for (size_t a = 0; a < BENCH_WORK_ALGS; a++) {
		struct span token = bench_work_token(a, 0);

		note(NAMES[a][0], "us", bench_reference_verify(bench_work_key(a), token, COLD));
		note(NAMES[a][1], "us", bench_reference_parse(token, COLD));
		note(NAMES[a][2], "us", cold_us(cold, a));
	}
	note("NOTIFY to ACK in memory, cached", "us", answer_us(memory));
	note("cached decide, hot tokens", "us", hot_us(memory));
	note("SHA-256 alone", "us", bench_reference_hash(bench_work_token(1, 0), WARM));
	for (size_t i = 0; i < n_filled; i++)
		note(SIZES[i].lookup, "us", warm_us(&filled[i].state, SIZES[i].n, filled[i].buf));
	note_threads();
}

/* The collector's door: what happens behind it is what is counted. */
__attribute__((noinline, noclone)) void profiled(
	struct spoa_state *cold, struct spoa_state *memory, const char *what);

void profiled(struct spoa_state *cold, struct spoa_state *memory, const char *what)
{
	for (size_t i = 0; i < PROFILED; i++) {
		if (!strcmp(what, "answer"))
			bench_work_answer(memory, i);
		else
			bench_work_decide(cold, bench_work_token(!strcmp(what, "ES256"), i), false);
	}
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 7;
	size_t largest = argc > 2 ? (size_t)atol(argv[2]) : SIZES[N_SIZES - 1].n;
	struct filled filled[N_SIZES];
	struct spoa_state cold, memory;
	size_t n_filled;

	bool profile = argc > 2 && !strcmp(argv[1], "profile");

	if (!profile && (rounds < 1 || rounds > ROUNDS_MAX))
		bench_die("usage: bench_decide ROUNDS [LARGEST]");
	bench_work_start();
	bench_work_init(&cold, 0);
	bench_work_init(&memory, 4 << 20);
	if (profile) {
		bench_work_warm_up(&memory);
		profiled(&cold, &memory, argv[2]);
		return 0;
	}
	n_filled = fill_all(filled, largest);
	for (int i = 0; i < rounds; i++)
		round_of(&cold, &memory, filled, n_filled);
	print();
	return 0;
}