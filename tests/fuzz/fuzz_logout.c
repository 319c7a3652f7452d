/*
 * Logout tokens under the fixed keys of fuzz_jws. Nobody here can sign, so
 * what is accepted says what a seed said.
 */
#include "tests/fuzz/fuzz.h"

#include "token/logout.h"
#include "tests/fuzz/logout_keys.h"

static const char *const AUD[] = {"client"};
static struct token_ctx *ctx;
static struct token_issuer issuer;

static void start(void)
{
	const struct token_provider rules = {.issuer = "https://i",
		.algs = TOKEN_ALG_BIT(TOKEN_ES256),
		.max_bytes = TOKEN_MAX_BYTES};

	if (ctx)
		return;
	ctx = token_ctx_new();
	FUZZ_CHECK(ctx);
	issuer.rules = token_logout_rules(&rules, AUD, 1);
	FUZZ_CHECK(!token_keyset_parse(SPAN(LOGOUT_KEYS), issuer.rules.algs, &issuer.keys, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span token = {.p = (const char *)data, .n = size};
	struct token_claims claims = {0};
	struct span sid = {0};
	enum base_reason reason;

	start();
	reason = token_logout_verify(ctx, &issuer, 1, token, 1800000000, &claims, &sid, NULL);
	FUZZ_CHECK(reason != BASE_REASON_INTERNAL);
	FUZZ_CHECK((reason == BASE_REASON_OK) == (claims.claims != NULL));
	if (reason == BASE_REASON_OK) {
		FUZZ_CHECK(span_is(claims.iss, "https://i") && claims.jti.n);
		FUZZ_CHECK(claims.sub.n || sid.n);
	}
	token_claims_done(&claims);
	return 0;
}
