#include "token/verify.h"

#include "token/claims.h"
#include "token/issuer.h"
#include "token/json.h"
#include "token/mapping.h"
#include "token/purpose.h"

/* What one verification has found out so far. */
struct search {
	struct token_ctx *ctx;
	const struct token_issuer *issuers;
	size_t n_issuers;
	size_t token_bytes;
	struct token_jws jws;
	struct token_payload payload;        /* owns claims once read */
	uint64_t key;                        /* print of the key that made the signature */
	bool read;                           /* a signature held, and the payload is read */
	const struct token_provider *merged; /* with header claims of this provider, or NULL */
	bool tried;                          /* at least one key was tried */
};

static void cleanup_fn_search(struct search *s)
{
	token_claims_done(&s->payload.claims);
}

static bool allows_alg(const struct search *s, const struct token_provider *rules)
{
	return rules->algs & TOKEN_ALG_BIT(s->jws.alg);
}

/* With padding only where the provider pads, and then every part. */
static bool has_form(const struct search *s, const struct token_provider *rules)
{
	return rules->padded ? s->jws.whole_quads : !s->jws.padding;
}

static bool allows(const struct search *s, const struct token_provider *rules)
{
	return allows_alg(s, rules) && has_form(s, rules) && s->token_bytes <= rules->max_bytes;
}

/* Is there a provider for this token at all? */
static enum base_reason check_front(const struct search *s)
{
	enum base_reason reason = BASE_REASON_ALG_NOT_ALLOWED;

	for (size_t i = 0; i < s->n_issuers; i++) {
		if (allows(s, &s->issuers[i].rules))
			return BASE_REASON_OK;
		if (!allows_alg(s, &s->issuers[i].rules))
			continue;
		if (has_form(s, &s->issuers[i].rules))
			reason = BASE_REASON_TOKEN_TOO_LARGE;
		else if (reason == BASE_REASON_ALG_NOT_ALLOWED)
			reason = BASE_REASON_TOKEN_MALFORMED;
	}
	return reason;
}

static bool is_candidate(const struct search *s, const struct token_key *key)
{
	struct span kid = {.p = s->jws.kid, .n = s->jws.kid_len};

	if (key->alg != s->jws.alg)
		return false;
	/* A shared secret is the only key its provider has, whatever the token calls it. */
	return !s->jws.has_kid || TOKEN_ALG_BIT(key->alg) & TOKEN_ALGS_HMAC ||
	       span_eq(key->kid, kid);
}

static size_t count_candidates(const struct search *s, const struct token_keyset *keys)
{
	size_t n = 0;

	for (size_t i = 0; i < token_keyset_count(keys); i++)
		n += is_candidate(s, token_keyset_at(keys, i));
	return n;
}

/*
 * OK when one of the set's keys made the signature, KEY_UNKNOWN when none was
 * there to try, SIGNATURE_INVALID or INTERNAL. Without a kid, or with one that
 * many keys share, a stranger could make us try a whole set: then we try none
 * (no kid) or the first few.
 */
static enum base_reason try_keys(struct search *s, const struct token_keyset *keys)
{
	size_t left = count_candidates(s, keys);
	enum base_reason reason = BASE_REASON_KEY_UNKNOWN;

	if (!s->jws.has_kid && left > TOKEN_KIDLESS_KEYS)
		return BASE_REASON_KEY_UNKNOWN;
	if (left > TOKEN_KIDLESS_KEYS)
		left = TOKEN_KIDLESS_KEYS;
	for (size_t i = 0; left && i < token_keyset_count(keys); i++) {
		const struct token_key *key = token_keyset_at(keys, i);

		if (!is_candidate(s, key))
			continue;
		reason = token_jws_verify(s->ctx, &s->jws, key);
		s->key = key->print;
		if (reason != BASE_REASON_SIGNATURE_INVALID)
			return reason;
		left--;
	}
	return reason;
}

static enum base_reason parse_payload(struct search *s, const struct token_provider *merged)
{
	cleanup(json) json_t *header = NULL;
	enum base_reason reason = BASE_REASON_OK;

	if (merged)
		reason = token_jws_header(s->ctx, &s->jws, &header);
	if (reason != BASE_REASON_OK)
		return reason;
	if (!merged)
		return token_claims_parse(s->jws.payload, &s->payload);
	return token_claims_parse_with(s->jws.payload, header, merged->header_claims,
		merged->n_header_claims, &s->payload);
}

static enum base_reason read_payload(struct search *s, const struct token_provider *rules)
{
	const struct token_provider *merged = rules->n_header_claims ? rules : NULL;
	enum base_reason reason;

