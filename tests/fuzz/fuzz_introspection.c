/* Any bytes as a provider's answer about a token (RFC 7662 2.2), under two sets of rules. */
#include "tests/fuzz/fuzz.h"

#include "token/introspection.h"

#define NOW INT64_C(1800000000)

static void look(struct span json, const struct token_provider *rules, bool need_audience,
	enum token_introspected judged)
{
	const struct token_introspection_rules how = {
		.issuer = 7, .good_till = NOW + 60, .need_audience = need_audience};
	struct token_claims claims = {0};
	enum base_reason reason = token_introspection_read(json, rules, &how, NOW, &claims);

	FUZZ_CHECK((reason == BASE_REASON_OK) == (claims.claims != NULL));
	/* Nothing but an active one is ever somebody. */
	FUZZ_CHECK(reason != BASE_REASON_OK || judged == TOKEN_INTROSPECTED_ACTIVE);
	if (reason != BASE_REASON_OK)
		return;
	FUZZ_CHECK(claims.issuer == 7 && claims.iss.n && claims.sub.n <= TOKEN_TEXT_MAX);
	FUZZ_CHECK(claims.exp > NOW - rules->leeway_s);
	FUZZ_CHECK(!need_audience || claims.aud);
	token_claims_done(&claims);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const AUD[] = {"us"};
	const struct token_provider rules = {.name = "p",
		.issuer = "https://p",
		.audiences = AUD,
		.n_audiences = 1,
		.leeway_s = 300,
		.max_lifetime_s = 3600};
	struct span json = {.p = (const char *)data, .n = size};
	int64_t exp = -1;
	enum token_introspected judged = token_introspection_judge(json, &exp);

	FUZZ_CHECK((judged == TOKEN_INTROSPECTED_ACTIVE) == (exp >= 0));
	look(json, &rules, true, judged);
	look(json, &rules, false, judged);
	(void)token_introspection_is_opaque(json);
	return 0;
}
