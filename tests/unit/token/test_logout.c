#include "tests/unit/token/keys.h"
#include "tests/unit/token/suites.h"

#include "token/logout.h"
#include "token/purpose.h"

#include <stdio.h>
#include <stdlib.h>

#define NOW   1800000000
#define EVENT "\"events\":{\"" TOKEN_LOGOUT_EVENT "\":{}}"
#define HEAD  "\"iss\":\"https://i\",\"aud\":\"client\",\"iat\":1800000000,\"exp\":1800000120"

static const char *const AUD[] = {"client"};
static struct token_ctx *ctx;
static struct token_issuer issuer;

static void setup(void)
{
	static const char *const API[] = {"api"};
	struct token_provider rules = {.name = "i",
		.issuer = "https://i",
		.audiences = API,
		.n_audiences = 1,
		.algs = TOKEN_ALG_BIT(TOKEN_ES256),
		.leeway_s = 5,
		.max_bytes = 8192};

	ctx = token_ctx_new();
	issuer.rules = token_logout_rules(&rules, AUD, 1);
	issuer.keys = test_keyset(test_key_of(TOKEN_ES256), "k");
}

static void teardown(void)
{
	token_keyset_unref(issuer.keys);
	token_ctx_free(ctx);
}

/* On a refusal the outputs must be untouched. */
static enum base_reason verify(
	const char *typ, const char *payload, struct token_claims *ret_claims, struct span *ret_sid)
{
	cleanup(free) char *token = test_token(test_key_of(TOKEN_ES256), "k", typ, payload);
	struct token_claims claims = {.exp = 77};
	struct span sid = SPAN("before");
	enum base_reason reason =
		token_logout_verify(ctx, &issuer, 1, span_of(token), NOW, &claims, &sid, NULL);

	if (reason != BASE_REASON_OK)
		ck_assert(claims.exp == 77 && !claims.claims && span_is(sid, "before"));
	else if (ret_claims) {
		*ret_claims = claims;
		*ret_sid = sid;
	} else {
		token_claims_done(&claims);
	}
	return reason;
}

