/*
 * A second verifier over mutated tokens, for every algorithm that both know:
 * nothing that we accept may be refused by it, unless it is listed here with
 * a reason.
 */
#include "tests/unit/token/keys.h"
#include "tests/unit/token/oracle.h"
#include "tests/unit/token/suites.h"

#include "token/json.h"
#include "token/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLAIMS  "{\"iss\":\"i\",\"aud\":\"us\",\"exp\":100,\"sub\":\"alice\"}"
#define MUTANTS 250

static const char *const AUD[] = {"us"};

/* Not listed: TOKEN_ED25519, a name of RFC 9864 that jwcrypto 1.1 does not know. */
static const enum token_alg ALGS[] = {TOKEN_RS256, TOKEN_RS384, TOKEN_RS512, TOKEN_PS256,
	TOKEN_PS384, TOKEN_PS512, TOKEN_ES256, TOKEN_ES384, TOKEN_ES512, TOKEN_EDDSA};

static struct token_ctx *ctx;
static struct oracle *oracle;
static struct token_issuer issuer;
static char *jwks;
static const char *alg;
static unsigned n_ours, n_theirs, n_asked;

static void start(const struct test_key *key)
{
	ctx = token_ctx_new();
	oracle = oracle_start();
	jwks = test_jwks(test_key_jwk(key, "k"), NULL);
	alg = token_alg_name(key->alg);
	issuer = (struct token_issuer){.rules = {.issuer = "i",
					       .audiences = AUD,
					       .n_audiences = 1,
					       .algs = TOKEN_ALG_BIT(key->alg),
					       .max_bytes = 8192},
		.keys = test_keyset(key, "k")};
	n_ours = n_theirs = n_asked = 0;
}

static void stop(void)
{
	oracle_stop(oracle);
	token_ctx_free(ctx);
	token_keyset_unref(issuer.keys);
	free(jwks);
}

static void compare(const char *token)
{
	struct token_claims claims = {0};
	bool we =
		token_verify(ctx, &issuer, 1, span_of(token), 99, &claims, NULL) == BASE_REASON_OK;
	bool they = oracle_accepts(oracle, token, jwks, alg);

	token_claims_done(&claims);
	n_asked++;
	n_ours += we;
	n_theirs += they;
	ck_assert_msg(!we || they, "we accept, jwcrypto refuses: %s", token);
}

/* One byte changed, put in or taken out. */
static void mutate(char *text, size_t size, const char *token, unsigned *seed)
{
	static const char BYTES[] = "ABCabc019-_=.+/ {}";
	size_t at = (size_t)rand_r(seed) % strlen(token);
	char byte = BYTES[(size_t)rand_r(seed) % (sizeof(BYTES) - 1)];
	int kind = rand_r(seed) % 3;

	snprintf(text, size, "%.*s%.*s%s", (int)at, token, kind != 2, &byte,
		token + at + (kind != 1));
}

/* With the algorithm in place of ALG. */
static char *header_of(const char *pattern)
{
	const char *at = strstr(pattern, "ALG");
	char *text = NULL;

	if (!at)
		return strdup(pattern);
	ck_assert_int_gt(asprintf(&text, "%.*s%s%s", (int)(at - pattern), pattern, alg, at + 3), 0);
	return text;
}

static const char *const HEADERS[] = {
	"{\"alg\":\"ALG\",\"kid\":\"k\"}",
	"{\"alg\":\"ALG\"}",
	"{\"alg\":\"ALG\",\"kid\":\"k\",\"typ\":\"at+jwt\",\"x\":[1,{\"y\":2.5}]}",
	"{\"alg\":\"ALG\",\"kid\":\"other\"}",
	"{\"alg\":\"ALG\",\"kid\":\"k\",\"kid\":\"k\"}",
	"{\"alg\":\"ALG\",\"kid\":\"k\",\"crit\":[\"exp\"],\"exp\":1}",
	"{\"alg\":\"ALG\",\"kid\":\"k\",\"b64\":true}",
	"{\"alg\":\"none\",\"kid\":\"k\"}",
	"{\"alg\":\"HS256\",\"kid\":\"k\"}",
	"{\"kid\":\"k\"}",
};

START_TEST(mutants)
{
	/* Goal: rows 1 to 20, for each algorithm: nothing that we accept is refused by jwcrypto. */
	const struct test_key *key = test_key_of(ALGS[_i]);
	cleanup(free) char *token = test_token(key, "k", "JWT", CLAIMS);
	unsigned seed = 20261125u + (unsigned)_i;
	char text[4096];

	start(key);
	compare(token);
	ck_assert(n_ours == 1 && n_theirs == 1);
	for (int i = 0; i < MUTANTS; i++) {
		mutate(text, sizeof(text), token, &seed);
		compare(text);
	}
	for (size_t i = 0; i < sizeof(HEADERS) / sizeof(HEADERS[0]); i++) {
		cleanup(free) char *header = header_of(HEADERS[i]);
		cleanup(free) char *odd = test_sign(key, header, CLAIMS);

		compare(odd);
	}
	/* What follows the signature's bits is padding to them and a mistake to us. */
	ck_assert_uint_gt(n_theirs, n_ours);
	ck_assert_uint_ge(n_ours, 4);
	printf("oracle %s: of %u we accept %u, jwcrypto %u\n", alg, n_asked, n_ours, n_theirs);
	fflush(stdout);
	stop();
}
END_TEST

START_TEST(bites)
{
	/* Goal: the oracle is no rubber stamp: another key's token, and no token, are refused. */
	struct test_key *other = test_key_new(TOKEN_ES256);
	cleanup(free) char *token = test_token(other, "k", "JWT", CLAIMS);

	start(test_key_of(TOKEN_ES256));
	ck_assert(!oracle_accepts(oracle, token, jwks, alg));
	ck_assert(!oracle_accepts(oracle, "x", jwks, alg));
	ck_assert(!oracle_accepts(oracle, "", jwks, alg));
	stop();
	test_key_free(other);
}
END_TEST

Suite *suite_oracle(void)
{
	Suite *suite = suite_create("oracle");
	TCase *tc = tcase_create("oracle");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, mutants, 0, sizeof(ALGS) / sizeof(ALGS[0]));
	tcase_add_test(tc, bites);
	suite_add_tcase(suite, tc);
	return suite;
}