	if (s->read && s->merged == merged)
		return BASE_REASON_OK;
	token_claims_done(&s->payload.claims);
	reason = parse_payload(s, merged);
	s->read = reason == BASE_REASON_OK;
	s->merged = merged;
	return reason;
}

static bool is_issuer(const struct search *s, const struct token_provider *rules)
{
	const struct token_claims *claims = &s->payload.claims;

	return token_issuer_is(rules, claims->iss, claims->sub, claims->claims);
}

/* OK: this provider's key signed, and the token says so (RFC 8725 3.8). */
static enum base_reason try_issuer(struct search *s, const struct token_issuer *issuer)
{
	enum base_reason reason;

	if (!issuer->keys)
		return BASE_REASON_KEYS_UNAVAILABLE;
	reason = try_keys(s, issuer->keys);
	if (reason == BASE_REASON_SIGNATURE_INVALID)
		s->tried = true;
	if (reason != BASE_REASON_OK)
		return reason;
	reason = read_payload(s, &issuer->rules);
	if (reason != BASE_REASON_OK)
		return reason;
	return is_issuer(s, &issuer->rules) ? BASE_REASON_OK : BASE_REASON_ISSUER_MISMATCH;
}

/* Reasons after which the next provider may still know the token. */
static bool may_go_on(enum base_reason reason)
{
	return reason == BASE_REASON_KEY_UNKNOWN || reason == BASE_REASON_KEYS_UNAVAILABLE ||
	       reason == BASE_REASON_SIGNATURE_INVALID || reason == BASE_REASON_ISSUER_MISMATCH;
}

/*
 * Nobody knows the token. While a provider that may have made it has no keys,
 * that is not the token's fault: two providers may use one kid, or one key.
 */
static enum base_reason why_nobody(const struct search *s)
{
	for (size_t i = 0; i < s->n_issuers; i++) {
		const struct token_issuer *issuer = &s->issuers[i];

		if (issuer->keys || !allows(s, &issuer->rules))
			continue;
		if (!s->read || is_issuer(s, &issuer->rules))
			return BASE_REASON_KEYS_UNAVAILABLE;
	}
	if (s->read)
		return BASE_REASON_ISSUER_MISMATCH;
	return s->tried ? BASE_REASON_SIGNATURE_INVALID : BASE_REASON_KEY_UNKNOWN;
}

static enum base_reason find_issuer(struct search *s, size_t *ret_issuer)
{
	for (size_t i = 0; i < s->n_issuers; i++) {
		enum base_reason reason;

		if (!allows(s, &s->issuers[i].rules))
			continue;
		reason = try_issuer(s, &s->issuers[i]);
		if (reason == BASE_REASON_OK)
			*ret_issuer = i;
		if (!may_go_on(reason))
			return reason;
	}
	return why_nobody(s);
}

static enum base_reason run(struct search *s, int64_t now_s, size_t *ret_issuer)
{
	enum base_reason reason = check_front(s);
	const struct token_provider *rules;

	if (reason == BASE_REASON_OK)
		reason = find_issuer(s, ret_issuer);
	if (reason != BASE_REASON_OK)
		return reason;
	rules = &s->issuers[*ret_issuer].rules;
	reason = token_purpose_check(s->jws.typ, s->payload.claims.claims, rules);
	if (reason == BASE_REASON_OK)
		reason = token_mapping_apply(&s->payload, rules);
	if (reason == BASE_REASON_OK)
		reason = token_claims_check(&s->payload, rules, now_s);
	return reason;
}

static bool anybody_pads(const struct token_issuer *issuers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (issuers[i].rules.padded)
			return true;
	return false;
}

enum base_reason token_verify(struct token_ctx *ctx, const struct token_issuer *issuers,
	size_t n_issuers, struct span token, int64_t now_s, struct token_claims *ret_claims,
	int *hint_alg)
{
	cleanup(search) struct search s = {
		.ctx = ctx, .issuers = issuers, .n_issuers = n_issuers, .token_bytes = token.n};
	enum base_reason reason = anybody_pads(issuers, n_issuers)
					  ? token_jws_parse_padded(ctx, token, &s.jws)
					  : token_jws_parse(ctx, token, &s.jws);
	size_t issuer = 0;

	if (hint_alg)
		*hint_alg = reason == BASE_REASON_OK ? (int)s.jws.alg : -1;
	if (reason == BASE_REASON_OK)
		reason = run(&s, now_s, &issuer);
	if (reason != BASE_REASON_OK)
		return reason;
	*ret_claims = s.payload.claims;
	s.payload.claims = (struct token_claims){0};
	ret_claims->issuer = issuer;
	ret_claims->key = s.key;
	memcpy(ret_claims->kid, s.jws.kid, sizeof(ret_claims->kid));
	return BASE_REASON_OK;
}