static const struct {
	const char *typ, *payload;
	enum base_reason want;
} CASES[] = {
	{"logout+jwt", "{" HEAD "," EVENT ",\"jti\":\"1\",\"sub\":\"a\"}", BASE_REASON_OK},
	{"logout+jwt", "{" HEAD "," EVENT ",\"jti\":\"1\",\"sid\":\"s\"}", BASE_REASON_OK},
	{"logout+jwt", "{" HEAD "," EVENT ",\"jti\":\"1\",\"sub\":\"a\",\"sid\":\"s\"}",
		BASE_REASON_OK},
	{"Logout+JWT", "{" HEAD "," EVENT ",\"jti\":\"1\",\"sub\":\"a\"}", BASE_REASON_OK},
	{"JWT", "{" HEAD "," EVENT ",\"jti\":\"1\",\"sub\":\"a\"}", BASE_REASON_TYP_NOT_ALLOWED},
	{NULL, "{" HEAD "," EVENT ",\"jti\":\"1\",\"sub\":\"a\"}", BASE_REASON_TYP_NOT_ALLOWED},
	{"logout+jwt", "{" HEAD ",\"jti\":\"1\",\"sub\":\"a\"}", BASE_REASON_CLAIMS_MALFORMED},
	{"logout+jwt", "{" HEAD ",\"events\":{},\"jti\":\"1\",\"sub\":\"a\"}",
		BASE_REASON_CLAIMS_MALFORMED},
	{"logout+jwt",
		"{" HEAD ",\"events\":[\"" TOKEN_LOGOUT_EVENT "\"],\"jti\":\"1\",\"sub\":\"a\"}",
		BASE_REASON_CLAIMS_MALFORMED},
	{"logout+jwt",
		"{" HEAD ",\"events\":{\"" TOKEN_LOGOUT_EVENT
		"\":true},\"jti\":\"1\",\"sub\":\"a\"}",
		BASE_REASON_CLAIMS_MALFORMED},
	{"logout+jwt", "{" HEAD "," EVENT ",\"jti\":\"1\",\"sub\":\"a\",\"nonce\":\"n\"}",
		BASE_REASON_CLAIMS_MALFORMED},
	{"logout+jwt", "{" HEAD "," EVENT ",\"jti\":\"1\",\"sub\":\"a\",\"nonce\":null}",
		BASE_REASON_CLAIMS_MALFORMED},
	{"logout+jwt", "{" HEAD "," EVENT ",\"jti\":\"1\"}", BASE_REASON_CLAIMS_MALFORMED},
	{"logout+jwt", "{" HEAD "," EVENT ",\"sub\":\"a\"}", BASE_REASON_CLAIMS_MALFORMED},
	{"logout+jwt", "{" HEAD "," EVENT ",\"jti\":\"1\",\"sub\":\"a\",\"sid\":7}",
		BASE_REASON_CLAIMS_MALFORMED},
	{"logout+jwt", "{" HEAD "," EVENT ",\"jti\":\"1\",\"sub\":\"a\",\"sid\":\"\"}",
		BASE_REASON_CLAIMS_MALFORMED},
	{"logout+jwt",
		"{\"iss\":\"https://i\",\"aud\":\"client\",\"exp\":1800000120," EVENT
		",\"jti\":\"1\",\"sub\":\"a\"}",
		BASE_REASON_CLAIMS_MALFORMED},
	{"logout+jwt",
		"{\"iss\":\"https://"
		"i\",\"aud\":\"client\",\"iat\":1799999695,\"exp\":1800000120," EVENT
		",\"jti\":\"1\",\"sub\":\"a\"}",
		BASE_REASON_OK},
	{"logout+jwt",
		"{\"iss\":\"https://"
		"i\",\"aud\":\"client\",\"iat\":1799999694,\"exp\":1800000120," EVENT
		",\"jti\":\"1\",\"sub\":\"a\"}",
		BASE_REASON_EXPIRED},
	{"logout+jwt",
		"{\"iss\":\"https://"
		"i\",\"aud\":\"client\",\"iat\":1800000006,\"exp\":1800000120," EVENT
		",\"jti\":\"1\",\"sub\":\"a\"}",
		BASE_REASON_ISSUED_IN_FUTURE},
	{"logout+jwt",
		"{\"iss\":\"https://i\",\"aud\":\"client\",\"iat\":1800000000," EVENT
		",\"jti\":\"1\",\"sub\":\"a\"}",
		BASE_REASON_EXPIRY_MISSING},
	/* An API's audience is not a client's. */
	{"logout+jwt",
		"{\"iss\":\"https://"
		"i\",\"aud\":\"api\",\"iat\":1800000000,\"exp\":1800000120," EVENT
		",\"jti\":\"1\",\"sub\":\"a\"}",
		BASE_REASON_AUDIENCE_MISMATCH},
	{"logout+jwt",
		"{\"iss\":\"https://"
		"j\",\"aud\":\"client\",\"iat\":1800000000,\"exp\":1800000120," EVENT
		",\"jti\":\"1\",\"sub\":\"a\"}",
		BASE_REASON_ISSUER_MISMATCH},
};

START_TEST(rules)
{
	/* Goal: row 40: each rule of OIDC Back-Channel Logout 2.6, alone. */
	ASSERT_REASON(verify(CASES[_i].typ, CASES[_i].payload, NULL, NULL), CASES[_i].want);
}
END_TEST

START_TEST(whole)
{
	/* Goal: what it names comes out, and only under the provider's key. */
	static const char PAYLOAD[] =
		"{" HEAD "," EVENT ",\"jti\":\"1\",\"sub\":\"a\",\"sid\":\"s\"}";
	struct test_key *other = test_key_new(TOKEN_ES256);
	cleanup(free) char *forged = test_token(other, "k", "logout+jwt", PAYLOAD);
	struct token_claims claims = {0};
	struct span sid = {0};

	ASSERT_REASON(verify("logout+jwt", PAYLOAD, &claims, &sid), BASE_REASON_OK);
	ck_assert(span_is(claims.iss, "https://i") && span_is(claims.sub, "a"));
	ck_assert(span_is(claims.jti, "1") && span_is(sid, "s"));
	ck_assert_int_eq(claims.iat, NOW);
	token_claims_done(&claims);
	ASSERT_REASON(
		token_logout_verify(ctx, &issuer, 1, span_of(forged), NOW, &claims, &sid, NULL),
		BASE_REASON_SIGNATURE_INVALID);
	test_key_free(other);
}
END_TEST

Suite *suite_logout(void)
{
	Suite *suite = suite_create("logout");
	TCase *tcase = tcase_create("logout");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, rules, 0, sizeof(CASES) / sizeof(CASES[0]));
	tcase_add_test(tcase, whole);
	suite_add_tcase(suite, tcase);
	return suite;
}
