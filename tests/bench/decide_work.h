/*
 * What bench_decide measures: decisions about real tokens, under a snapshot
 * that all threads share. Each function ends the program when a decision is
 * not what it should be.
 */
#ifndef BENCH_DECIDE_WORK_H
#define BENCH_DECIDE_WORK_H

#include "spoa/state.h"
#include "tests/unit/token/keys.h"

#define BENCH_WORK_TOKENS 512 /* of each algorithm, signed for real */
#define BENCH_WORK_ALGS   2   /* RS256, ES256 */

/* Keys, tokens, configuration. First of all. */
void bench_work_start(void);

struct span bench_work_token(size_t alg, size_t i);
const struct test_key *bench_work_key(size_t alg);

void bench_work_init(struct spoa_state *state, size_t cache_bytes);

/* From now on every token is looked up by its hash, as those are that do not come often. */
void bench_work_forget_bytes(struct spoa_state *state);

void bench_work_decide(struct spoa_state *state, struct span token, bool remembered);

/* NOTIFY number i, with an ES256 token: its payload to the bytes of its ACK. */
void bench_work_answer(struct spoa_state *state, size_t i);

/* All NOTIFYs' tokens are verified, remembered, and then known by their bytes. */
void bench_work_warm_up(struct spoa_state *state);

/* Token number i of any number, in buf: a real one whose signature is changed. */
struct span bench_work_numbered(size_t i, char *buf);

/* Remembers n of those as if each had been verified, with the caller of a real one. */
void bench_work_fill(struct spoa_state *state, size_t n, char *buf);

#endif
