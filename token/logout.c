#include "token/logout.h"

#include "token/json.h"
#include "token/purpose.h"

struct token_provider token_logout_rules(
	const struct token_provider *from, const char *const *audiences, size_t n_audiences)
{
	static const char *const TYPES[] = {"logout+jwt"};
	struct token_provider rules = *from;

	rules.audiences = audiences;
	rules.n_audiences = n_audiences;
	rules.types = TYPES;
	rules.n_types = ARRAY_SIZE(TYPES);
	rules.type_required = true;
	rules.id_tokens = true; /* a nonce is refused by name, below */
	/* Where other tokens have their claims says nothing of these (2.4). */
	rules.subject = rules.audience = rules.client_id = rules.scope = (struct token_path){0};
	rules.n_header_claims = 0;
	return rules;
}

/* 2.4: the event's value is an object, which may be empty. */
static bool has_event(const json_t *claims)
{
	return json_is_object(
		json_object_get(json_object_get(claims, "events"), TOKEN_LOGOUT_EVENT));
}

/* 2.6, steps 4 to 7; sid may be absent, and is text otherwise. */
static bool is_well_formed(const struct token_claims *claims, struct span sid)
{
	const json_t *json = claims->claims;

	return has_event(json) && !json_object_get(json, "nonce") && claims->jti.n &&
	       json_object_get(json, "iat") && (claims->sub.n || sid.n) &&
	       (sid.n || !json_object_get(json, "sid"));
}

enum base_reason token_logout_verify(struct token_ctx *ctx, const struct token_issuer *issuers,
	size_t n_issuers, struct span token, int64_t now_s, struct token_claims *ret_claims,
	struct span *ret_sid, int *hint_alg)
{
	cleanup(token_claims) struct token_claims claims = {0};
	enum base_reason reason =
		token_verify(ctx, issuers, n_issuers, token, now_s, &claims, hint_alg);
	struct span sid;

	if (reason != BASE_REASON_OK)
		return reason;
	sid = token_json_text(claims.claims, "sid", TOKEN_TEXT_MAX);
	if (!is_well_formed(&claims, sid))
		return BASE_REASON_CLAIMS_MALFORMED;
	if (claims.iat + TOKEN_LOGOUT_MAX_AGE_S + issuers[claims.issuer].rules.leeway_s < now_s)
		return BASE_REASON_EXPIRED;
	*ret_claims = claims;
	*ret_sid = sid;
	claims = (struct token_claims){0};
	return BASE_REASON_OK;
}
