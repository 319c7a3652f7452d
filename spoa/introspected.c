/*
 * Does its provider still stand by it? For signed tokens of providers that are
 * always asked (introspection.use: always); opaque ones were asked about when
 * they were authenticated. Every time, so that a token that its provider ends
 * is refused as soon as the last word about it is too old.
 *
 * TOKEN_INACTIVE, INTROSPECTION_UNAVAILABLE; or SPOA_NEEDS.
 */
#include "spoa/introspected.h"

#include "spoa/results.h"
#include "spoa/stages.h"
#include "token/introspection.h"

#include <string.h>

/* What provider i said about the request's token; what is not known is to be asked for. */
static enum spoa_step look(struct spoa_case *c, size_t i, struct spoa_result *ret_result)
{
	const struct spoa_config *config = c->snapshot->config;
	struct span token = c->request->token;
	struct spoa_results_key key = {.origin = config->origins[i]};
	enum spoa_said said = SPOA_SAID_FAILED;

	_Static_assert(sizeof(key.hash) == sizeof(c->hash), "SHA-256, too");
	memcpy(key.hash, c->hash, sizeof(key.hash));
	if (c->state->results)
		said = spoa_results_find(c->state->results, &key, c->now->boot_ns, c->state->answer,
			TOKEN_INTROSPECTION_MAX, ret_result);
	switch (said) {
	case SPOA_SAID_ACTIVE:
		return SPOA_NEXT;
	case SPOA_SAID_INACTIVE:
		return spoa_refuse(c, BASE_REASON_TOKEN_INACTIVE);
	case SPOA_SAID_FAILED:
		return spoa_refuse(c, BASE_REASON_INTROSPECTION_UNAVAILABLE);
	case SPOA_SAID_NOTHING:
	case SPOA_SAID_PENDING:
		break;
	}
	c->need.introspect = (struct spoa_need_token){
		.config = c->snapshot->config, .provider = i, .key = key, .token = token};
	return SPOA_NEEDS;
}

static bool begins_with(struct span token, const char *prefix)
{
	size_t n = prefix ? strlen(prefix) : 0;

	return token.n >= n && !memcmp(token.p, prefix ? prefix : "", n);
}

/* The provider whose opaque tokens look like this; the longest prefix counts. -1: nobody's do. */
static int provider_of(const struct conf *conf, struct span token)
{
	size_t longest = 0;
	int found = -1;

	for (size_t i = 0; i < conf->n_providers; i++) {
		const struct conf_introspection *how = &conf->providers[i].introspection;
		size_t n = how->prefix ? strlen(how->prefix) : 0;

		if (!how->url || !begins_with(token, how->prefix) || (found >= 0 && n <= longest))
			continue;
		longest = n;
		found = (int)i;
	}
	return found;
}

enum spoa_step spoa_introspected_claims(struct spoa_case *c, struct token_claims *ret_claims)
{
	const struct spoa_config *config = c->snapshot->config;
	int i = provider_of(config->conf, c->request->token);
	struct token_introspection_rules how = {.issuer = (size_t)i};
	struct spoa_result result;
	enum spoa_step step;

	if (i < 0)
		return spoa_refuse(c, BASE_REASON_TOKEN_MALFORMED);
	if (c->request->token.n > config->rules[i].max_bytes)
		return spoa_refuse(c, BASE_REASON_TOKEN_TOO_LARGE);
	step = look(c, (size_t)i, &result);
	if (step != SPOA_NEXT)
		return step;
	how.good_till = result.good_till;
	how.need_audience = config->conf->providers[i].introspection.audience_required;
	return spoa_unless_ok(c, token_introspection_read(result.json, &config->rules[i], &how,
					 base_clock_wall_s(c->now), ret_claims));
}

enum spoa_step spoa_stage_introspected(struct spoa_case *c)
{
	size_t i = c->caller->provider;
	const struct conf_introspection *how;
	struct spoa_result result;

	if (!c->request->token.n)
		return SPOA_NEXT;
	how = &c->snapshot->config->conf->providers[i].introspection;
	if (!how->url || how->use != CONF_INTROSPECT_ALWAYS ||
		token_introspection_is_opaque(c->request->token))
		return SPOA_NEXT;
	return look(c, i, &result);
}
