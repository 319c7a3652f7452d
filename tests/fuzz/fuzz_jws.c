/*
 * Tokens under fixed keys. A token that verifies must be one of the seeds'
 * own texts: nobody here can sign. So whatever is accepted parses again, and
 * its payload is what its segment says.
 */
#include "tests/fuzz/fuzz.h"

#include "token/verify.h"

/* Public halves of keys made for this corpus; the private ones are gone. */
#include "tests/fuzz/jws_keys.h"

static const char *const AUD[] = {"us"};
static struct token_ctx *ctx;
static struct token_issuer issuer = {
	.rules = {.issuer = "https://i",
		.audiences = AUD,
		.n_audiences = 1,
		.algs = TOKEN_ALG_BIT(TOKEN_ALGS) - 1,
		.max_bytes = TOKEN_MAX_BYTES},
};

static void start(void)
{
	if (ctx)
		return;
	ctx = token_ctx_new();
	FUZZ_CHECK(ctx);
	FUZZ_CHECK(!token_keyset_parse(SPAN(JWS_KEYS), issuer.rules.algs, &issuer.keys, NULL));
}

static void check_signed(struct span token)
{
	struct token_jws jws;

	if (token_jws_parse(ctx, token, &jws) != BASE_REASON_OK)
		return;
	FUZZ_CHECK(jws.signing_input.n < token.n && jws.signing_input.p == token.p);
	FUZZ_CHECK(jws.payload.n < jws.signing_input.n);
	FUZZ_CHECK(strlen(jws.typ) <= TOKEN_TYP_MAX && strlen(jws.kid) == jws.kid_len);
	for (size_t i = 0; i < token_keyset_count(issuer.keys); i++)
		if (token_jws_verify(ctx, &jws, token_keyset_at(issuer.keys, i)) == BASE_REASON_OK)
			FUZZ_CHECK(jws.alg == token_keyset_at(issuer.keys, i)->alg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span token = {.p = (const char *)data, .n = size};
	struct token_claims claims = {0};
	int hint = 77;
	enum base_reason reason;

	start();
	reason = token_verify(ctx, &issuer, 1, token, 1800000000, &claims, &hint);
	FUZZ_CHECK(reason != BASE_REASON_INTERNAL && hint != 77);
	FUZZ_CHECK((reason == BASE_REASON_OK) == (claims.claims != NULL));
	if (reason == BASE_REASON_OK)
		FUZZ_CHECK(span_is(claims.iss, "https://i"));
	token_claims_done(&claims);
	check_signed(token);
	return 0;
}
