#include "token/issuer.h"

#include "token/json.h"
#include "token/spiffe.h"

#define UUID_LENGTH 36
#define SPIFFE      "spiffe://"

/* 8-4-4-4-12 hexadecimal digits (RFC 9562 4), in the one way that Entra writes them. */
static bool is_uuid(struct span text)
{
	if (text.n != UUID_LENGTH)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		char c = text.p[i];
		bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');

		if (dash ? c != '-' : !hex)
			return false;
	}
	return true;
}

static bool is_one_of(struct span text, const char *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_is(text, items[i]))
			return true;
	return false;
}

/* head, tid, tail: the template with the tenant in its place. */
static bool fills(struct span iss, const char *template, struct span tid)
{
	const char *at = strstr(template, TOKEN_TENANT);
	size_t head = (size_t)(at - template);
	struct span tail = span_of(at + strlen(TOKEN_TENANT));

	return iss.n == head + tid.n + tail.n && !memcmp(iss.p, template, head) &&
	       !memcmp(iss.p + head, tid.p, tid.n) && !memcmp(iss.p + head + tid.n, tail.p, tail.n);
}

static bool fits_template(const struct token_provider *rules, struct span iss, const json_t *claims)
{
	struct span tid = token_json_text(claims, "tid", UUID_LENGTH);

	if (!is_uuid(tid) || !fills(iss, rules->issuer, tid))
		return false;
	return !rules->n_tenants || is_one_of(tid, rules->tenants, rules->n_tenants);
}

bool token_issuer_is(
	const struct token_provider *rules, struct span iss, struct span sub, const json_t *claims)
{
	if (rules->trust_domain && !token_spiffe_is_in(sub, rules->trust_domain))
		return false;
	if (!iss.n)
		return rules->trust_domain && !strncmp(rules->issuer, SPIFFE, strlen(SPIFFE));
	if (is_one_of(iss, rules->issuer_aliases, rules->n_issuer_aliases))
		return true;
	if (strstr(rules->issuer, TOKEN_TENANT))
		return fits_template(rules, iss, claims);
	return span_is(iss, rules->issuer);
}
