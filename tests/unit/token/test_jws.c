#include "tests/unit/token/keys.h"
#include "tests/unit/token/suites.h"

#include "token/jws.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct token_ctx *ctx;

static void setup(void)
{
	ctx = token_ctx_new();
	ck_assert_ptr_nonnull(ctx);
}

static void teardown(void)
{
	/* Goal of every test here: attack row 39, the error queue is left empty. */
	ck_assert_uint_eq(ERR_peek_error(), 0);
	token_ctx_free(ctx);
}

static enum base_reason parse_header(struct span header, struct token_jws *ret_jws)
{
	char *token = test_sign_bytes(test_key_of(TOKEN_ES256), header, SPAN("{}"));
	enum base_reason reason = token_jws_parse(ctx, span_of(token), ret_jws);

	/* The spans in it are gone with the token; these tests look at the rest. */
	free(token);
	return reason;
}

START_TEST(round_trip)
{
	/* Goal: a token of each algorithm parses, verifies, and hands its payload bytes back. */
	const struct test_key *key = test_key_of(_i);
	cleanup(token_keyset) struct token_keyset *set = test_keyset(key, "kid-1");
	cleanup(free) char *token = test_token(key, "kid-1", "JWT", "not json \x01");
	struct token_jws jws;

	ASSERT_REASON(token_jws_parse(ctx, span_of(token), &jws), BASE_REASON_OK);
	ck_assert_int_eq(jws.alg, _i);
	ck_assert_str_eq(jws.typ, "jwt");
	ck_assert_str_eq(jws.kid, "kid-1");
	ck_assert_uint_eq(jws.kid_len, 5);
	ck_assert(jws.has_kid);
	ASSERT_REASON(token_jws_verify(ctx, &jws, token_keyset_at(set, 0)), BASE_REASON_OK);
	ck_assert(span_is(jws.payload, "not json \x01"));
}
END_TEST

START_TEST(every_bit)
{
	/* Goal: whichever character of a token changes, it is refused (rows 12, 13). */
	const struct test_key *key = test_key_of(_i);
	cleanup(token_keyset) struct token_keyset *set = test_keyset(key, "k");
	cleanup(free) char *token = test_token(key, "k", NULL, "{\"sub\":\"alice\"}");
	size_t n = strlen(token);
	struct token_jws jws;

	for (size_t i = 0; i < n; i++) {
		char was = token[i];

		token[i] = was == 'A' ? 'B' : 'A';
		if (token_jws_parse(ctx, span_of(token), &jws) == BASE_REASON_OK)
			ck_assert_msg(token_jws_verify(ctx, &jws, token_keyset_at(set, 0)) !=
					      BASE_REASON_OK,
				"%s at %zu", token_alg_name(_i), i);
		token[i] = was;
	}
}
END_TEST

START_TEST(prefixes_and_tails)
{
	/* Goal: no strict prefix and no longer text is the token; reads end at a guard page. */
	const struct test_key *key = test_key_of(_i);
	cleanup(token_keyset) struct token_keyset *set = test_keyset(key, "k");
	cleanup(free) char *token = test_token(key, "k", NULL, "{}");
	static const char *const TAILS[] = {"=", "==", "\n", " ", "A", "AA", "AAAA", ".", "!!!!"};
	struct token_jws jws;
	char longer[4096];

	for (size_t n = 0; n < strlen(token); n++) {
		struct span text = {.p = guarded(token, n), .n = n};

		if (token_jws_parse(ctx, text, &jws) == BASE_REASON_OK)
			ASSERT_REASON(token_jws_verify(ctx, &jws, token_keyset_at(set, 0)),
				BASE_REASON_SIGNATURE_INVALID);
	}
	for (size_t i = 0; i < sizeof(TAILS) / sizeof(TAILS[0]); i++) {
		snprintf(longer, sizeof(longer), "%s%s", token, TAILS[i]);
		if (token_jws_parse(ctx, span_of(longer), &jws) == BASE_REASON_OK)
			ASSERT_REASON(token_jws_verify(ctx, &jws, token_keyset_at(set, 0)),
				BASE_REASON_SIGNATURE_INVALID);
	}
}
END_TEST

