#include "tests/unit/token/keys.h"
#include "tests/unit/token/suites.h"

#include "token/verify.h"

#include <pthread.h>
#include <stdlib.h>

#define ROUNDS 200

struct job {
	const struct token_issuer *issuer;
	const char *token;
	unsigned n_ok;
};

static void *work(void *arg)
{
	struct job *job = arg;
	struct token_ctx *ctx = token_ctx_new();

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct token_issuer mine = {
			job->issuer->rules, token_keyset_ref(job->issuer->keys)};
		struct token_claims claims = {0};

		job->n_ok += token_verify(ctx, &mine, 1, span_of(job->token), 10, &claims, NULL) ==
			     BASE_REASON_OK;
		token_claims_done(&claims);
		token_keyset_unref(mine.keys);
	}
	token_ctx_free(ctx);
	token_keyset_unref(job->issuer->keys);
	return NULL;
}

START_TEST(two_threads)
{
	/* Goal: two threads verify under one set, and the last of them to let go frees it. */
	static const enum token_alg ALGS[] = {TOKEN_RS256, TOKEN_ES256, TOKEN_EDDSA};
	static const char *const AUD[] = {"us"};
	enum token_alg alg = ALGS[_i];
	struct token_issuer issuer = {
		.rules = {.issuer = "i",
			.audiences = AUD,
			.n_audiences = 1,
			.algs = TOKEN_ALG_BIT(alg),
			.max_bytes = 8192},
		.keys = test_keyset(test_key_of(alg), "k"),
	};
	cleanup(free) char *token = test_token(
		test_key_of(alg), "k", NULL, "{\"iss\":\"i\",\"aud\":\"us\",\"exp\":11}");
	struct job jobs[2] = {{&issuer, token, 0}, {&issuer, token, 0}};
	pthread_t threads[2];

	token_keyset_ref(issuer.keys);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(jobs[0].n_ok, ROUNDS);
	ck_assert_uint_eq(jobs[1].n_ok, ROUNDS);
}
END_TEST

Suite *suite_threads(void)
{
	Suite *suite = suite_create("threads");
	TCase *tc = tcase_create("threads");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, two_threads, 0, 3);
	suite_add_tcase(suite, tc);
	return suite;
}
