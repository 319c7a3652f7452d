/*
 * DPoP proofs under a fixed key and a fixed request. Nobody here can sign, so
 * what is accepted has a seed's very header, payload and signature.
 */
#include "tests/fuzz/fuzz.h"

#include "token/dpop.h"
#include "token/htu.h"

/* Of the key that made the corpus; it is gone. */
#include "tests/fuzz/dpop_key.h"

static struct token_ctx *ctx;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct token_dpop_request request = {
		.method = SPAN("GET"),
		.address = {.https = true, .host = SPAN("h"), .path = SPAN("/p")},
		.token = SPAN("token"),
		.jkt = SPAN(DPOP_JKT),
		.max_age_s = 60,
		.leeway_s = 30,
	};
	struct span proof = {.p = (const char *)data, .n = size};
	struct token_dpop got = {.iat = 77};
	const char *why = NULL;
	enum base_reason reason;

	if (!ctx)
		ctx = token_ctx_new();
	FUZZ_CHECK(ctx);
	reason = token_dpop_check(ctx, proof, &request, 1800000000, &got, &why);
	FUZZ_CHECK(reason == BASE_REASON_OK || reason == BASE_REASON_DPOP_INVALID);
	FUZZ_CHECK((reason == BASE_REASON_OK) == (got.iat != 77));
	FUZZ_CHECK((reason == BASE_REASON_OK) == (why == NULL));
	if (reason == BASE_REASON_OK)
		FUZZ_CHECK(got.iat >= 1800000000 - 60 && got.iat <= 1800000000 + 30);
	/* The address alone, so that mutations reach it without a signature. */
	FUZZ_CHECK(!token_htu_fits(proof, &request.address) || size >= 9);
	return 0;
}
