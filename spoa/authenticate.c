/*
 * Who is it? The token is verified, and its caller packed.
 *
 * What token_verify says, or KEYS_UNAVAILABLE where keys could not be asked
 * for; or SPOA_NEEDS: the keys of some providers first.
 */
#include "spoa/stages.h"

/* Might this provider have made the token? Its rules are those that token_verify asks first. */
static bool may_have_signed(const struct token_provider *rules, int alg, size_t token_bytes)
{
	return alg < 0 || (rules->algs & TOKEN_ALG_BIT(alg) && token_bytes <= rules->max_bytes);
}

/*
 * Who must be asked for newer keys before "unknown key" or "bad signature" is
 * an answer? Every provider that could have signed the token, has not been
 * asked since it came, and may be asked again by now.
 */
static uint64_t keys_to_refresh(
	const struct spoa_case *c, int alg, bool doubted, bool *ret_all_current)
{
	const struct spoa_snapshot *snapshot = c->snapshot;
	uint64_t mask = 0;

	*ret_all_current = true;
	for (size_t i = 0; i < snapshot->n_issuers; i++) {
		const struct spoa_keys_age *age = &snapshot->ages[i];

		if (!may_have_signed(&snapshot->issuers[i].rules, alg, c->request->token.n))
			continue;
		if (age->fetched_at >= c->received_at)
			continue;
		*ret_all_current = false;
		if ((doubted ? age->recheck_from : age->refresh_from) <= c->now->mono_ns)
			mask |= UINT64_C(1) << i;
	}
	return mask;
}

/*
 * A key was there, but not the right one: it was replaced under its id, or
 * another provider has one with the same id, or has published a copy.
 */
static bool is_doubted(enum base_reason reason)
{
	return reason == BASE_REASON_SIGNATURE_INVALID || reason == BASE_REASON_ISSUER_MISMATCH;
}

/* Reasons that newer keys could turn into another. */
static bool keys_could_help(enum base_reason reason)
{
	return reason == BASE_REASON_KEY_UNKNOWN || reason == BASE_REASON_KEYS_UNAVAILABLE ||
	       is_doubted(reason);
}

/* No key fits: wait for newer ones, or say why not. */
static enum spoa_step need_keys(struct spoa_case *c, int alg, enum base_reason reason)
{
	bool doubted = is_doubted(reason);
	bool all_current;
	uint64_t mask = keys_to_refresh(c, alg, doubted, &all_current);

	if (mask) {
		c->need = doubted ? (struct spoa_need){.doubted = mask}
				  : (struct spoa_need){.unknown = mask};
		return SPOA_NEEDS;
	}
	/* A key that we could not ask for again is not the caller's fault. */
	if (!all_current && !doubted)
		reason = BASE_REASON_KEYS_UNAVAILABLE;
	return spoa_refuse(c, reason);
}

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

	if (keys_could_help(reason))
		return need_keys(c, alg, reason);
	if (reason != BASE_REASON_OK)
		return spoa_refuse(c, reason);
	return keep(c, &claims);
}
