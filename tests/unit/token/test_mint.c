#include "tests/unit/token/keys.h"
#include "tests/unit/token/suites.h"

#include "token/json.h"
#include "token/mint.h"
#include "token/verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECRET "0123456789abcdef0123456789abcdef"

static char *mint(const char *alg, struct span key)
{
	cleanup(json) json_t *claims = json_pack("{s:s, s:s, s:I, s:[s]}", "iss", "i", "aud", "us",
		"exp", (json_int_t)100, "groups", "g");
	struct token_mint order = {.alg = alg, .key = key, .kid = "k", .claims = claims};

	errno = 0;
	return token_mint(&order);
}

START_TEST(minted_verifies)
{
	/* Goal: what libjwt mints with RS* and ES*, our verifier accepts under the minted JWK. */
	static const enum token_alg ALGS[] = {
		TOKEN_RS256, TOKEN_RS384, TOKEN_RS512, TOKEN_ES256, TOKEN_ES384, TOKEN_ES512};
	static const char *const AUD[] = {"us"};
	enum token_alg alg = ALGS[_i];
	cleanup(token_ctx) struct token_ctx *ctx = token_ctx_new();
	cleanup(token_keyset) struct token_keyset *keys = test_keyset(test_key_of(alg), "k");
	cleanup(free) char *pem = test_key_pem(test_key_of(alg), true);
	cleanup(free) char *token = mint(token_alg_name(alg), span_of(pem));
	struct token_issuer issuer = {
		.rules = {.issuer = "i",
			.audiences = AUD,
			.n_audiences = 1,
			.algs = TOKEN_ALG_BIT(alg),
			.max_bytes = 8192},
		.keys = keys,
	};
	struct token_claims claims;

	ck_assert_ptr_nonnull(token);
	ASSERT_REASON(
		token_verify(ctx, &issuer, 1, span_of(token), 99, &claims, NULL), BASE_REASON_OK);
	ck_assert_str_eq(claims.kid, "k");
	ck_assert_uint_eq(json_array_size(json_object_get(claims.claims, "groups")), 1);
	token_claims_done(&claims);
}
END_TEST

START_TEST(hs_is_ours)
{
	/* Goal: HS256 with the operator's secret is the token that HMAC alone makes. */
	cleanup(free) char *token = mint("HS256", SPAN(SECRET));
	char *dot = strrchr(token, '.');
	cleanup(free) char *wrong = mint("HS256", SPAN(SECRET "x"));

	ck_assert_ptr_nonnull(dot);
	ck_assert_uint_eq(strlen(dot + 1), 43);
	ck_assert_str_ne(token, wrong);
}
END_TEST

START_TEST(refused)
{
	/* Goal: an unknown alg, none, and a key that does not fit are EINVAL. */
	cleanup(free) char *es256 = test_key_pem(test_key_of(TOKEN_ES256), true);
	cleanup(free) char *public = test_key_pem(test_key_of(TOKEN_ES256), false);
	const struct {
		const char *alg;
		struct span key;
	} CASES[] = {
		{"none", SPAN(SECRET)},
		{"hs256", SPAN(SECRET)},
		{"", SPAN(SECRET)},
		{"PS256", span_of(es256)},
		{"EdDSA", span_of(es256)},
		{"HS256", SPAN("")},
		{"RS256", span_of(es256)},
		{"ES384", span_of(es256)},
		{"ES256", span_of(public)},
		{"ES256", SPAN("no pem")},
	};

	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		ck_assert_ptr_null(mint(CASES[i].alg, CASES[i].key));
		ck_assert_int_eq(errno, EINVAL);
	}
}
END_TEST

START_TEST(jwk)
{
	/* Goal: private and public PEM give the same JWK, without a private member. */
	cleanup(free) char *private = test_key_pem(test_key_of(_i), true);
	cleanup(free) char *public = test_key_pem(test_key_of(_i), false);
	const char *alg = token_alg_name(_i);
	cleanup(json) json_t *a = token_mint_jwk(span_of(private), "k", alg);
	cleanup(json) json_t *b = token_mint_jwk(span_of(public), "k", alg);

	ck_assert(a && json_equal(a, b));
	ck_assert_ptr_null(json_object_get(a, "d"));
	ck_assert_ptr_null(token_mint_jwk(span_of(public), "k", "HS256"));
	ck_assert_ptr_null(token_mint_jwk(SPAN("rubbish"), "k", alg));
	ck_assert_ptr_null(token_mint_jwk(
		span_of(public), "k", token_alg_info(_i)->kty == TOKEN_KTY_EC ? "EdDSA" : "ES256"));
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

Suite *suite_mint(void)
{
	Suite *suite = suite_create("mint");
	TCase *tc = tcase_create("mint");

	tcase_add_loop_test(tc, minted_verifies, 0, 6);
	tcase_add_test(tc, hs_is_ours);
	tcase_add_test(tc, refused);
	tcase_add_loop_test(tc, jwk, 0, TOKEN_HS256);
	suite_add_tcase(suite, tc);
	return suite;
}
