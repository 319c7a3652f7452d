/*
 * libjwt as a second opinion, here only: whatever we accept, jwt_decode with
 * the right PEM must accept too, but for one listed reason (typ). And what
 * it accepts and we refuse is pinned, so that nobody is tempted.
 */
#include "tests/unit/token/keys.h"
#include "tests/unit/token/suites.h"

#include "token/verify.h"

#include <jwt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLAIMS "{\"iss\":\"i\",\"aud\":\"us\",\"exp\":100,\"sub\":\"alice\"}"

static const char *const AUD[] = {"us"};

struct both {
	struct token_ctx *ctx;
	struct token_issuer issuer;
	char *pem;
	unsigned n_ours, n_theirs;
};

static struct both both_of(const struct test_key *key)
{
	return (struct both){
		.ctx = token_ctx_new(),
		.issuer = {.rules = {.issuer = "i",
				   .audiences = AUD,
				   .n_audiences = 1,
				   .algs = TOKEN_ALG_BIT(key->alg),
				   .max_bytes = 8192},
			.keys = test_keyset(key, "k")},
		.pem = test_key_pem(key, false),
	};
}

static void both_done(struct both *b)
{
	token_ctx_free(b->ctx);
	token_keyset_unref(b->issuer.keys);
	free(b->pem);
}

static bool ours(struct both *b, const char *token)
{
	struct token_claims claims = {0};
	bool ok = token_verify(b->ctx, &b->issuer, 1, span_of(token), 99, &claims, NULL) ==
		  BASE_REASON_OK;

	token_claims_done(&claims);
	b->n_ours += ok;
	return ok;
}

static bool theirs(struct both *b, const char *token)
{
	jwt_t *jwt = NULL;
	bool ok = !jwt_decode(&jwt, token, (const unsigned char *)b->pem, (int)strlen(b->pem));

	jwt_free(jwt);
	b->n_theirs += ok;
	return ok;
}

static void compare(struct both *b, const char *token)
{
	bool we = ours(b, token);
	bool they = theirs(b, token);

	ck_assert_msg(!we || they, "we accept, libjwt refuses: %s", token);
}

static const char *mutate(char *text, size_t size, const char *token, unsigned *seed)
{
	static const char BYTES[] = "ABCabc019-_=.+/ \n{}";
	size_t n = strlen(token);
	size_t at = (size_t)rand_r(seed) % n;
	char byte = BYTES[(size_t)rand_r(seed) % (sizeof(BYTES) - 1)];

	switch (rand_r(seed) % 3) {
	case 0:
		snprintf(text, size, "%.*s%c%s", (int)at, token, byte, token + at + 1);
		break;
	case 1:
		snprintf(text, size, "%.*s%c%s", (int)at, token, byte, token + at);
		break;
	default:
		snprintf(text, size, "%.*s%s", (int)at, token, token + at + 1);
		break;
	}
	return text;
}

START_TEST(mutants)
{
	/* Goal: over 1500 mutants per algorithm, nothing that we accept is refused by libjwt. */
	static const enum token_alg ALGS[] = {TOKEN_RS256, TOKEN_ES256, TOKEN_ES384};
	const struct test_key *key = test_key_of(ALGS[_i]);
	struct both b = both_of(key);
	cleanup(free) char *token = test_token(key, "k", "JWT", CLAIMS);
	unsigned seed = 20261123u + (unsigned)_i;
	char text[4096];

	compare(&b, token);
	ck_assert_uint_eq(b.n_ours, 1);
	ck_assert_uint_eq(b.n_theirs, 1);
	for (int i = 0; i < 1500; i++)
		compare(&b, mutate(text, sizeof(text), token, &seed));
	/* Their lenience with base64 shows: the comparison is not vacuous. */
	ck_assert_uint_gt(b.n_theirs, b.n_ours);
	/* A mutation may leave the token as it was, or it may not hold. */
	printf("differential %s: of 1501 we accept %u, libjwt %u\n", token_alg_name(key->alg),
		b.n_ours, b.n_theirs);
	fflush(stdout);
	both_done(&b);
}
END_TEST

