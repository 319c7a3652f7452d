#include "tests/unit/token/keys.h"
#include "tests/unit/token/suites.h"

#include "token/json.h"
#include "token/jws.h"
#include "token/signer.h"
#include "token/verify.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static const enum token_alg ALGS[] = {TOKEN_ES256, TOKEN_EDDSA};

static json_t *claims_of(const char *sub)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:I}", "iss", "https://edge", "aud", "us", "sub",
		sub, "iat", (json_int_t)1800000000, "exp", (json_int_t)1800000300);
}

/* Does our own strict verifier take it, with the key that the signer publishes? */
static bool verifies(const struct token_signer *signer, const char *token)
{
	static const char *const AUD[] = {"us"};
	static const char *const TYP[] = {"test+jwt"};
	struct token_ctx *ctx = token_ctx_new();
	char *set = test_jwks(token_signer_jwk(signer), NULL);
	struct token_issuer issuer = {.rules = {.issuer = "https://edge",
					      .audiences = AUD,
					      .n_audiences = 1,
					      .types = TYP,
					      .n_types = 1,
					      .type_required = true,
					      .algs = TOKEN_ALG_BIT(token_signer_alg(signer)),
					      .max_bytes = 8192}};
	struct token_claims claims = {0};
	bool good;

	ck_assert_int_eq(
		token_keyset_parse(span_of(set), issuer.rules.algs, &issuer.keys, NULL), 0);
	good = token_verify(ctx, &issuer, 1, span_of(token), 1800000000, &claims, NULL) ==
	       BASE_REASON_OK;
	ck_assert(!good || !strcmp(claims.kid, token_signer_kid(signer)));
	token_claims_done(&claims);
	token_keyset_unref(issuer.keys);
	token_ctx_free(ctx);
	free(set);
	return good;
}

START_TEST(signs)
{
	/* Goal: what we sign, our verifier accepts under the published key, and no other key's. */
	cleanup(token_signer) struct token_signer *signer = NULL;
	cleanup(token_signer) struct token_signer *other = NULL;
	cleanup(json) json_t *claims = claims_of("a");

	ck_assert_int_eq(token_signer_new(ALGS[_i], &signer), 0);
	ck_assert_int_eq(token_signer_new(ALGS[_i], &other), 0);
	ck_assert_str_ne(token_signer_kid(signer), token_signer_kid(other));
	for (int i = 0; i < 300; i++) { /* r and s with leading zeros, too */
		cleanup(free) char *token = token_signer_sign(signer, "test+jwt", claims);

		ck_assert(verifies(signer, token));
		ck_assert(!verifies(other, token));
	}
}
END_TEST

START_TEST(kept)
{
	/* Goal: a key that was stored and loaded again is the same key; another's bytes are not. */
	cleanup(token_signer) struct token_signer *signer = NULL;
	cleanup(token_signer) struct token_signer *again = NULL;
	cleanup(json) json_t *claims = claims_of("a");
	unsigned char buf[TOKEN_SIGNER_DER_MAX];
	struct span der;

	ck_assert_int_eq(token_signer_new(ALGS[_i], &signer), 0);
	ck_assert_int_eq(token_signer_der(signer, buf, &der), 0);
	ck_assert_int_eq(token_signer_load(ALGS[1 - _i], der, &again), -EINVAL);
	for (size_t n = 0; n < der.n; n++)
		ck_assert_int_eq(
			token_signer_load(ALGS[_i], (struct span){der.p, n}, &again), -EINVAL);
	ck_assert_ptr_null(again);
	ck_assert_int_eq(token_signer_load(ALGS[_i], der, &again), 0);
	ck_assert_str_eq(token_signer_kid(signer), token_signer_kid(again));
	cleanup(free) char *token = token_signer_sign(again, "test+jwt", claims);

	ck_assert(verifies(signer, token));
}
END_TEST

START_TEST(refused)
{
	/* Goal: only the algorithms that we sign with; the published JWK holds nothing private. */
	struct token_signer *signer = NULL;
	cleanup(json) json_t *jwk = NULL;

	for (unsigned alg = 0; alg < TOKEN_ALGS; alg++)
		if (alg != TOKEN_ES256 && alg != TOKEN_EDDSA)
			ck_assert_int_eq(token_signer_new((enum token_alg)alg, &signer), -EINVAL);
	ck_assert_int_eq(token_signer_new(ALGS[_i], &signer), 0);
	jwk = token_signer_jwk(signer);
	ck_assert_ptr_null(json_object_get(jwk, "d"));
	ck_assert_str_eq(json_string_value(json_object_get(jwk, "kid")), token_signer_kid(signer));
	token_signer_free(signer);
}
END_TEST

struct many {
	const struct token_signer *signer;
	atomic_uint n;
};

static void *sign_many(void *arg)
{
	struct many *many = arg;
	cleanup(json) json_t *claims = claims_of("t");

	for (int i = 0; i < 100; i++) {
		cleanup(free) char *token = token_signer_sign(many->signer, "test+jwt", claims);

		many->n += verifies(many->signer, token);
	}
	return NULL;
}

START_TEST(threads)
{
	/* Goal: one key signs for several threads at once. */
	struct token_signer *signer = NULL;
	struct many many = {0};
	pthread_t ids[3];

	ck_assert_int_eq(token_signer_new(ALGS[_i], &signer), 0);
	many.signer = signer;
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&ids[i], NULL, sign_many, &many), 0);
	for (size_t i = 0; i < 3; i++)
		pthread_join(ids[i], NULL);
	ck_assert_uint_eq(many.n, 300);
	token_signer_free(signer);
}
END_TEST

Suite *suite_signer(void)
{
	Suite *suite = suite_create("signer");
	TCase *tcase = tcase_create("signer");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, signs, 0, 2);
	tcase_add_loop_test(tcase, kept, 0, 2);
	tcase_add_loop_test(tcase, refused, 0, 2);
	tcase_add_loop_test(tcase, threads, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}
