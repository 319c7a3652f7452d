/*
 * Is the token good now and here? Whatever is remembered of it, its times are
 * compared with the clock and its audience with the provider's each time.
 *
 * AUDIENCE_MISMATCH, EXPIRED, NOT_YET_VALID or ISSUED_IN_FUTURE.
 */
#include "spoa/stages.h"
#include "token/claims.h"
#include "token/introspection.h"

/* An opaque token without an audience is for us where the provider's rules say so. */
static bool needs_none(const struct spoa_case *c)
{
	const struct conf_provider *provider =
		&c->snapshot->config->conf->providers[c->caller->provider];

	return !provider->introspection.audience_required &&
	       token_introspection_is_opaque(c->request->token) &&
	       !spoa_caller_text(c->caller, SPOA_TEXT_AUDIENCES).n;
}

enum spoa_step spoa_stage_current(struct spoa_case *c)
{
	const struct spoa_caller *caller = c->caller;
	const struct token_provider *rules = &c->snapshot->config->rules[caller->provider];

	if (caller->workload)
		return SPOA_NEXT;
	/* A certificate names no audience: who asks for one is whom it is for. */
	if (!caller->certificate && !spoa_caller_is_for(caller, rules) && !needs_none(c))
		return spoa_refuse(c, BASE_REASON_AUDIENCE_MISMATCH);
	return spoa_unless_ok(c, token_times_check(caller->exp, caller->nbf, caller->iat, rules,
					 base_clock_wall_s(c->now)));
}
