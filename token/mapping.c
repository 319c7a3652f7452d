#include "token/mapping.h"

#include "base/wr.h"
#include "token/json.h"

const json_t *token_mapping_at(const json_t *claims, const struct token_path *path)
{
	for (size_t i = 0; i < path->n; i++)
		claims = json_object_get(claims, path->segments[i]);
	return claims;
}

static bool is_text(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return false;
	return text.n <= TOKEN_TEXT_MAX;
}

/* Absent is fine; present it must be proper text. */
static bool map_text(const json_t *claims, const struct token_path *path, struct span *ret_text)
{
	const json_t *value;

	if (!path->n)
		return true;
	value = token_mapping_at(claims, path);
	*ret_text = (struct span){0};
	if (!value)
		return true;
	if (!json_is_string(value))
		return false;
	*ret_text = (struct span){.p = json_string_value(value), .n = json_string_length(value)};
	return is_text(*ret_text);
}

static bool map_audience(struct token_claims *claims, const struct token_path *path)
{
	if (!path->n)
		return true;
	claims->aud = token_mapping_at(claims->claims, path);
	return token_claims_is_audience(claims->aud);
}

/* A scope holds no blank (RFC 6749 3.3); then it is not one, and the list is none. */
static bool is_scope(struct span text)
{
	return text.n && is_text(text) && !memchr(text.p, ' ', text.n);
}

static size_t join(const json_t *array, char *text, size_t size)
{
	struct wr w = wr_of(text, size);

	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *item = json_array_get(array, i);
		struct span scope = {json_string_value(item), json_string_length(item)};

		if (!json_is_string(item) || !is_scope(scope))
			return 0;
		if (i)
			wr_u8(&w, ' ');
		wr_bytes(&w, scope.p, scope.n);
	}
	return w.bad ? 0 : wr_len(&w);
}

/* "scope", else "scp" (RFC 8693 4.2; Okta and Entra), unless the provider has another place. */
static enum base_reason map_scope(struct token_claims *claims, const struct token_path *path)
{
	const json_t *scope = token_mapping_at(claims->claims, path);
	char text[TOKEN_SCOPE_MAX];
	size_t n;

	if (!path->n)
		scope = json_object_get(claims->claims, "scope")
				?: json_object_get(claims->claims, "scp");
	claims->scope = (struct span){0};
	if (json_is_string(scope) && json_string_length(scope) <= TOKEN_SCOPE_MAX)
		claims->scope = token_json_text_of(scope);
	n = join(scope, text, sizeof(text));
	if (!n)
		return BASE_REASON_OK;
	claims->joined = json_stringn(text, n);
	if (!claims->joined)
		return BASE_REASON_INTERNAL;
	claims->scope = token_json_text_of(claims->joined);
	return BASE_REASON_OK;
}

/*
 * RFC 8693 4.1: the outermost act is who acts now, those inside it are history
 * and decide nothing. More of it than anybody needs is an attack.
 */
static enum base_reason map_actor(struct token_claims *claims)
{
	static const char *const NAMES[] = {"sub", "client_id", "azp"};
	const json_t *act = json_object_get(claims->claims, "act");
	size_t depth = 0;

	claims->act = act;
	for (; act; act = json_object_get(act, "act")) {
		if (!json_is_object(act))
			return BASE_REASON_CLAIMS_MALFORMED;
		if (++depth > TOKEN_ACTORS_MAX)
			return BASE_REASON_ACTOR_TOO_DEEP;
	}
	for (size_t i = 0; i < ARRAY_SIZE(NAMES) && !claims->actor.n; i++) {
		const struct token_path path = {&NAMES[i], 1};

		if (!map_text(claims->act, &path, &claims->actor))
			return BASE_REASON_CLAIMS_MALFORMED;
	}
	return BASE_REASON_OK;
}

enum base_reason token_mapping_apply(
	struct token_payload *payload, const struct token_provider *rules)
{
	struct token_claims *claims = &payload->claims;
	enum base_reason reason;

	if (!map_text(claims->claims, &rules->subject, &claims->sub) ||
		!map_text(claims->claims, &rules->client_id, &claims->client_id) ||
		!map_audience(claims, &rules->audience))
		return BASE_REASON_CLAIMS_MALFORMED;
	reason = map_scope(claims, &rules->scope);
	return reason == BASE_REASON_OK ? map_actor(claims) : reason;
}
