#include "tests/unit/token/keys.h"
#include "tests/unit/token/suites.h"

#include "token/json.h"
#include "token/verify.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW      1800000000
#define GOOD_EXP "\"aud\":\"us\",\"exp\":1800000300"
#define A_CLAIMS "{\"iss\":\"https://a\",\"sub\":\"alice\"," GOOD_EXP "}"
#define B_CLAIMS "{\"iss\":\"https://b\",\"sub\":\"bob\"," GOOD_EXP "}"
#define KEY      test_key_of(TOKEN_ES256)
#define OTHER    other_key

static const char *const AUD[] = {"us"};
static struct token_ctx *ctx;
static struct test_key *other_key;
static struct token_issuer two[2];

static struct token_provider rules_of(const char *issuer)
{
	return (struct token_provider){.name = issuer,
		.issuer = issuer,
		.audiences = AUD,
		.n_audiences = 1,
		.algs = TOKEN_ALG_BIT(TOKEN_ES256) | TOKEN_ALG_BIT(TOKEN_RS256),
		.max_bytes = 8192};
}

/* Provider A has KEY under "ka", B has OTHER under "kb". */
static void setup(void)
{
	ctx = token_ctx_new();
	other_key = test_key_new(TOKEN_ES256);
	two[0] = (struct token_issuer){rules_of("https://a"), test_keyset(KEY, "ka")};
	two[1] = (struct token_issuer){rules_of("https://b"), test_keyset(OTHER, "kb")};
}

static void teardown(void)
{
	ck_assert_uint_eq(ERR_peek_error(), 0); /* row 39 */
	token_keyset_unref(two[0].keys);
	token_keyset_unref(two[1].keys);
	test_key_free(other_key);
	token_ctx_free(ctx);
}

/* Takes token. On a refusal the output must be untouched. */
static enum base_reason verify(char *token, struct token_claims *ret_claims)
{
	struct token_claims claims = {.exp = 77};
	enum base_reason reason = token_verify(ctx, two, 2, span_of(token), NOW, &claims, NULL);

	if (reason != BASE_REASON_OK)
		ck_assert(claims.exp == 77 && !claims.claims);
	else if (ret_claims)
		*ret_claims = claims;
	else
		token_claims_done(&claims);
	free(token);
	return reason;
}

static enum base_reason verify_a(const char *kid, const char *typ, const char *payload)
{
	return verify(test_token(KEY, kid, typ, payload), NULL);
}

START_TEST(good)
{
	/* Goal: a valid token of the second provider comes out whole. */
	struct token_claims claims;
	int hint = 77;
	cleanup(free) char *token = test_token(OTHER, "kb", "JWT", B_CLAIMS);

	ASSERT_REASON(
		token_verify(ctx, two, 2, span_of(token), NOW, &claims, &hint), BASE_REASON_OK);
	ck_assert_int_eq(hint, TOKEN_ES256);
	ck_assert_uint_eq(claims.issuer, 1);
	ck_assert(span_is(claims.sub, "bob") && span_is(claims.iss, "https://b"));
	ck_assert_str_eq(claims.kid, "kb");
	ck_assert_int_eq(claims.exp, NOW + 300);
	ck_assert_int_eq(claims.iat, 0);
	token_claims_done(&claims);
}
END_TEST

