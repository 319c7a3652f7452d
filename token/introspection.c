#include "token/introspection.h"

#include "token/claims.h"
#include "token/issuer.h"
#include "token/json.h"
#include "token/mapping.h"

static const struct token_json_caps CAPS = {
	.depth = TOKEN_JSON_DEPTH,
	.elements = TOKEN_JSON_ELEMENTS,
};

/* In whole seconds; what is no time will be refused when the claims are read. */
static int64_t exp_of(const json_t *exp)
{
	double value = json_number_value(exp);

	if (!json_is_number(exp) || value > (double)TOKEN_TIME_MAX)
		return INT64_MAX;
	return value < 0 ? 0 : (int64_t)value;
}

enum token_introspected token_introspection_judge(struct span json, int64_t *ret_exp)
{
	cleanup(json) json_t *answer = token_json_parse(json, CAPS);
	const json_t *active = json_object_get(answer, "active");

	if (!json_is_boolean(active))
		return TOKEN_INTROSPECTED_NONSENSE;
	if (json_is_false(active))
		return TOKEN_INTROSPECTED_INACTIVE;
	*ret_exp = exp_of(json_object_get(answer, "exp"));
	return TOKEN_INTROSPECTED_ACTIVE;
}

static void cleanup_fn_payload(struct token_payload *payload)
{
	token_claims_done(&payload->claims);
}

/* What token_claims_check wants, with the provider's word where the answer has none. */
static enum base_reason check(struct token_payload *payload, const struct token_provider *rules,
	const struct token_introspection_rules *how, int64_t now_s)
{
	struct token_provider lenient = *rules;

	if (!payload->has_exp) {
		payload->claims.exp = how->good_till;
		payload->has_exp = true;
	}
	/* It is asked for anew again and again: how long it lives in all is the provider's affair. */
	if (!payload->has_iat && !payload->has_nbf)
		lenient.max_lifetime_s = 0;
	if (!payload->claims.aud && !how->need_audience)
		return token_times_check(payload->claims.exp, payload->claims.nbf,
			payload->claims.iat, &lenient, now_s);
	return token_claims_check(payload, &lenient, now_s);
}

enum base_reason token_introspection_read(struct span json, const struct token_provider *rules,
	const struct token_introspection_rules *how, int64_t now_s, struct token_claims *ret_claims)
{
	cleanup(payload) struct token_payload payload = {0};
	enum base_reason reason = token_claims_parse(json, &payload);
	struct token_claims *claims = &payload.claims;
	/* Rules on more than the issuer's name hold whether or not the answer names it. */
	bool more = rules->trust_domain || strstr(rules->issuer, TOKEN_TENANT);

	if (reason != BASE_REASON_OK)
		return reason;
	if (!json_is_true(json_object_get(claims->claims, "active")))
		return BASE_REASON_TOKEN_INACTIVE;
	if ((claims->iss.n || more) &&
		!token_issuer_is(rules, claims->iss, claims->sub, claims->claims))
		return BASE_REASON_ISSUER_MISMATCH;
	if (!claims->iss.n)
		claims->iss = span_of(rules->issuer);
	reason = token_mapping_apply(&payload, rules);
	if (reason == BASE_REASON_OK)
		reason = check(&payload, rules, how, now_s);
	if (reason != BASE_REASON_OK)
		return reason;
	claims->issuer = how->issuer;
	*ret_claims = *claims;
	*claims = (struct token_claims){0};
	return BASE_REASON_OK;
}

/* b64token: RFC 6750 2.1. */
static bool is_b64token(struct span token)
{
	size_t n = token.n;

	while (n && token.p[n - 1] == '=')
		n--;
	for (size_t i = 0; i < n; i++) {
		char c = token.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    (c && strchr("-._~+/", c))))
			return false;
	}
	return n > 0;
}

bool token_introspection_is_opaque(struct span token)
{
	size_t dots = span_count(token, '.', 5);

	return dots != 2 && dots != 4 && is_b64token(token);
}
