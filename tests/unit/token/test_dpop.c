#include "tests/unit/token/keys.h"
#include "tests/unit/token/suites.h"

#include "token/dpop.h"
#include "token/json.h"
#include "token/thumbprint.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW   1800000000
#define TOKEN "a.b.c"

static struct token_ctx *ctx;
static char jkt[TOKEN_THUMBPRINT_CHARS + 1];

static void bind_to(const struct test_key *key)
{
	cleanup(json) json_t *jwk = test_key_jwk(key, NULL);

	ck_assert_int_eq(token_thumbprint(jwk, jkt), 0);
}

static void setup(void)
{
	ctx = token_ctx_new();
	bind_to(test_key_of(TOKEN_ES256));
}

static void teardown(void)
{
	ck_assert_uint_eq(ERR_peek_error(), 0); /* row 39 */
	token_ctx_free(ctx);
}

static struct token_dpop_request request(void)
{
	return (struct token_dpop_request){
		.method = SPAN("GET"),
		.address = {.https = true, .host = SPAN("api.example.com"), .path = SPAN("/x")},
		.token = SPAN(TOKEN),
		.jkt = span_of(jkt),
		.max_age_s = 60,
		.leeway_s = 5,
	};
}

static json_t *header_of(const struct test_key *key)
{
	return json_pack("{s:s, s:s, s:o}", "typ", "dpop+jwt", "alg", token_alg_name(key->alg),
		"jwk", test_key_jwk(key, NULL));
}

static json_t *claims_of(const char *token)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	cleanup(free) char *ath = NULL;

	SHA256((const unsigned char *)token, strlen(token), hash);
	ath = test_b64((struct span){(char *)hash, sizeof(hash)});
	return json_pack("{s:s, s:s, s:s, s:I, s:s}", "jti", "one", "htm", "GET", "htu",
		"https://api.example.com/x?q", "iat", (json_int_t)NOW, "ath", ath);
}

/* Takes header and claims; the proof (malloc). */
static char *sign(const struct test_key *key, json_t *header, json_t *claims)
{
	cleanup(json) json_t *h = header;
	cleanup(json) json_t *c = claims;
	cleanup(free) char *ht = json_dumps(h, JSON_COMPACT);
	cleanup(free) char *ct = json_dumps(c, JSON_COMPACT);

	return test_sign(key, ht, ct);
}

/* Takes proof. A refusal leaves the output alone and says why. */
static enum base_reason check(char *proof, const struct token_dpop_request *r,
	struct token_dpop *ret, const char **ret_why)
{
	struct token_dpop got = {.iat = 77};
	const char *why = NULL;
	size_t n = strlen(proof);
	enum base_reason reason =
		token_dpop_check(ctx, (struct span){guarded(proof, n), n}, r, NOW, &got, &why);

	free(proof);
	if (reason == BASE_REASON_OK)
		ck_assert(got.iat != 77);
	else
		ck_assert(got.iat == 77);
	ck_assert_int_eq(reason == BASE_REASON_DPOP_INVALID, why != NULL);
	if (ret)
		*ret = got;
	if (ret_why)
		*ret_why = why;
	return reason;
}

static enum base_reason check_plain(char *proof)
{
	struct token_dpop_request r = request();

	return check(proof, &r, NULL, NULL);
}

START_TEST(good)
{
	/* Goal: row 33: a proof of every algorithm is accepted; jkt and jti name it. */
	const struct test_key *key = test_key_of((enum token_alg)_i);
	struct token_dpop one, two;
	struct token_dpop_request r;
	json_t *claims = claims_of(TOKEN);

	bind_to(key);
	r = request();
	ASSERT_REASON(check(sign(key, header_of(key), json_incref(claims)), &r, &one, NULL),
		BASE_REASON_OK);
	ck_assert_int_eq(one.iat, NOW);
	ck_assert_str_eq(one.nonce, "");
	json_object_set_new(claims, "jti", json_string("two"));
	json_object_set_new(claims, "nonce", json_string("n"));
	ASSERT_REASON(check(sign(key, header_of(key), claims), &r, &two, NULL), BASE_REASON_OK);
	ck_assert_str_eq(two.nonce, "n");
	ck_assert_int_ne(memcmp(one.id, two.id, sizeof(one.id)), 0);
}
END_TEST

