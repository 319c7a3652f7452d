/*
 * What the backend is told about the caller, signed by us (RFC 7519): made
 * once for each of the caller's tokens and each assertion, used again for half
 * its life, and never beyond the token's own.
 *
 * ASSERTION_UNAVAILABLE when the role or the backend is to have one and none
 * can be made.
 */
#include "spoa/stages.h"

#include "spop/data.h"
#include "token/json.h"
#include "token/mint.h"

#include <errno.h>

static bool serves(const struct conf_assertion *assertion, struct span route)
{
	for (size_t i = 0; i < assertion->services.n; i++)
		if (span_is(route, assertion->services.items[i]))
			return true;
	return false;
}

/* The index of the one that the role names, else the first for this backend; -1: none. */
static int choose(const struct spoa_case *c)
{
	const struct conf *conf = c->snapshot->config->conf;
	const char *name = conf->roles[c->decision.asserts - c->snapshot->config->roles].assertion;

	for (size_t i = 0; i < conf->n_assertions; i++)
		if (name ? !strcmp(conf->assertions[i].name, name)
			 : serves(&conf->assertions[i], c->decision.route))
			return (int)i;
	return -1;
}

static int set_text(json_t *claims, const char *name, struct span text)
{
	return text.n ? json_object_set_new(claims, name, json_stringn(text.p, text.n)) : 0;
}

static json_t *value_of(const struct spop_data *value)
{
	if (value->type == SPOP_STR)
		return json_stringn(value->text.p, value->text.n);
	if (value->type == SPOP_BOOL)
		return json_boolean(value->boolean);
	return json_integer(value->sint);
}

static bool carries(const struct conf_assertion *assertion, const char *name)
{
	for (size_t i = 0; i < assertion->claims.n; i++)
		if (!strcmp(assertion->claims.items[i], name))
			return true;
	return false;
}

/* Those of the exported claims that it carries on; none of them replaces one of ours. */
static int set_carried(
	json_t *claims, const struct spoa_case *c, const struct conf_assertion *assertion)
{
	const struct spoa_exports *exports = &c->snapshot->config->exports;
	struct rd values = rd_span(spoa_caller_text(c->caller, SPOA_TEXT_EXPORTS));

	for (size_t i = 0; i < exports->n; i++) {
		struct spop_data value = {0};
		const char *name = exports->names[i];

		spop_data_parse(&values, &value);
		if (value.type == SPOP_NULL || !carries(assertion, name) ||
			json_object_get(claims, name))
			continue;
		if (json_object_set_new(claims, name, value_of(&value)))
			return -ENOMEM;
	}
	return 0;
}

/*
 * idp says whose sub it is: two providers may use the same. No jti: one
 * assertion goes with many requests.
 */
static json_t *make_claims(const struct spoa_case *c, const struct conf_assertion *assertion,
	int64_t now_s, int64_t exp)
{
	const struct spoa_config *config = c->snapshot->config;
	cleanup(json) json_t *claims =
		json_pack("{s:s, s:s, s:I, s:I}", "iss", config->conf->assertion.issuer, "aud",
			assertion->audience, "iat", (json_int_t)now_s, "exp", (json_int_t)exp);

	if (!claims || set_text(claims, "role", c->decision.names) ||
		set_text(claims, "sub", spoa_caller_text(c->caller, SPOA_TEXT_SUB)) ||
		set_text(claims, "idp", spoa_caller_iss(c->caller, config)) ||
		set_text(claims, "client_id", spoa_caller_text(c->caller, SPOA_TEXT_CLIENT_ID)) ||
		set_carried(claims, c, assertion))
		return NULL;
	return TAKE_PTR(claims);
}

static char *sign(const struct spoa_case *c, int which, const json_t *claims, int64_t now_s)
{
	const struct conf_assertion *assertion = &c->snapshot->config->conf->assertions[which];
	const struct token_signer *signer;

	if (assertion->algorithm == CONF_ASSERTION_HS256)
		return token_mint(&(const struct token_mint){
			.alg = "HS256",
			.key = c->snapshot->config->secrets[which],
			.claims = claims,
		});
	signer = spoa_signers_at(c->snapshot->signers,
		assertion->algorithm == CONF_ASSERTION_ES256 ? TOKEN_ES256 : TOKEN_EDDSA, now_s);
	return signer ? token_signer_sign(signer, "JWT", claims) : NULL;
}

static enum base_reason mint(struct spoa_case *c, const struct spoa_minted_key *key)
{
	const struct spoa_config *config = c->snapshot->config;
	const struct conf_assertion *assertion = &config->conf->assertions[key->which];
	int64_t now_s = base_clock_wall_s(c->now);
	int64_t last = c->caller->exp + config->rules[c->caller->provider].leeway_s;
	int64_t exp = now_s + assertion->ttl / 1000;
	cleanup(json) json_t *claims = NULL;
	cleanup(free) char *text = NULL;

	if (exp > last)
		exp = last;
	claims = make_claims(c, assertion, now_s, exp);
	if (claims)
		text = sign(c, key->which, claims, now_s);
	if (!text) {
		c->decision.why = "it cannot be signed";
		return BASE_REASON_ASSERTION_UNAVAILABLE;
	}
	if (strlen(text) > SPOA_MINTED_MAX) {
		c->decision.why = "it is too long";
		return BASE_REASON_ASSERTION_UNAVAILABLE;
	}
	c->decision.assertion = span_of(text);
	spoa_minted_put(c->state->minted, key, TAKE_PTR(text), now_s + (exp - now_s + 1) / 2);
	return BASE_REASON_OK;
}

/* The role was found, and is of no use without it. */
static void fail(struct spoa_case *c, enum base_reason reason)
{
	const char *why = c->decision.why;

	spoa_decision_fail(&c->decision, reason);
	c->decision.why = why;
}

enum spoa_step spoa_stage_assertion(struct spoa_case *c)
{
	const struct spoa_config *config = c->snapshot->config;
	int which = config->conf->n_assertions ? choose(c) : -1;
	struct spoa_minted_key key = {.config = config->serial, .which = (uint16_t)which};
	enum base_reason reason;

	if (which < 0)
		return SPOA_NEXT;
	key.roles = spoa_identity_hash(c->decision.names);
	/* Who came with a certificate alone is known by that; a token's hash was needed before. */
	if (!c->by_address && c->request->token.n)
		memcpy(key.token, c->hash, sizeof(key.token));
	else
		token_hash_of(c->by_address ? c->workload.labels : c->request->cert, key.token);
	c->decision.assertion = spoa_minted_find(c->state->minted, &key, base_clock_wall_s(c->now));
	if (c->decision.assertion.n)
		return SPOA_NEXT;
	reason = mint(c, &key);
	if (reason == BASE_REASON_OK)
		return SPOA_NEXT;
	fail(c, reason);
	return SPOA_DECIDED;
}
