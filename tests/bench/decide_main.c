/*
 * spoa_decide in memory: what a verification costs beside OpenSSL alone, what
 * a token that was seen before costs, how both grow. Prints JSON: a list of
 * {name, unit, value}, medians over rounds in which all take their turn.
 *
 *	bench_decide ROUNDS [LARGEST]
 *	bench_decide profile answer|RS256|ES256   one of them 1000 times, for
 *		valgrind --tool=callgrind --toggle-collect=profiled
 */
#include "tests/bench/issuer.h"
#include "tests/bench/machine.h"
#include "tests/bench/reference.h"
#include "tests/bench/traffic.h"

#include "spoa/answer.h"
#include "spoa/decide.h"
#include "spop/frame.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKENS     512 /* of each algorithm, signed for real */
#define ROUNDS_MAX 51
#define COLD       400    /* verifications for each measurement */
#define WARM       100000 /* lookups */
#define ANSWERS    50000
#define PROFILED   1000

static struct spoa_snapshot *snapshot;
static struct base_now now;
static const enum token_alg ALGS[] = {TOKEN_RS256, TOKEN_ES256};
#define N_ALGS ARRAY_SIZE(ALGS)
static char *tokens[N_ALGS][TOKENS];
static struct bench_traffic traffic; /* NOTIFYs with the second algorithm's */

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

static void make_snapshot(void)
{
	json_t *first = test_key_jwk(test_key_of(ALGS[0]), BENCH_KID);
	char *jwks = test_jwks(first, test_key_jwk(test_key_of(ALGS[1]), BENCH_KID), NULL);
	char *yaml = bench_config("listen: [{unix: /tmp/none.sock}]\n", "/none");
	struct spoa_config *config;
	struct base_diag diag;
	struct conf *conf;

	base_diag_init(&diag, "bench");
	if (conf_parse("bench", yaml, strlen(yaml), &conf, &diag) ||
		spoa_config_new(conf, NULL, &diag, &config)) {
		base_diag_print(&diag, stderr);
		bench_die("no configuration");
	}
	base_diag_done(&diag);
	snapshot = spoa_snapshot_new(config, SPOA_ENFORCEMENT_OFF, NULL);
	if (!snapshot || token_keyset_parse(span_of(jwks), snapshot->issuers[0].rules.algs,
				 &snapshot->issuers[0].keys, NULL))
		bench_die("no keys");
	snapshot->ages[0] = (struct spoa_keys_age){
		.fetched_at = UINT64_MAX, .refresh_from = UINT64_MAX, .recheck_from = UINT64_MAX};
	spoa_config_unref(config);
	free(yaml);
	free(jwks);
}

static void make_tokens(void)
{
	for (size_t a = 0; a < N_ALGS; a++)
		for (size_t i = 0; i < TOKENS; i++)
			tokens[a][i] =
				bench_token(test_key_of(ALGS[a]), i, base_clock_wall_s(&now));
	for (size_t i = 0; i < TOKENS; i++)
		bench_traffic_add(&traffic, span_of(tokens[1][i]), (struct span){0});
}

static void decide(struct spoa_state *state, struct span token, bool remembered)
{
	const struct spoa_request request = {.token = token, .scheme = SPAN("Bearer")};
	struct spoa_decision decision;
	struct spoa_need need;

	if (!spoa_decide(snapshot, state, &request, now.mono_ns, &now, &need, &decision) ||
		decision.verdict != SPOA_ALLOW || decision.remembered != remembered)
		bench_die("a decision is not what it should be: %s",
			base_reason_word(decision.reason));
}

/* Every token is verified: with a cache of nothing. */
static double cold_us(struct spoa_state *state, size_t a)
{
	uint64_t started = bench_cpu();

	for (size_t i = 0; i < COLD; i++)
		decide(state, span_of(tokens[a][i % TOKENS]), false);
	return (double)(bench_cpu() - started) / 1e3 / COLD;
}