static const struct {
	const char *token;
	enum base_reason want;
} SHAPES[] = {
	{"", BASE_REASON_TOKEN_MALFORMED},
	{".", BASE_REASON_TOKEN_MALFORMED},
	{"..", BASE_REASON_TOKEN_MALFORMED},
	{"...", BASE_REASON_TOKEN_MALFORMED},
	{"....", BASE_REASON_TOKEN_ENCRYPTED}, /* row 18 */
	{"eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d", BASE_REASON_TOKEN_ENCRYPTED},
	{".....", BASE_REASON_TOKEN_MALFORMED},
	{"{\"payload\":\"a.b.c\"}", BASE_REASON_TOKEN_MALFORMED}, /* row 19 */
	{"{....", BASE_REASON_TOKEN_MALFORMED},
	{"opaque", BASE_REASON_TOKEN_MALFORMED},
	/* {"alg":"RS256"} */
	{"eyJhbGciOiJSUzI1NiJ9.e30.", BASE_REASON_OK},
	{"eyJhbGciOiJSUzI1NiJ9..", BASE_REASON_OK},
	{"eyJhbGciOiJSUzI1NiJ9.e30.AAAA", BASE_REASON_OK},
	{"eyJhbGciOiJSUzI1NiJ9.e30.A", BASE_REASON_TOKEN_MALFORMED},
	{"eyJhbGciOiJSUzI1NiJ9.e30.AB", BASE_REASON_TOKEN_MALFORMED},
	{"eyJhbGciOiJSUzI1NiJ9.e30=.AAAA", BASE_REASON_TOKEN_MALFORMED},
	{"eyJhbGciOiJSUzI1NiJ9.e3+.AAAA", BASE_REASON_TOKEN_MALFORMED},
	{"eyJhbGciOiJSUzI1NiJ9 .e30.AAAA", BASE_REASON_TOKEN_MALFORMED},
	{"eyJhbGciOiJSUzI1NiJ9.e30.AAAA\n", BASE_REASON_TOKEN_MALFORMED},
	{".e30.AAAA", BASE_REASON_TOKEN_MALFORMED},
};

START_TEST(shapes)
{
	/* Goal: attack rows 12, 18 and 19: what is not three strict segments says why. */
	struct token_jws jws;
	size_t n = strlen(SHAPES[_i].token);

	ASSERT_REASON(token_jws_parse(
			      ctx, (struct span){.p = guarded(SHAPES[_i].token, n), .n = n}, &jws),
		SHAPES[_i].want);
}
END_TEST

