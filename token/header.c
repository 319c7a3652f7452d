#include "token/header.h"

#include <errno.h>

#define APPLICATION "application/"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* RFC 7515 4.1.9: media types compare without case, and the prefix is implied without a slash. */
static struct span cut_application(struct span typ)
{
	size_t n = sizeof(APPLICATION) - 1;

	if (typ.n < n || memcmp(typ.p, APPLICATION, n) || memchr(typ.p + n, '/', typ.n - n))
		return typ;
	return (struct span){.p = typ.p + n, .n = typ.n - n};
}

static enum base_reason read_typ(const json_t *header, char ret_typ[TOKEN_TYP_MAX + 1])
{
	char text[sizeof(APPLICATION) + TOKEN_TYP_MAX];
	struct span typ = token_json_text(header, "typ", sizeof(text));

	if (!json_object_get(header, "typ"))
		return BASE_REASON_OK;
	for (size_t i = 0; i < typ.n; i++) {
		if (typ.p[i] & 0x80)
			return BASE_REASON_HEADER_MALFORMED;
		text[i] = lower(typ.p[i]);
	}
	typ = cut_application((struct span){.p = text, .n = typ.n});
	/* Nothing left would read as absent. */
	if (!typ.n || typ.n > TOKEN_TYP_MAX)
		return BASE_REASON_HEADER_MALFORMED;
	memcpy(ret_typ, typ.p, typ.n);
	ret_typ[typ.n] = '\0';
	return BASE_REASON_OK;
}

static enum base_reason read_kid(const json_t *header, struct token_jws *jws)
{
	const json_t *kid = json_object_get(header, "kid");

	if (!kid)
		return BASE_REASON_OK;
	if (!json_is_string(kid) || json_string_length(kid) > TOKEN_KID_MAX)
		return BASE_REASON_HEADER_MALFORMED;
	jws->kid_len = json_string_length(kid);
	memcpy(jws->kid, json_string_value(kid), jws->kid_len + 1);
	jws->has_kid = true;
	return BASE_REASON_OK;
}

static enum base_reason read_alg(const json_t *header, enum token_alg *ret_alg)
{
	const json_t *alg = json_object_get(header, "alg");
	int found;

	if (!json_is_string(alg))
		return BASE_REASON_HEADER_MALFORMED;
	found = token_alg_find((struct span){
		.p = json_string_value(alg),
		.n = json_string_length(alg),
	});
	if (found < 0)
		return BASE_REASON_ALG_NOT_ALLOWED;
	*ret_alg = (enum token_alg)found;
	return BASE_REASON_OK;
}

static enum base_reason read_members(const json_t *header, struct token_jws *jws)
{
	enum base_reason reason;

	/* We implement no extension, so whatever crit says, it is not for us (RFC 7515 4.1.11). */
	if (json_object_get(header, "crit") || json_object_get(header, "b64"))
		return BASE_REASON_CRIT_UNSUPPORTED;
	reason = read_alg(header, &jws->alg);
	if (reason == BASE_REASON_OK)
		reason = read_typ(header, jws->typ);
	if (reason == BASE_REASON_OK)
		reason = read_kid(header, jws);
	return reason;
}

enum base_reason token_header_parse(struct span json, struct token_jws *ret_jws)
{
	cleanup(json) json_t *header = token_json_parse(json, TOKEN_HEADER_CAPS);
	struct token_jws jws = *ret_jws;
	enum base_reason reason;

	if (!header && errno == ENOMEM)
		return BASE_REASON_INTERNAL;
	if (!json_is_object(header))
		return BASE_REASON_HEADER_MALFORMED;
	jws.typ[0] = jws.kid[0] = '\0';
	jws.kid_len = 0;
	jws.has_kid = false;
	reason = read_members(header, &jws);
	if (reason == BASE_REASON_OK)
		*ret_jws = jws;
	return reason;
}
