/*
 * Tokens as AWS load balancers make them: base64url with padding, signed over
 * the padded text, with claims in the header (tokens.md 2.2). And what such a
 * provider's rules must not open for the others.
 */
#include "tests/unit/token/keys.h"
#include "tests/unit/token/suites.h"

#include "token/json.h"
#include "token/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW    1800000000
#define SIGNER "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/a/b"
#define HEADER(more)                                                                               \
	"{\"typ\":\"JWT\",\"kid\":\"k\",\"alg\":\"ES256\",\"iss\":\"https://"                      \
	"idp\",\"client\":\"c\","                                                                  \
	"\"signer\":\"" SIGNER "\",\"exp\":1800000120" more "}"
#define KEY test_key_of(TOKEN_ES256)

static const char *const NAMES[] = {"iss", "exp", "client", "signer"};
static const char *const CLIENT[] = {"client"};
static const char *const AUD[] = {"c"};
static struct token_ctx *ctx;
static struct token_issuer issuers[2];

static void setup(void)
{
	ctx = token_ctx_new();
	issuers[0] = (struct token_issuer){
		.rules = {.name = "plain",
			.issuer = "https://plain",
			.audiences = AUD,
			.n_audiences = 1,
			.algs = TOKEN_ALG_BIT(TOKEN_ES256),
			.max_bytes = 8192},
		.keys = test_keyset(KEY, "k"),
	};
	issuers[1] = (struct token_issuer){
		.rules = {.name = "alb",
			.issuer = "https://idp",
			.audiences = AUD,
			.n_audiences = 1,
			.audience = {CLIENT, 1},
			.algs = TOKEN_ALG_BIT(TOKEN_ES256),
			.max_bytes = 8192,
			.padded = true,
			.header_claims = NAMES,
			.n_header_claims = 4},
		.keys = test_keyset(KEY, "k"),
	};
}

static void teardown(void)
{
	token_keyset_unref(issuers[0].keys);
	token_keyset_unref(issuers[1].keys);
	token_ctx_free(ctx);
}

static enum base_reason verify_of(
	const struct token_issuer *of, size_t n, const char *token, struct token_claims *ret_claims)
{
	struct token_claims claims = {0};
	enum base_reason reason = token_verify(ctx, of, n, span_of(token), NOW, &claims, NULL);

	if (ret_claims)
		*ret_claims = claims;
	else
		token_claims_done(&claims);
	return reason;
}

START_TEST(shapes)
{
	/* Goal: whatever the lengths of header and payload leave as padding, the token is good. */
	for (int n = 0; n < 12; n++) {
		cleanup(free) char *header = NULL;
		cleanup(free) char *payload = NULL;
		cleanup(free) char *token = NULL;
		struct token_claims claims;

		ck_assert_int_gt(asprintf(&header, HEADER(",\"x\":\"%.*s\""), n % 3, "aaa"), 0);
		ck_assert_int_gt(
			asprintf(&payload, "{\"sub\":\"alice\",\"y\":\"%.*s\"}", n / 3, "bbbb"), 0);
		token = test_sign_padded(KEY, header, payload);
		ASSERT_REASON(verify_of(issuers, 2, token, &claims), BASE_REASON_OK);
		ck_assert_uint_eq(claims.issuer, 1);
		ck_assert(span_is(claims.sub, "alice") && span_is(claims.iss, "https://idp"));
		ck_assert_int_eq(claims.exp, NOW + 120);
		ck_assert_str_eq(
			json_string_value(json_object_get(claims.claims, "signer")), SIGNER);
		token_claims_done(&claims);
	}
}
END_TEST

START_TEST(both_say)
{
	/* Goal: what header and payload both say, they must say alike. */
	static const struct {
		const char *payload;
		enum base_reason want;
	} CASES[] = {
		{"{\"sub\":\"a\",\"iss\":\"https://idp\",\"exp\":1800000120}", BASE_REASON_OK},
		{"{\"sub\":\"a\",\"iss\":\"https://plain\"}", BASE_REASON_CLAIMS_MALFORMED},
		{"{\"sub\":\"a\",\"exp\":1900000000}", BASE_REASON_CLAIMS_MALFORMED},
		{"{\"sub\":\"a\",\"signer\":\"other\"}", BASE_REASON_CLAIMS_MALFORMED},
		{"[]", BASE_REASON_CLAIMS_MALFORMED},
	};

	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		cleanup(free) char *token = test_sign_padded(KEY, HEADER(""), CASES[i].payload);

		ASSERT_REASON(verify_of(issuers + 1, 1, token, NULL), CASES[i].want);
	}
}
END_TEST