START_TEST(mutated_json)
{
	/* Goal: signed tokens with odd headers and payloads: the same one-sided agreement. */
	static const char *const HEADERS[] = {
		"{\"alg\":\"ES256\",\"kid\":\"k\"}",
		"{\"alg\":\"ES256\"}",
		"{\"alg\":\"ES256\",\"typ\":\"JWT\",\"x\":[1,{\"y\":2.5}]}",
		"{\"alg\":\"ES256\",\"typ\":\"jwt\"}",
		"{\"alg\":\"ES256\",\"alg\":\"ES256\"}",
		"{\"alg\":\"ES256\",\"crit\":[\"b64\"],\"b64\":false}",
		"{\"alg\":\"es256\"}",
		"{\"alg\":\"none\"}",
	};
	static const char *const PAYLOADS[] = {
		CLAIMS,
		"{\"iss\":\"i\",\"aud\":[\"us\",\"x\"],\"exp\":100.5}",
		"{\"iss\":\"i\",\"aud\":\"us\",\"exp\":\"100\"}",
		"{\"iss\":\"i\",\"aud\":\"us\",\"exp\":100,\"sub\":\"a\",\"sub\":\"b\"}",
		"[1,2]",
		CLAIMS " ",
	};
	const struct test_key *key = test_key_of(TOKEN_ES256);
	struct both b = both_of(key);

	for (size_t h = 0; h < sizeof(HEADERS) / sizeof(HEADERS[0]); h++)
		for (size_t p = 0; p < sizeof(PAYLOADS) / sizeof(PAYLOADS[0]); p++) {
			cleanup(free) char *token = test_sign(key, HEADERS[h], PAYLOADS[p]);

			compare(&b, token);
		}
	ck_assert_uint_eq(b.n_ours, 4 * 3);
	ck_assert_uint_gt(b.n_theirs, b.n_ours);
	both_done(&b);
}
END_TEST

START_TEST(typ_exception)
{
	/* Goal: the one listed exception is one: RFC 9068's typ, which libjwt 1.10 refuses. */
	const struct test_key *key = test_key_of(TOKEN_ES256);
	struct both b = both_of(key);
	cleanup(free) char *token = test_token(key, "k", "at+jwt", CLAIMS);

	ck_assert(ours(&b, token));
	ck_assert_msg(!theirs(&b, token), "at+jwt is no exception any more");
	both_done(&b);
}
END_TEST

START_TEST(what_they_accept)
{
	/* Goal: why libjwt never decodes a stranger's bytes: it accepts these, and we do not. */
	const struct test_key *rsa = test_key_of(TOKEN_RS256);
	struct both b = both_of(rsa);
	cleanup(free) char *good = test_token(rsa, "k", "JWT", CLAIMS);
	cleanup(free) char *hs = test_sign_hs256(
		span_of(b.pem), "{\"alg\":\"HS256\",\"kid\":\"k\",\"typ\":\"JWT\"}", CLAIMS);
	cleanup(free) char *array = test_token(rsa, "k", "JWT", "[1,2]");
	cleanup(free) char *padded = NULL;

	ck_assert_int_gt(asprintf(&padded, "%s!!!!", good), 0);
	ck_assert(theirs(&b, hs) && !ours(&b, hs));
	ck_assert(theirs(&b, array) && !ours(&b, array));
	ck_assert(theirs(&b, padded) && !ours(&b, padded));
	both_done(&b);
}
END_TEST

Suite *suite_differential(void)
{
	Suite *suite = suite_create("differential");
	TCase *tc = tcase_create("differential");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, mutants, 0, 3);
	tcase_add_test(tc, mutated_json);
	tcase_add_test(tc, typ_exception);
	tcase_add_test(tc, what_they_accept);
	suite_add_tcase(suite, tc);
	return suite;
}