START_TEST(payload_reasons)
{
	/* Goal: each reason that a signed payload can give comes out of token_verify. */
	static const struct {
		const char *payload;
		enum base_reason want;
	} CASES[] = {
		{A_CLAIMS, BASE_REASON_OK},
		{"foo", BASE_REASON_CLAIMS_MALFORMED},
		{"{\"iss\":\"https://a\",\"iss\":\"https://a\"," GOOD_EXP "}",
			BASE_REASON_CLAIMS_MALFORMED},
		{"{\"iss\":\"https://a/\"," GOOD_EXP "}", BASE_REASON_ISSUER_MISMATCH},
		{"{\"iss\":\"HTTPS://A\"," GOOD_EXP "}", BASE_REASON_ISSUER_MISMATCH},
		{"{" GOOD_EXP "}", BASE_REASON_ISSUER_MISMATCH},
		{B_CLAIMS, BASE_REASON_ISSUER_MISMATCH}, /* row 24: A's key for B's name */
		{"{\"iss\":\"https://a\",\"aud\":\"them\",\"exp\":1800000300}",
			BASE_REASON_AUDIENCE_MISMATCH},
		{"{\"iss\":\"https://a\",\"exp\":1800000300}", BASE_REASON_AUDIENCE_MISMATCH},
		{"{\"iss\":\"https://a\",\"aud\":\"us\"}", BASE_REASON_EXPIRY_MISSING},
		{"{\"iss\":\"https://a\",\"aud\":\"us\",\"exp\":1800000000}", BASE_REASON_EXPIRED},
		{"{\"iss\":\"https://a\",\"nbf\":1800000001," GOOD_EXP "}",
			BASE_REASON_NOT_YET_VALID},
		{"{\"iss\":\"https://a\",\"iat\":1800000001," GOOD_EXP "}",
			BASE_REASON_ISSUED_IN_FUTURE},
		{"{\"iss\":\"https://a\",\"iat\":1700000000," GOOD_EXP "}",
			BASE_REASON_LIFETIME_TOO_LONG},
	};

	two[0].rules.max_lifetime_s = CASES[_i].want == BASE_REASON_LIFETIME_TOO_LONG ? 3600 : 0;
	ASSERT_REASON(verify_a("ka", NULL, CASES[_i].payload), CASES[_i].want);
	/* Nothing of it is told to who cannot sign: the same payload under a wrong key. */
	ASSERT_REASON(verify(test_token(OTHER, "ka", NULL, CASES[_i].payload), NULL),
		BASE_REASON_SIGNATURE_INVALID);
}
END_TEST

START_TEST(front_reasons)
{
	/* Goal: rows 1, 2, 6, 18 and 20: each reason of the front comes out, and hint_alg says -1. */
	static const struct {
		const char *header;
		enum base_reason want;
		int hint;
	} CASES[] = {
		{"{\"alg\":\"none\",\"kid\":\"ka\"}", BASE_REASON_ALG_NOT_ALLOWED, -1},
		{"{\"alg\":\"HS256\",\"kid\":\"ka\"}", BASE_REASON_ALG_NOT_ALLOWED, TOKEN_HS256},
		/* In the table, on nobody's list. */
		{"{\"alg\":\"PS256\",\"kid\":\"ka\"}", BASE_REASON_ALG_NOT_ALLOWED, TOKEN_PS256},
		/* On the list, and the kid's key is for another. */
		{"{\"alg\":\"RS256\",\"kid\":\"ka\"}", BASE_REASON_KEY_UNKNOWN, TOKEN_RS256},
		{"{\"alg\":\"ES256\",\"crit\":[\"exp\"]}", BASE_REASON_CRIT_UNSUPPORTED, -1},
		{"{\"alg\":\"ES256\",\"kid\":7}", BASE_REASON_HEADER_MALFORMED, -1},
		{"{\"alg\":\"ES256\",\"kid\":\"nobody's\"}", BASE_REASON_KEY_UNKNOWN, TOKEN_ES256},
		{"{\"alg\":\"ES256\",\"kid\":\"kb\"}", BASE_REASON_SIGNATURE_INVALID, TOKEN_ES256},
		{"{\"alg\":\"ES256\",\"kid\":\"ka\"}", BASE_REASON_OK, TOKEN_ES256},
	};
	cleanup(free) char *token = test_sign(KEY, CASES[_i].header, A_CLAIMS);
	struct token_claims claims = {0};
	int hint = 77;

	ASSERT_REASON(
		token_verify(ctx, two, 2, span_of(token), NOW, &claims, &hint), CASES[_i].want);
	ck_assert_int_eq(hint, CASES[_i].hint);
	token_claims_done(&claims);
}
END_TEST

