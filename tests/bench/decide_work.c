#include "tests/bench/decide_work.h"
#include "tests/bench/issuer.h"
#include "tests/bench/machine.h"
#include "tests/bench/traffic.h"

#include "spoa/answer.h"
#include "spoa/decide.h"
#include "spop/frame.h"

#include <stdlib.h>
#include <string.h>

static struct spoa_snapshot *snapshot;
static struct base_now now;
static const enum token_alg ALGS[] = {TOKEN_RS256, TOKEN_ES256};
#define N_ALGS ARRAY_SIZE(ALGS)
_Static_assert(N_ALGS == BENCH_WORK_ALGS, "as many as announced");
static char *tokens[N_ALGS][BENCH_WORK_TOKENS];
static struct bench_traffic traffic; /* NOTIFYs with the second algorithm's */

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
		for (size_t i = 0; i < BENCH_WORK_TOKENS; i++)
			tokens[a][i] =
				bench_token(test_key_of(ALGS[a]), i, base_clock_wall_s(&now));
	for (size_t i = 0; i < BENCH_WORK_TOKENS; i++)
		bench_traffic_add(&traffic, span_of(tokens[1][i]), (struct span){0});
}

void bench_work_decide(struct spoa_state *state, struct span token, bool remembered)
{
	const struct spoa_request request = {.token = token, .scheme = SPAN("Bearer")};
	struct spoa_decision decision;
	struct spoa_need need;

	if (!spoa_decide(snapshot, state, &request, now.mono_ns, &now, &need, &decision) ||
		decision.verdict != SPOA_ALLOW || decision.remembered != remembered)
		bench_die("a decision is not what it should be: %s",
			base_reason_word(decision.reason));
}

void bench_work_start(void)
{
	base_clock_now(&now);
	make_snapshot();
	make_tokens();
}

struct span bench_work_token(size_t alg, size_t i)
{
	return span_of(tokens[alg][i % BENCH_WORK_TOKENS]);
}

const struct test_key *bench_work_key(size_t alg)
{
	return test_key_of(ALGS[alg]);
}

struct span bench_work_numbered(size_t i, char *buf)
{
	static const char DIGITS[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t n = strlen(tokens[1][0]);

	for (size_t d = 0; d < 5; d++, i >>= 6)
		buf[n - 20 + d] = DIGITS[i & 63];
	return (struct span){buf, n};
}

void bench_work_fill(struct spoa_state *state, size_t n, char *buf)
{
	bench_work_decide(state, span_of(tokens[1][0]), false);
	memcpy(buf, tokens[1][0], strlen(tokens[1][0]) + 1);
	for (size_t i = 0; i < n; i++) {
		uint8_t key[TOKEN_HASH_BYTES];

		token_hash_of(bench_work_numbered(i, buf), key);
		spoa_cache_put(state->cache, key, state->fresh);
	}
	if (spoa_cache_use(state->cache).entries <= n)
		bench_die("%zu tokens do not fit", n);
}

void bench_work_answer(struct spoa_state *state, size_t i)
{
	struct span payload = bench_traffic_payload(&traffic, i % BENCH_WORK_TOKENS);
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

void bench_work_warm_up(struct spoa_state *state)
{
	for (size_t i = 0; i < 3 * BENCH_WORK_TOKENS; i++)
		bench_work_answer(state, i);
}

void bench_work_init(struct spoa_state *state, size_t cache_bytes)
{
	if (spoa_state_init(state, cache_bytes))
		bench_die("out of memory");
}

void bench_work_forget_bytes(struct spoa_state *state)
{
	spoa_memo_free(state->memo);
	state->memo = spoa_memo_new(0);
	if (!state->memo)
		bench_die("out of memory");
}