/* Token number i of any number: a real one whose signature is changed, put in the cache as it is. */
static struct span numbered(size_t i, char *buf)
{
	static const char DIGITS[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t n = strlen(tokens[1][0]);

	for (size_t d = 0; d < 5; d++, i >>= 6)
		buf[n - 20 + d] = DIGITS[i & 63];
	return (struct span){buf, n};
}

/* Remembers n tokens as if each had been verified, with the caller of a real one. */
static void fill(struct spoa_state *state, size_t n, char *buf)
{
	decide(state, span_of(tokens[1][0]), false);
	memcpy(buf, tokens[1][0], strlen(tokens[1][0]) + 1);
	for (size_t i = 0; i < n; i++) {
		uint8_t key[TOKEN_HASH_BYTES];

		token_hash_of(numbered(i, buf), key);
		spoa_cache_put(state->cache, key, state->fresh);
	}
	if (spoa_cache_use(state->cache).entries <= n)
		bench_die("%zu tokens do not fit", n);
}

/* A NOTIFY's payload to the bytes of its ACK. */
static void answer(struct spoa_state *state, struct span payload)
{
	static unsigned char out[64 * 1024];
	struct wr w = wr_of(out, sizeof(out));
	struct spoa_request request;
	struct spoa_decision decision;
	struct spoa_need need;

	if (spoa_request_parse(payload, &request) ||
		!spoa_decide(snapshot, state, &request, now.mono_ns, &now, &need, &decision) ||
		spoa_answer(&w, 1, 1, SPOP_FRAME_SIZE_DEFAULT, snapshot->config, &decision) ||
		decision.verdict != SPOA_ALLOW)
		bench_die("no answer");
}

/* Verified, remembered, and then known by its bytes. */
static void warm_up(struct spoa_state *state)
{
	for (size_t i = 0; i < 3 * TOKENS; i++)
		answer(state, bench_traffic_payload(&traffic, i % TOKENS));
}

/* Of tokens that were all seen before. */
static double answer_us(struct spoa_state *state)
{
	uint64_t started;

	warm_up(state);
	started = bench_cpu();
	for (size_t i = 0; i < ANSWERS; i++)
		answer(state, bench_traffic_payload(&traffic, i % TOKENS));
	return (double)(bench_cpu() - started) / 1e3 / ANSWERS;
}

/* Of tokens that are known by their bytes. */
static double hot_us(struct spoa_state *state)
{
	uint64_t started;

	warm_up(state);
	started = bench_cpu();
	for (size_t i = 0; i < WARM; i++)
		decide(state, span_of(tokens[1][i % TOKENS]), true);
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
		decide(state, numbered(random_of(&seed) % n, buf), true);
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

static void init(struct spoa_state *state, size_t cache_bytes)
{
	if (spoa_state_init(state, cache_bytes))
		bench_die("out of memory");
}

/* Every token is looked up by its hash, as those are that do not come often. */
static void forget_bytes(struct spoa_state *state)
{
	spoa_memo_free(state->memo);
	state->memo = spoa_memo_new(0);
	if (!state->memo)
		bench_die("out of memory");
}

static size_t fill_all(struct filled *filled, size_t largest)
{
	size_t n = 0;

	for (; n < N_SIZES && SIZES[n].n <= largest; n++) {
		size_t before = resident();

		/* Room for the ring and the index that goes with it. */
		init(&filled[n].state, SIZES[n].n * 512 + 4096);
		forget_bytes(&filled[n].state);
		filled[n].buf = malloc(2048);
		fill(&filled[n].state, SIZES[n].n, filled[n].buf);
		note(SIZES[n].bytes, "bytes", (double)(resident() - before) / (double)SIZES[n].n);
	}
	return n;
}

/* The same work on one core and on two: how much more of it two do. */
struct share {
	pthread_t thread;
	int cpu;
	bool cold;
	uint64_t until;
	uint64_t done;
};

static void *work(void *arg)
{
	struct share *share = arg;
	struct spoa_state state;
	char buf[2048];

	bench_pin(share->cpu);
	init(&state, share->cold ? 0 : 4 << 20);
	if (!share->cold)
		fill(&state, 1000, buf);
	while (bench_now() < share->until) {
		for (size_t i = 0; i < 100; i++) {
			if (share->cold)
				decide(&state, span_of(tokens[0][i]), false);
			else
				decide(&state, numbered(i, buf), true);
		}
		share->done += 100;
	}
	spoa_state_done(&state);
	return NULL;
}

static double rate(int n_threads, bool cold)
{
	struct share shares[2];
	uint64_t started = bench_now();
	double sum = 0;

	for (int i = 0; i < n_threads; i++) {
		shares[i] = (struct share){.cpu = i, .cold = cold, .until = started + 200000000};
		if (pthread_create(&shares[i].thread, NULL, work, &shares[i]))
			bench_die("no thread");
	}
	for (int i = 0; i < n_threads; i++) {
		pthread_join(shares[i].thread, NULL);
		sum += (double)shares[i].done;
	}
	return sum;
}

static void note_threads(void)
{
	note("cold RS256, two threads against one", "times", rate(2, true) / rate(1, true));
	note("cached decide, two threads against one", "times", rate(2, false) / rate(1, false));
}

static void round_of(
	struct spoa_state *cold, struct spoa_state *memory, struct filled *filled, size_t n_filled)
{
	static const char *const NAMES[][3] = {
		{"RS256: OpenSSL alone", "RS256: parsing alone", "RS256: cold decide"},
		{"ES256: OpenSSL alone", "ES256: parsing alone", "ES256: cold decide"},
	};

	for (size_t a = 0; a < N_ALGS; a++) {
		struct span token = span_of(tokens[a][0]);

		note(NAMES[a][0], "us", bench_reference_verify(test_key_of(ALGS[a]), token, COLD));
		note(NAMES[a][1], "us", bench_reference_parse(token, COLD));
		note(NAMES[a][2], "us", cold_us(cold, a));
	}
	note("NOTIFY to ACK in memory, cached", "us", answer_us(memory));
	note("cached decide, hot tokens", "us", hot_us(memory));
	note("SHA-256 alone", "us", bench_reference_hash(span_of(tokens[1][0]), WARM));
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
			answer(memory, bench_traffic_payload(&traffic, i % TOKENS));
		else
			decide(cold, span_of(tokens[!strcmp(what, "ES256")][i % TOKENS]), false);
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
	base_clock_now(&now);
	make_snapshot();
	make_tokens();
	init(&cold, 0);
	init(&memory, 4 << 20);
	if (profile) {
		warm_up(&memory);
		profiled(&cold, &memory, argv[2]);
		return 0;
	}
	n_filled = fill_all(filled, largest);
	for (int i = 0; i < rounds; i++)
		round_of(&cold, &memory, filled, n_filled);
	print();
	return 0;
}