START_TEST(shared_secret)
{
	/* Goal: rows 2 and 32: a provider with a secret takes HS256 under any kid, nothing else, and no other secret. */
	const struct test_key *key = test_key_of(TOKEN_HS256);

	token_keyset_unref(two[0].keys);
	two[0].keys = test_keyset(key, NULL);
	two[0].rules.algs = TOKEN_ALG_BIT(TOKEN_HS256);
	ASSERT_REASON(verify(test_token(key, NULL, NULL, A_CLAIMS), NULL), BASE_REASON_OK);
	ASSERT_REASON(verify(test_token(key, "any", NULL, A_CLAIMS), NULL), BASE_REASON_OK);
	ASSERT_REASON(verify(test_sign_hs256(SPAN("another secret of thirty-two byte"),
				     "{\"alg\":\"HS256\"}", A_CLAIMS),
			      NULL),
		BASE_REASON_SIGNATURE_INVALID);
	ASSERT_REASON(verify(test_token(test_key_of(TOKEN_HS384), NULL, NULL, A_CLAIMS), NULL),
		BASE_REASON_ALG_NOT_ALLOWED);
	/* The secret does not sign for the provider with a public key. */
	ASSERT_REASON(
		verify(test_token(key, "kb", NULL, B_CLAIMS), NULL), BASE_REASON_ISSUER_MISMATCH);
	ASSERT_REASON(verify_a("ka", NULL, A_CLAIMS), BASE_REASON_KEY_UNKNOWN);
}
END_TEST

START_TEST(shape_reasons)
{
	/* Goal: TOKEN_MALFORMED, TOKEN_ENCRYPTED and TOKEN_TOO_LARGE come out; a cap is the provider's. */
	cleanup(free) char *token = test_token(KEY, "ka", NULL, A_CLAIMS);
	size_t n = strlen(token);

	ASSERT_REASON(verify(strdup("a.b"), NULL), BASE_REASON_TOKEN_MALFORMED);
	ASSERT_REASON(verify(strdup("a.b.c.d.e"), NULL), BASE_REASON_TOKEN_ENCRYPTED);
	two[0].rules.max_bytes = n;
	ASSERT_REASON(verify(strdup(token), NULL), BASE_REASON_OK);
	two[0].rules.max_bytes = two[1].rules.max_bytes = n - 1;
	ASSERT_REASON(verify(strdup(token), NULL), BASE_REASON_TOKEN_TOO_LARGE);
	/* Still small enough for B, who has no such key. */
	two[1].rules.max_bytes = n;
	ASSERT_REASON(verify(strdup(token), NULL), BASE_REASON_KEY_UNKNOWN);
}
END_TEST

START_TEST(no_issuers)
{
	/* Goal: without any provider nothing is allowed. */
	cleanup(free) char *token = test_token(KEY, "ka", NULL, A_CLAIMS);
	struct token_claims claims;

	ASSERT_REASON(token_verify(ctx, NULL, 0, span_of(token), NOW, &claims, NULL),
		BASE_REASON_ALG_NOT_ALLOWED);
}
END_TEST

static const char *const AT_JWT[] = {"at+jwt", "jwt"};

START_TEST(typ_policy)
{
	/* Goal: row 25: a present typ must be on the list, an absent one only if the rules say so. */
	static const struct {
		const char *typ;
		size_t n_types;
		bool required;
		enum base_reason want;
	} CASES[] = {
		{NULL, 0, false, BASE_REASON_OK},
		{"anything", 0, false, BASE_REASON_OK},
		{NULL, 0, true, BASE_REASON_TYP_NOT_ALLOWED},
		{"anything", 0, true, BASE_REASON_OK},
		{NULL, 1, false, BASE_REASON_OK},
		{NULL, 1, true, BASE_REASON_TYP_NOT_ALLOWED},
		{"at+jwt", 1, true, BASE_REASON_OK},
		{"application/AT+JWT", 1, true, BASE_REASON_OK},
		{"JWT", 1, true, BASE_REASON_TYP_NOT_ALLOWED},
		{"JWT", 2, true, BASE_REASON_OK},
		{"logout+jwt", 2, false, BASE_REASON_TYP_NOT_ALLOWED},
		{"dpop+jwt", 2, false, BASE_REASON_TYP_NOT_ALLOWED},
	};

	two[0].rules.types = AT_JWT;
	two[0].rules.n_types = CASES[_i].n_types;
	two[0].rules.type_required = CASES[_i].required;
	ASSERT_REASON(verify_a("ka", CASES[_i].typ, A_CLAIMS), CASES[_i].want);
	/* Only after the signature: a stranger learns nothing of the policy. */
	ASSERT_REASON(verify(test_token(OTHER, "ka", CASES[_i].typ, A_CLAIMS), NULL),
		BASE_REASON_SIGNATURE_INVALID);
}
END_TEST

