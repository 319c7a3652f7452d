#include "token/claims.h"

#include "token/json.h"

#include <errno.h>
#include <math.h>

static const struct token_json_caps CAPS = {
	.depth = TOKEN_JSON_DEPTH,
	.elements = TOKEN_JSON_ELEMENTS,
};

/* Absent is fine and stays {NULL, 0}; present it must be proper text. */
static bool read_text(const json_t *claims, const char *name, struct span *ret_text)
{
	if (!json_object_get(claims, name))
		return true;
	*ret_text = token_json_text(claims, name, TOKEN_TEXT_MAX);
	return ret_text->n > 0;
}

enum rounding {
	DOWN,
	UP,
};

/* NumericDate (RFC 7519 2). A comparison with a NaN is false. */
static bool read_time(const json_t *claims, const char *name, enum rounding rounding,
	int64_t *ret_time, bool *ret_has)
{
	const json_t *value = json_object_get(claims, name);

	if (!value)
		return true;
	if (json_is_integer(value))
		*ret_time = json_integer_value(value);
	else if (json_is_real(value) && json_real_value(value) >= 0 &&
		 json_real_value(value) <= (double)TOKEN_TIME_MAX)
		*ret_time = (int64_t)(rounding == UP ? ceil(json_real_value(value))
						     : floor(json_real_value(value)));
	else
		return false;
	*ret_has = true;
	return *ret_time >= 0 && *ret_time <= TOKEN_TIME_MAX;
}

static struct span text_of(const json_t *value)
{
	return (struct span){.p = json_string_value(value), .n = json_string_length(value)};
}

static bool is_audience(const json_t *value)
{
	struct span text;

	if (!json_is_string(value))
		return false;
	text = text_of(value);
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return false;
	return text.n > 0 && text.n <= TOKEN_TEXT_MAX;
}

bool token_claims_is_audience(const json_t *aud)
{
	if (!aud || is_audience(aud))
		return true;
	for (size_t i = 0; i < json_array_size(aud); i++)
		if (!is_audience(json_array_get(aud, i)))
			return false;
	return json_array_size(aud) > 0;
}

/* Cloudflare sends an empty one for services: nobody's name is nobody. */
static bool read_subject(const json_t *claims, struct span *ret_sub)
{
	const json_t *sub = json_object_get(claims, "sub");

	return (json_is_string(sub) && !json_string_length(sub)) ||
	       read_text(claims, "sub", ret_sub);
}

static struct span first_text(const json_t *claims, const char *const names[], size_t n, size_t max)
{
	struct span text = {0};

	for (size_t i = 0; i < n && !text.n; i++)
		text = token_json_text(claims, names[i], max);
	return text;
}

static bool read_claims(const json_t *json, struct token_payload *payload)
{
	static const char *const CLIENT_ID[] = {"azp", "client_id", "cid"};
	struct token_claims *claims = &payload->claims;

	claims->client_id = first_text(json, CLIENT_ID, ARRAY_SIZE(CLIENT_ID), TOKEN_TEXT_MAX);
	claims->aud = json_object_get(json, "aud");
	return read_text(json, "iss", &claims->iss) && read_subject(json, &claims->sub) &&
	       read_text(json, "jti", &claims->jti) && token_claims_is_audience(claims->aud) &&
	       read_time(json, "exp", DOWN, &claims->exp, &payload->has_exp) &&
	       read_time(json, "nbf", UP, &claims->nbf, &payload->has_nbf) &&
	       read_time(json, "iat", UP, &claims->iat, &payload->has_iat);
}

/* Members of the header among the claims. What both say, both must say alike. */
static enum base_reason add_header(
	json_t *claims, const json_t *header, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_t *value = json_object_get(header, names[i]);
		const json_t *own = json_object_get(claims, names[i]);

		if (value && own && !json_equal(value, own))
			return BASE_REASON_CLAIMS_MALFORMED;
		if (value && !own && json_object_set(claims, names[i], value))
			return BASE_REASON_INTERNAL;
	}
	return BASE_REASON_OK;
}

enum base_reason token_claims_parse(struct span json, struct token_payload *ret_payload)
{
	return token_claims_parse_with(json, NULL, NULL, 0, ret_payload);
}

enum base_reason token_claims_parse_with(struct span json, const json_t *header,
	const char *const *names, size_t n_names, struct token_payload *ret_payload)
{
	cleanup(json) json_t *claims = token_json_parse(json, CAPS);
	struct token_payload payload = {0};
	enum base_reason reason;

	if (!claims && errno == ENOMEM)
		return BASE_REASON_INTERNAL;
	if (!json_is_object(claims))
		return BASE_REASON_CLAIMS_MALFORMED;
	reason = add_header(claims, header, names, n_names);
	if (reason != BASE_REASON_OK)
		return reason;
	if (!read_claims(claims, &payload))
		return BASE_REASON_CLAIMS_MALFORMED;
	payload.claims.claims = TAKE_PTR(claims);
	*ret_payload = payload;
	return BASE_REASON_OK;
}

void token_claims_done(struct token_claims *claims)
{
	json_decref(claims->claims);
	json_decref(claims->joined);
	*claims = (struct token_claims){0};
}

static bool is_ours(struct span audience, const struct token_provider *rules)
{
	for (size_t i = 0; i < rules->n_audiences; i++)
		if (span_is(audience, rules->audiences[i]))
			return true;
	return false;
}

static bool names_us(const json_t *aud, const struct token_provider *rules)
{
	if (json_is_string(aud))
		return is_ours(text_of(aud), rules);
	for (size_t i = 0; i < json_array_size(aud); i++)
		if (is_ours(text_of(json_array_get(aud, i)), rules))
			return true;
	return false;
}

static bool lives_too_long(const struct token_payload *payload, int64_t max_s)
{
	int64_t start = payload->has_nbf ? payload->claims.nbf : payload->claims.iat;

	if (!max_s)
		return false;
	if (!payload->has_nbf && !payload->has_iat)
		return true;
	return payload->claims.exp - start > max_s;
}

enum base_reason token_times_check(
	int64_t exp, int64_t nbf, int64_t iat, const struct token_provider *rules, int64_t now_s)
{
	if (now_s >= exp + rules->leeway_s)
		return BASE_REASON_EXPIRED;
	if (nbf - rules->leeway_s > now_s)
		return BASE_REASON_NOT_YET_VALID;
	if (iat - rules->leeway_s > now_s)
		return BASE_REASON_ISSUED_IN_FUTURE;
	return BASE_REASON_OK;
}

enum base_reason token_claims_check(
	const struct token_payload *payload, const struct token_provider *rules, int64_t now_s)
{
	const struct token_claims *claims = &payload->claims;
	enum base_reason reason;

	if (!names_us(claims->aud, rules))
		return BASE_REASON_AUDIENCE_MISMATCH;
	if (!payload->has_exp)
		return BASE_REASON_EXPIRY_MISSING;
	reason = token_times_check(claims->exp, claims->nbf, claims->iat, rules, now_s);
	if (reason != BASE_REASON_OK)
		return reason;
	if (lives_too_long(payload, rules->max_lifetime_s))
		return BASE_REASON_LIFETIME_TOO_LONG;
	return BASE_REASON_OK;
}
