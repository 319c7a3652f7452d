/* Any bytes as the payload of a token whose signature held. */
#include "tests/fuzz/fuzz.h"

#include "token/claims.h"

static void check_text(struct span text)
{
	FUZZ_CHECK(text.n <= TOKEN_TEXT_MAX);
	for (size_t i = 0; i < text.n; i++)
		FUZZ_CHECK((unsigned char)text.p[i] >= 0x20 && text.p[i] != 0x7f);
}

static void check_time(int64_t time)
{
	FUZZ_CHECK(time >= 0 && time <= TOKEN_TIME_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const AUD[] = {"us"};
	const struct token_provider rules = {
		.audiences = AUD, .n_audiences = 1, .leeway_s = 300, .max_lifetime_s = 3600};
	struct token_payload payload = {0};
	enum base_reason reason =
		token_claims_parse((struct span){.p = (const char *)data, .n = size}, &payload);

	FUZZ_CHECK(reason == BASE_REASON_OK || reason == BASE_REASON_CLAIMS_MALFORMED);
	FUZZ_CHECK((reason == BASE_REASON_OK) == (payload.claims.claims != NULL));
	if (reason != BASE_REASON_OK)
		return 0;
	check_text(payload.claims.iss);
	check_text(payload.claims.sub);
	check_text(payload.claims.jti);
	check_text(payload.claims.client_id);
	check_time(payload.claims.exp);
	check_time(payload.claims.iat);
	check_time(payload.claims.nbf);
	if (token_claims_check(&payload, &rules, 1800000000) == BASE_REASON_OK)
		FUZZ_CHECK(payload.claims.exp > 1800000000 - 300);
	token_claims_done(&payload.claims);
	return 0;
}