/* A member of header or claims, as JSON; NULL: left out. */
struct change {
	const char *name, *json, *why;
};

static void apply(json_t *object, const struct change *change)
{
	if (change->json)
		json_object_set_new(
			object, change->name, json_loads(change->json, JSON_DECODE_ANY, NULL));
	else
		json_object_del(object, change->name);
}

static const struct change HEADERS[] = {
	{"typ", "\"JWT\"", "typ is not dpop+jwt"},
	{"typ", "\"at+jwt\"", "typ is not dpop+jwt"},
	{"typ", NULL, "typ is not dpop+jwt"},
	{"alg", "\"none\"", "not a compact JWS with an asymmetric alg"},
	{"alg", "\"HS256\"", "not a compact JWS with an asymmetric alg"},
	{"alg", "\"ES384\"", "the jwk is no public key for its alg"},
	{"alg", "\"RS256\"", "the jwk is no public key for its alg"},
	{"crit", "[\"x\"]", "not a compact JWS with an asymmetric alg"},
	{"jwk", NULL, "the header has no jwk"},
	{"jwk", "\"x\"", "the header has no jwk"},
	{"jwk", "{}", "the token is bound to another key"},
	{"jwk", "{\"kty\":\"oct\",\"k\":\"AAAA\"}", "the token is bound to another key"},
};

START_TEST(header)
{
	/* Goal: row 33: what the header must say, and row 5: a jwk is believed only here. */
	const struct test_key *key = test_key_of(TOKEN_ES256);
	struct token_dpop_request r = request();
	json_t *h = header_of(key);
	const char *why;

	apply(h, &HEADERS[_i]);
	ASSERT_REASON(
		check(sign(key, h, claims_of(TOKEN)), &r, NULL, &why), BASE_REASON_DPOP_INVALID);
	ck_assert_str_eq(why, HEADERS[_i].why);
}
END_TEST

static const struct change CLAIMS[] = {
	{"jti", NULL, "jti or iat is missing"},
	{"iat", NULL, "jti or iat is missing"},
	{"jti", "\"\"", "the claims are not strict JSON or have a wrong type"},
	{"jti", "7", "the claims are not strict JSON or have a wrong type"},
	{"iat", "\"1800000000\"", "the claims are not strict JSON or have a wrong type"},
	{"htm", NULL, "htm is another method"},
	{"htm", "\"POST\"", "htm is another method"},
	{"htm", "\"get\"", "htm is another method"},
	{"htu", NULL, "htu is another address"},
	{"htu", "\"https://api.example.com/y\"", "htu is another address"},
	{"htu", "\"http://api.example.com/x\"", "htu is another address"},
	{"htu", "[\"https://api.example.com/x\"]", "htu is another address"},
	{"iat", "1800000006", "iat is in the future"},
	{"iat", "1799999939", "the proof is too old"},
	{"ath", NULL, "ath is not this token's"},
	{"ath", "\"\"", "ath is not this token's"},
	{"ath", "\"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU\"", "ath is not this token's"},
	/* Within the window. */
	{"iat", "1800000005", NULL},
	{"iat", "1799999940", NULL},
	{"unknown", "{}", NULL},
};

START_TEST(claims)
{
	/* Goal: row 33: htm, htu, iat, ath and jti, each alone. */
	const struct test_key *key = test_key_of(TOKEN_ES256);
	struct token_dpop_request r = request();
	json_t *c = claims_of(TOKEN);
	const char *why;

	apply(c, &CLAIMS[_i]);
	ASSERT_REASON(check(sign(key, header_of(key), c), &r, NULL, &why),
		CLAIMS[_i].why ? BASE_REASON_DPOP_INVALID : BASE_REASON_OK);
	if (CLAIMS[_i].why)
		ck_assert_str_eq(why, CLAIMS[_i].why);
}
END_TEST