static const struct {
	struct span header;
	enum base_reason want;
	const char *typ;
} HEADERS[] = {
	{SPAN("{\"alg\":\"ES256\"}"), BASE_REASON_OK, ""},
	{SPAN("{\"alg\":\"none\"}"), BASE_REASON_ALG_NOT_ALLOWED, NULL}, /* row 1 */
	{SPAN("{\"alg\":\"NoNe\"}"), BASE_REASON_ALG_NOT_ALLOWED, NULL},
	{SPAN("{\"alg\":\"HS256\"}"), BASE_REASON_OK, ""},
	{SPAN("{\"alg\":\"hs256\"}"), BASE_REASON_ALG_NOT_ALLOWED, NULL}, /* row 2 */
	{SPAN("{\"alg\":\"es256\"}"), BASE_REASON_ALG_NOT_ALLOWED, NULL},
	{SPAN("{\"alg\":\"ES256K\"}"), BASE_REASON_ALG_NOT_ALLOWED, NULL},
	{SPAN("{\"alg\":1}"), BASE_REASON_HEADER_MALFORMED, NULL},
	{SPAN("{\"alg\":[\"ES256\"]}"), BASE_REASON_HEADER_MALFORMED, NULL},
	{SPAN("{\"alg\":null}"), BASE_REASON_HEADER_MALFORMED, NULL},
	{SPAN("{}"), BASE_REASON_HEADER_MALFORMED, NULL},
	{SPAN("[\"ES256\"]"), BASE_REASON_HEADER_MALFORMED, NULL},
	{SPAN("null"), BASE_REASON_HEADER_MALFORMED, NULL},
	{SPAN("{\"alg\":\"ES256\"} x"), BASE_REASON_HEADER_MALFORMED, NULL},
	{SPAN("{\"alg\":\"ES256\"}\0"), BASE_REASON_HEADER_MALFORMED, NULL}, /* row 9 */
	{SPAN("{\"alg\":\"ES256\\u0000\"}"), BASE_REASON_HEADER_MALFORMED, NULL},
	{SPAN("{\"alg\":\"none\",\"alg\":\"ES256\"}"), BASE_REASON_HEADER_MALFORMED, NULL}, /* 8 */
	{SPAN("{\"alg\":\"ES256\",\"x\":{\"a\":1,\"a\":2}}"), BASE_REASON_HEADER_MALFORMED, NULL},
	{SPAN("{\"alg\":\"ES256\",\"x\":[[[[[[[[]]]]]]]]}"), BASE_REASON_HEADER_MALFORMED, NULL},
	{SPAN("{\"alg\":\"ES256\",\"crit\":[\"foo\"]}"), BASE_REASON_CRIT_UNSUPPORTED,
		NULL}, /* 6 */
	{SPAN("{\"alg\":\"ES256\",\"crit\":[]}"), BASE_REASON_CRIT_UNSUPPORTED, NULL},
	{SPAN("{\"alg\":\"ES256\",\"crit\":null}"), BASE_REASON_CRIT_UNSUPPORTED, NULL},
	{SPAN("{\"alg\":\"none\",\"crit\":[\"alg\"]}"), BASE_REASON_CRIT_UNSUPPORTED, NULL},
	{SPAN("{\"alg\":\"ES256\",\"b64\":false}"), BASE_REASON_CRIT_UNSUPPORTED, NULL}, /* row 7 */
	{SPAN("{\"alg\":\"ES256\",\"b64\":true}"), BASE_REASON_CRIT_UNSUPPORTED, NULL},
	/* row 5: ignored */
	{SPAN("{\"alg\":\"ES256\",\"jku\":\"https://evil\",\"x5u\":1,\"jwk\":{},\"x5c\":[]}"),
		BASE_REASON_OK, ""},
	{SPAN("{\"alg\":\"ES256\",\"typ\":\"JWT\"}"), BASE_REASON_OK, "jwt"},
	{SPAN("{\"alg\":\"ES256\",\"typ\":\"at+JWT\"}"), BASE_REASON_OK, "at+jwt"},
	{SPAN("{\"alg\":\"ES256\",\"typ\":\"Application/AT+jwt\"}"), BASE_REASON_OK, "at+jwt"},
	{SPAN("{\"alg\":\"ES256\",\"typ\":\"application/a/b\"}"), BASE_REASON_OK,
		"application/a/b"},
	{SPAN("{\"alg\":\"ES256\",\"typ\":\"text/x\"}"), BASE_REASON_OK, "text/x"},
	{SPAN("{\"alg\":\"ES256\",\"typ\":\"application/\"}"), BASE_REASON_HEADER_MALFORMED, NULL},
	{SPAN("{\"alg\":\"ES256\",\"typ\":\"\"}"), BASE_REASON_HEADER_MALFORMED, NULL},
	{SPAN("{\"alg\":\"ES256\",\"typ\":1}"), BASE_REASON_HEADER_MALFORMED, NULL},
	{SPAN("{\"alg\":\"ES256\",\"typ\":\"j\\nt\"}"), BASE_REASON_HEADER_MALFORMED, NULL},
	{SPAN("{\"alg\":\"ES256\",\"typ\":\"j\xc3\xa9\"}"), BASE_REASON_HEADER_MALFORMED, NULL},
	{SPAN("{\"alg\":\"ES256\",\"kid\":1}"), BASE_REASON_HEADER_MALFORMED, NULL}, /* row 4 */
	{SPAN("{\"alg\":\"ES256\",\"kid\":\"a\\u0000b\"}"), BASE_REASON_HEADER_MALFORMED, NULL},
	{SPAN("{\"alg\":\"ES256\",\"kid\":\"../../etc/passwd' OR 1=1\"}"), BASE_REASON_OK, ""},
};

