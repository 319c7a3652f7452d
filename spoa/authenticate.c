/*
 * Who is it? The token is verified, and its caller packed.
 *
 * What token_verify says, or KEYS_UNAVAILABLE where keys could not be asked
 * for; or SPOA_NEEDS: the keys of some providers first.
 */
#include "spoa/missing.h"
#include "spoa/stages.h"

static enum spoa_step keep(struct spoa_case *c, const struct token_claims *claims)
{
	enum base_reason reason = spoa_caller_pack(c->snapshot->config, claims, c->state->fresh);

	if (reason == BASE_REASON_OK)
		c->caller = c->decision.caller = c->state->fresh;
	return spoa_unless_ok(c, reason);
}

enum spoa_step spoa_stage_authenticate(struct spoa_case *c)
{
	const struct spoa_snapshot *snapshot = c->snapshot;
	cleanup(token_claims) struct token_claims claims = {0};
	int alg = -1;
	enum base_reason reason = token_verify(c->state->token, snapshot->issuers,
		snapshot->n_issuers, c->request->token, base_clock_wall_s(c->now), &claims, &alg);

	if (spoa_missing_could_help(reason))
		return spoa_missing_keys(c, alg, reason);
	if (reason != BASE_REASON_OK)
		return spoa_refuse(c, reason);
	return keep(c, &claims);
}