static void lose_keys(size_t i)
{
	token_keyset_unref(two[i].keys);
	two[i].keys = NULL;
}

START_TEST(keys_unavailable)
{
	/* Goal: while a provider has no keys, a token that may be its own is not called bad (401). */
	lose_keys(1);
	ASSERT_REASON(verify_a("ka", NULL, A_CLAIMS), BASE_REASON_OK);
	ASSERT_REASON(verify_a("kb", NULL, B_CLAIMS), BASE_REASON_KEYS_UNAVAILABLE);
	ASSERT_REASON(verify_a(NULL, NULL, A_CLAIMS), BASE_REASON_OK);
	/* The same kid at A and, who knows, at B. */
	ASSERT_REASON(verify(test_token(OTHER, "ka", NULL, B_CLAIMS), NULL),
		BASE_REASON_KEYS_UNAVAILABLE);
	/* A's key signed B's name: B may share A's keys. Another name is nobody's. */
	ASSERT_REASON(verify_a("ka", NULL, B_CLAIMS), BASE_REASON_KEYS_UNAVAILABLE);
	ASSERT_REASON(verify_a("ka", NULL, "{\"iss\":\"https://c\"}"), BASE_REASON_ISSUER_MISMATCH);
	/* B does not take the algorithm: its keys do not matter. */
	two[1].rules.algs = TOKEN_ALG_BIT(TOKEN_RS256);
	ASSERT_REASON(verify_a("kb", NULL, B_CLAIMS), BASE_REASON_KEY_UNKNOWN);
	lose_keys(0);
	ASSERT_REASON(verify_a("ka", NULL, A_CLAIMS), BASE_REASON_KEYS_UNAVAILABLE);
}
END_TEST

START_TEST(shared_kid_and_key)
{
	/* Goal: row 24: two providers with one kid, or with one key, are told apart. */
	struct token_claims claims;

	token_keyset_unref(two[1].keys);
	two[1].keys = test_keyset(OTHER, "ka");
	ASSERT_REASON(verify(test_token(OTHER, "ka", NULL, B_CLAIMS), &claims), BASE_REASON_OK);
	ck_assert_uint_eq(claims.issuer, 1);
	token_claims_done(&claims);
	ASSERT_REASON(
		verify(test_token(OTHER, "ka", NULL, A_CLAIMS), NULL), BASE_REASON_ISSUER_MISMATCH);

	token_keyset_unref(two[1].keys);
	two[1].keys = test_keyset(KEY, "ka");
	ASSERT_REASON(verify(test_token(KEY, "ka", NULL, B_CLAIMS), &claims), BASE_REASON_OK);
	ck_assert_uint_eq(claims.issuer, 1);
	token_claims_done(&claims);
}
END_TEST

/* A's set: n fresh ES256 keys, then KEY; all with this kid (or none). */
static void crowd(size_t n, const char *kid)
{
	json_t *keys = json_array();
	json_t *json = json_pack("{s:o}", "keys", keys);
	char *text;

	for (size_t i = 0; i < n; i++) {
		struct test_key *key = test_key_new(TOKEN_ES256);

		json_array_append_new(keys, test_key_jwk(key, kid));
		test_key_free(key);
	}
	json_array_append_new(keys, test_key_jwk(KEY, kid));
	text = json_dumps(json, 0);
	token_keyset_unref(two[0].keys);
	ck_assert_int_eq(
		token_keyset_parse(span_of(text), two[0].rules.algs, &two[0].keys, NULL), 0);
	free(text);
	json_decref(json);
}

START_TEST(many_keys)
{
	/* Goal: rows 29 and 31: at most four keys are tried, with a shared kid and without any. */
	crowd(TOKEN_KIDLESS_KEYS - 1, "k");
	ASSERT_REASON(verify_a("k", NULL, A_CLAIMS), BASE_REASON_OK);
	ASSERT_REASON(verify_a(NULL, NULL, A_CLAIMS), BASE_REASON_OK);
	crowd(TOKEN_KIDLESS_KEYS - 1, NULL);
	ASSERT_REASON(verify_a(NULL, NULL, A_CLAIMS), BASE_REASON_OK);
	crowd(TOKEN_KIDLESS_KEYS, "k");
	ASSERT_REASON(verify_a("k", NULL, A_CLAIMS), BASE_REASON_SIGNATURE_INVALID);
	lose_keys(1);
	two[1].rules.algs = 0;
	ASSERT_REASON(verify_a(NULL, NULL, A_CLAIMS), BASE_REASON_KEY_UNKNOWN);
}
END_TEST