START_TEST(header_means_nothing_elsewhere)
{
	/* Goal: a provider whose claims are in the payload takes none from the header. */
	cleanup(free) char *token = test_sign(KEY, HEADER(""), "{\"sub\":\"a\"}");

	ASSERT_REASON(verify_of(issuers, 1, token, NULL), BASE_REASON_ISSUER_MISMATCH);
}
END_TEST

START_TEST(padding_is_theirs_alone)
{
	/* Goal: row 12: padding where it belongs and whole; for no provider else; the text is what is signed. */
	cleanup(free) char *padded = test_sign_padded(KEY, HEADER(""), "{\"sub\":\"alices\"}");
	cleanup(free) char *plain = test_sign(KEY, HEADER(""), "{\"sub\":\"alices\"}");
	cleanup(free) char *stripped = strdup(padded);
	cleanup(free) char *more = NULL;
	char *to = stripped;

	for (const char *from = padded; *from; from++)
		if (*from != '=')
			*to++ = *from;
	*to = '\0';
	ck_assert(strlen(stripped) < strlen(padded));
	ck_assert_int_gt(asprintf(&more, "%s=", padded), 0);
	ASSERT_REASON(verify_of(issuers, 2, padded, NULL), BASE_REASON_OK);
	ASSERT_REASON(verify_of(issuers, 1, padded, NULL), BASE_REASON_TOKEN_MALFORMED);
	/* Without its padding the signature is over another text; and the form is not the balancer's. */
	ASSERT_REASON(verify_of(issuers + 1, 1, stripped, NULL), BASE_REASON_TOKEN_MALFORMED);
	ASSERT_REASON(verify_of(issuers + 1, 1, plain, NULL), BASE_REASON_TOKEN_MALFORMED);
	ASSERT_REASON(verify_of(issuers + 1, 1, more, NULL), BASE_REASON_TOKEN_MALFORMED);
	ASSERT_REASON(verify_of(issuers, 2, stripped, NULL), BASE_REASON_SIGNATURE_INVALID);
}
END_TEST

static const struct {
	const char *token;
	enum base_reason want;
} SHAPES[] = {
	{"====.e30=.AAAA", BASE_REASON_TOKEN_MALFORMED},
	{"e30=.====.AAAA", BASE_REASON_TOKEN_MALFORMED},
	{"e3=0.e30=.AAAA", BASE_REASON_TOKEN_MALFORMED},
	{"e30==.e30=.AAAA", BASE_REASON_TOKEN_MALFORMED},
	{"=e30.e30=.AAAA", BASE_REASON_TOKEN_MALFORMED},
	{"e31=.e30=.AAAA", BASE_REASON_TOKEN_MALFORMED}, /* stray bits */
	{"=.=.=", BASE_REASON_TOKEN_MALFORMED}, {"..", BASE_REASON_TOKEN_MALFORMED},
	{"e30=.e30=.AAAA", BASE_REASON_HEADER_MALFORMED}, /* {} has no alg */
};

START_TEST(bad_shapes)
{
	/* Goal: row 12: padding anywhere but at the end of a part, or too much of it, is malformed. */
	size_t n = strlen(SHAPES[_i].token);
	struct token_jws jws;

	ASSERT_REASON(
		token_jws_parse_padded(ctx, (struct span){guarded(SHAPES[_i].token, n), n}, &jws),
		SHAPES[_i].want);
}
END_TEST

Suite *suite_padded(void)
{
	Suite *suite = suite_create("padded");
	TCase *tc = tcase_create("padded");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, shapes);
	tcase_add_test(tc, both_say);
	tcase_add_test(tc, header_means_nothing_elsewhere);
	tcase_add_test(tc, padding_is_theirs_alone);
	tcase_add_loop_test(tc, bad_shapes, 0, sizeof(SHAPES) / sizeof(SHAPES[0]));
	suite_add_tcase(suite, tc);
	return suite;
}