START_TEST(headers)
{
	/* Goal: attack rows 1, 2 and 4 to 9: each header gets its reason, though its signature holds. */
	struct token_jws jws = {.kid_len = 77};

	ck_assert_msg(parse_header(HEADERS[_i].header, &jws) == HEADERS[_i].want, "%s",
		HEADERS[_i].header.p);
	if (HEADERS[_i].typ)
		ck_assert_str_eq(jws.typ, HEADERS[_i].typ);
	else
		ck_assert_uint_eq(jws.kid_len, 77);
}
END_TEST

START_TEST(lengths)
{
	/* Goal: kid of 256 and typ of 64 fit, one more does not; with "application/" neither. */
	static const struct {
		const char *name, *prefix;
		int n;
		enum base_reason want;
	} CASES[] = {
		{"kid", "", 256, BASE_REASON_OK},
		{"kid", "", 257, BASE_REASON_HEADER_MALFORMED},
		{"typ", "", 64, BASE_REASON_OK},
		{"typ", "", 65, BASE_REASON_HEADER_MALFORMED},
		{"typ", "application/", 64, BASE_REASON_OK},
		{"typ", "application/", 65, BASE_REASON_HEADER_MALFORMED},
		{"typ", "application/", 66, BASE_REASON_HEADER_MALFORMED},
		{"pad", "", 4000, BASE_REASON_OK},
		{"pad", "", 4096, BASE_REASON_HEADER_MALFORMED},
	};
	cleanup(free) char *header = NULL;
	struct token_jws jws;

	ck_assert_int_gt(asprintf(&header, "{\"alg\":\"ES256\",\"%s\":\"%s%0*d\"}", CASES[_i].name,
				 CASES[_i].prefix, CASES[_i].n, 0),
		0);
	ASSERT_REASON(parse_header(span_of(header), &jws), CASES[_i].want);
}
END_TEST

START_TEST(too_large)
{
	/* Goal: attack row 10: TOKEN_MAX_BYTES is the end, before anything is read. */
	static char big[TOKEN_MAX_BYTES + 1];
	struct token_jws jws;

	memset(big, 'A', sizeof(big));
	ASSERT_REASON(token_jws_parse(ctx, (struct span){.p = big, .n = sizeof(big)}, &jws),
		BASE_REASON_TOKEN_TOO_LARGE);
	ASSERT_REASON(token_jws_parse(ctx, (struct span){.p = big, .n = sizeof(big) - 1}, &jws),
		BASE_REASON_TOKEN_MALFORMED);
}
END_TEST

/* Replaces the signature by n bytes. */
static char *resign(const char *token, const unsigned char *sig, size_t n)
{
	char *text = test_b64((struct span){.p = (const char *)sig, .n = n});
	char *made;

	ck_assert_int_gt(
		asprintf(&made, "%.*s%s", (int)(strrchr(token, '.') + 1 - token), token, text), 0);
	free(text);
	return made;
}

START_TEST(signature_lengths)
{
	/*
	 * Goal: attack rows 14, 16 and 39: a signature has exactly its length, zeros never
	 * hold; OpenSSL's queue is empty afterwards (teardown).
	 */
	static const unsigned char ZEROS[1100];
	cleanup(token_keyset) struct token_keyset *set = test_keyset(test_key_of(_i), NULL);
	cleanup(free) char *token = test_token(test_key_of(_i), NULL, NULL, "{}");
	struct token_jws jws;

	for (size_t n = 0; n < sizeof(ZEROS); n += n < 150 || (n > 250 && n < 260) ? 1 : 50) {
		cleanup(free) char *forged = resign(token, ZEROS, n);
		enum base_reason reason = token_jws_parse(ctx, span_of(forged), &jws);

		ASSERT_REASON(reason, n > 1024 ? BASE_REASON_TOKEN_MALFORMED : BASE_REASON_OK);
		if (reason == BASE_REASON_OK)
			ASSERT_REASON(token_jws_verify(ctx, &jws, token_keyset_at(set, 0)),
				BASE_REASON_SIGNATURE_INVALID);
	}
}
END_TEST