START_TEST(hs_confusion)
{
	/* Goal: row 2: a token signed by HMAC with the public PEM is refused. */
	cleanup(free) char *pem = test_key_pem(test_key_of(TOKEN_RS256), false);

	token_keyset_unref(two[0].keys);
	two[0].keys = test_keyset(test_key_of(TOKEN_RS256), "ka");
	ASSERT_REASON(verify(test_sign_hs256(
				     span_of(pem), "{\"alg\":\"HS256\",\"kid\":\"ka\"}", A_CLAIMS),
			      NULL),
		BASE_REASON_ALG_NOT_ALLOWED);
	ASSERT_REASON(verify(test_sign_hs256(
				     span_of(pem), "{\"alg\":\"RS256\",\"kid\":\"ka\"}", A_CLAIMS),
			      NULL),
		BASE_REASON_SIGNATURE_INVALID);
}
END_TEST

START_TEST(embedded_jwk)
{
	/* Goal: row 5: a key that the token brings along verifies nothing. */
	cleanup(json) json_t *header = json_pack("{s:s, s:s, s:o, s:s}", "alg", "ES256", "kid",
		"ka", "jwk", test_key_jwk(OTHER, "ka"), "jku", "https://b/jwks");
	cleanup(free) char *text = json_dumps(header, 0);

	ASSERT_REASON(
		verify(test_sign(OTHER, text, A_CLAIMS), NULL), BASE_REASON_SIGNATURE_INVALID);
}
END_TEST

/* The reason when the allocations from the n-th on fail. */
static enum base_reason verify_without(long n, const char *token)
{
	struct token_claims claims = {0};
	enum base_reason reason;

	allocations_left = n;
	reason = token_verify(ctx, two, 1, span_of(token), NOW, &claims, NULL);
	allocations_left = -1;
	token_claims_done(&claims);
	return reason;
}

START_TEST(no_memory)
{
	/* Goal: promises 1 and 6: whichever allocation fails, a valid token is INTERNAL, never a 401. */
	static const enum token_alg ALGS[] = {TOKEN_ES256, TOKEN_RS256, TOKEN_PS256, TOKEN_EDDSA};
	const struct test_key *key = test_key_of(ALGS[_i]);
	cleanup(free) char *token =
		test_token(key, "a kid that is not so short", "at+jwt", A_CLAIMS);
	enum base_reason reason;
	long n = 0;

	token_keyset_unref(two[0].keys);
	two[0].keys = test_keyset(key, "a kid that is not so short");
	two[0].rules.algs = TOKEN_ALG_BIT(key->alg);
	/* What OpenSSL makes once and keeps is made now, or the first failure would last. */
	ASSERT_REASON(verify_without(-1, token), BASE_REASON_OK);
	do {
		reason = verify_without(n++, token);
		if (reason != BASE_REASON_OK)
			ck_assert_msg(reason == BASE_REASON_INTERNAL, "%s, allocation %ld: %s",
				token_alg_name(key->alg), n, base_reason_word(reason));
	} while (reason != BASE_REASON_OK && n < 10000);
	ASSERT_REASON(reason, BASE_REASON_OK);
	ck_assert_int_gt(n, 20);
}
END_TEST

Suite *suite_verify(void)
{
	Suite *suite = suite_create("verify");
	TCase *tc = tcase_create("verify");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, good);
	tcase_add_loop_test(tc, payload_reasons, 0, 14);
	tcase_add_test(tc, shared_secret);
	tcase_add_loop_test(tc, front_reasons, 0, 9);
	tcase_add_test(tc, shape_reasons);
	tcase_add_test(tc, no_issuers);
	tcase_add_loop_test(tc, typ_policy, 0, 12);
	tcase_add_test(tc, keys_unavailable);
	tcase_add_test(tc, shared_kid_and_key);
	tcase_add_test(tc, many_keys);
	tcase_add_test(tc, hs_confusion);
	tcase_add_test(tc, embedded_jwk);
	tcase_add_loop_test(tc, no_memory, 0, 4);
	suite_add_tcase(suite, tc);
	return suite;
}