START_TEST(wrong_key)
{
	/* Goal: another key's proof, a borrowed jwk, and a private jwk are refused. */
	const struct test_key *key = test_key_of(TOKEN_ES256);
	struct test_key *other = test_key_new(TOKEN_ES256);
	struct token_dpop_request r = request();
	json_t *h = header_of(key);
	const char *why;

	ASSERT_REASON(check(sign(other, header_of(other), claims_of(TOKEN)), &r, NULL, &why),
		BASE_REASON_DPOP_INVALID);
	ck_assert_str_eq(why, "the token is bound to another key");
	ASSERT_REASON(check(sign(other, json_incref(h), claims_of(TOKEN)), &r, NULL, &why),
		BASE_REASON_DPOP_INVALID);
	ck_assert_str_eq(why, "the signature does not verify");
	json_object_set_new(json_object_get(h, "jwk"), "d", json_string("AAAA"));
	ASSERT_REASON(
		check(sign(key, h, claims_of(TOKEN)), &r, NULL, &why), BASE_REASON_DPOP_INVALID);
	ck_assert_str_eq(why, "the jwk holds a private key");
	test_key_free(other);
}
END_TEST

START_TEST(mutations)
{
	/* Goal: no prefix of a proof is one, none with a byte changed, nor two in one field. */
	const struct test_key *key = test_key_of(TOKEN_ES256);
	cleanup(free) char *proof = sign(key, header_of(key), claims_of(TOKEN));
	char *two = NULL;
	size_t n = strlen(proof);

	for (size_t i = 0; i < n; i++) {
		char *copy = strndup(proof, i);

		if (check_plain(copy) != BASE_REASON_DPOP_INVALID)
			ck_abort_msg("prefix of %zu", i);
		copy = strdup(proof);
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		if (check_plain(copy) != BASE_REASON_DPOP_INVALID)
			ck_abort_msg("byte %zu", i);
	}
	ck_assert_int_gt(asprintf(&two, "%s, %s", proof, proof), 0);
	ASSERT_REASON(check_plain(two), BASE_REASON_DPOP_INVALID);
	two = calloc(1, 7000);
	memset(two, 'A', 6999);
	ASSERT_REASON(check_plain(two), BASE_REASON_DPOP_INVALID);
	ASSERT_REASON(check_plain(strdup(proof)), BASE_REASON_OK);
}
END_TEST

START_TEST(no_memory)
{
	/* Goal: whichever allocation fails, a good proof is never called bad. */
	const struct test_key *key = test_key_of(TOKEN_ES256);
	cleanup(free) char *proof = sign(key, header_of(key), claims_of(TOKEN));
	struct token_dpop_request r = request();
	struct token_dpop got;
	const char *why = NULL;
	long n = 0;

	for (; n < 2000; n++) {
		enum base_reason reason;

		allocations_left = n;
		reason = token_dpop_check(ctx, span_of(proof), &r, NOW, &got, &why);
		allocations_left = -1;
		if (reason == BASE_REASON_OK)
			break;
		if (reason != BASE_REASON_INTERNAL)
			ck_abort_msg("allocation %ld: %s, %s", n, base_reason_word(reason), why);
	}
	ck_assert(n > 10 && n < 2000);
}
END_TEST

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

Suite *suite_dpop(void)
{
	Suite *suite = suite_create("dpop");
	TCase *tcase = tcase_create("dpop");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, good, 0, TOKEN_ED25519 + 1);
	tcase_add_loop_test(tcase, header, 0, COUNT(HEADERS));
	tcase_add_loop_test(tcase, claims, 0, COUNT(CLAIMS));
	tcase_add_test(tcase, wrong_key);
	tcase_add_test(tcase, mutations);
	tcase_add_test(tcase, no_memory);
	suite_add_tcase(suite, tcase);
	return suite;
}