START_TEST(other_keys)
{
	/* Goal: attack rows 2, 3 and 15: under a key of any other algorithm a token never holds. */
	cleanup(free) char *token = test_token(test_key_of(_i), NULL, NULL, "{}");
	struct token_jws jws;

	for (int alg = 0; alg < TOKEN_ALGS; alg++) {
		cleanup(token_keyset) struct token_keyset *set =
			test_keyset(test_key_of((enum token_alg)alg), NULL);

		ASSERT_REASON(token_jws_parse(ctx, span_of(token), &jws), BASE_REASON_OK);
		ASSERT_REASON(token_jws_verify(ctx, &jws, token_keyset_at(set, 0)),
			alg == _i ? BASE_REASON_OK : BASE_REASON_ALG_NOT_ALLOWED);
	}
}
END_TEST

START_TEST(pss_salt)
{
	/* Goal: attack row 17: a PSS signature with a salt of another length does not hold. */
	const struct test_key *key = test_key_of(TOKEN_PS256);
	cleanup(token_keyset) struct token_keyset *set = test_keyset(key, NULL);
	cleanup(free) char *token = test_token(key, NULL, NULL, "{}");
	static const int SALTS[] = {0, 20, 31, 32, 33, 64};
	size_t input = (size_t)(strrchr(token, '.') - token);

	for (size_t i = 0; i < sizeof(SALTS) / sizeof(SALTS[0]); i++) {
		EVP_MD_CTX *md = EVP_MD_CTX_new();
		EVP_PKEY_CTX *pctx;
		unsigned char sig[256];
		size_t n = sizeof(sig);
		struct token_jws jws;

		ck_assert_int_eq(EVP_DigestSignInit(md, &pctx, EVP_sha256(), NULL, key->pkey), 1);
		EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, SALTS[i]);
		ck_assert_int_eq(
			EVP_DigestSign(md, sig, &n, (const unsigned char *)token, input), 1);
		EVP_MD_CTX_free(md);

		cleanup(free) char *made = resign(token, sig, n);

		ASSERT_REASON(token_jws_parse(ctx, span_of(made), &jws), BASE_REASON_OK);
		ASSERT_REASON(token_jws_verify(ctx, &jws, token_keyset_at(set, 0)),
			SALTS[i] == 32 ? BASE_REASON_OK : BASE_REASON_SIGNATURE_INVALID);
	}
}
END_TEST

Suite *suite_jws(void)
{
	Suite *suite = suite_create("jws, header, signature");
	TCase *tc = tcase_create("jws");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, round_trip, 0, TOKEN_ALGS);
	tcase_add_loop_test(tc, every_bit, 0, TOKEN_ALGS);
	tcase_add_loop_test(tc, prefixes_and_tails, 0, TOKEN_ALGS);
	tcase_add_loop_test(tc, shapes, 0, sizeof(SHAPES) / sizeof(SHAPES[0]));
	tcase_add_loop_test(tc, headers, 0, sizeof(HEADERS) / sizeof(HEADERS[0]));
	tcase_add_loop_test(tc, lengths, 0, 9);
	tcase_add_test(tc, too_large);
	tcase_add_loop_test(tc, signature_lengths, 0, TOKEN_ALGS);
	tcase_add_loop_test(tc, other_keys, 0, TOKEN_ALGS);
	tcase_add_test(tc, pss_salt);
	suite_add_tcase(suite, tc);
	return suite;
}
