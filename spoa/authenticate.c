/*
 * Who is it? A token that was seen before is remembered; another one is
 * verified, and its caller packed and remembered.
 *
 * What token_verify or spoa_cert_judge says, CLAIM_REQUIRED, or
 * KEYS_UNAVAILABLE where keys could not be asked for; or SPOA_NEEDS: the keys
 * of some providers first.
 */
#include "spoa/introspected.h"
#include "spoa/missing.h"
#include "spoa/stages.h"
#include "token/introspection.h"

/* What the provider asks of every token (providers[].require). */
static bool meets_requirements(const struct spoa_config *config, const struct token_claims *claims)
{
	const struct spoa_provider *provider = &config->providers[claims->issuer];
	const struct ident_caller caller = {
		.claims = claims->claims, .actor = claims->act, .scope = claims->scope};

	for (size_t i = 0; i < provider->n_require; i++)
		if (ident_condition_of_caller(&provider->require[i], &caller) != IDENT_HOLDS)
			return false;
	return true;
}

/*
 * What is remembered holds under the configuration and the key that it was
 * found out with. Everything else about it is looked at by later stages.
 */
static const struct spoa_caller *recall(const struct spoa_case *c)
{
	const struct spoa_caller *caller = spoa_cache_find(c->state->cache, c->hash);

	if (!caller || caller->config != (uint32_t)c->snapshot->config->serial)
		return NULL;
	return spoa_snapshot_has_key(c->snapshot, caller->provider, caller->key) ? caller : NULL;
}

static enum spoa_step keep(struct spoa_case *c, const struct token_claims *claims)
{
	struct spoa_caller *fresh = c->state->fresh;
	enum base_reason reason = BASE_REASON_CLAIM_REQUIRED;

	if (meets_requirements(c->snapshot->config, claims))
		reason = spoa_caller_pack(c->snapshot->config, claims, fresh);
	if (reason != BASE_REASON_OK)
		return spoa_refuse(c, reason);
	/* No key vouches for a provider's word, which has a life of its own (spoa/results.c). */
	if (!token_introspection_is_opaque(c->request->token))
		spoa_cache_put(c->state->cache, c->hash, fresh);
	c->caller = c->decision.caller = fresh;
	return SPOA_NEXT;
}

/* The certificate is the credential. Its claims are the worker's, and stay. */
static enum spoa_step authenticate_certificate(struct spoa_case *c)
{
	const struct spoa_cert *cert;
	enum base_reason reason = spoa_cert_judge(
		c->state->certs, c->snapshot->config, c->request, base_clock_wall_s(c->now), &cert);

	if (reason == BASE_REASON_OK && !meets_requirements(c->snapshot->config, &cert->claims))
		reason = BASE_REASON_CLAIM_REQUIRED;
	if (reason == BASE_REASON_OK)
		reason = spoa_caller_pack(c->snapshot->config, &cert->claims, c->state->fresh);
	if (reason != BASE_REASON_OK)
		return spoa_refuse(c, reason);
	c->state->fresh->certificate = true;
	c->caller = c->decision.caller = c->state->fresh;
	return SPOA_NEXT;
}

/* The address is the credential. Nothing of it is remembered: addresses change hands. */
static enum spoa_step authenticate_workload(struct spoa_case *c)
{
	enum base_reason reason = spoa_caller_pack_workload(
		c->snapshot->config, spoa_workload_of(c)->labels, c->state->fresh);

	if (reason != BASE_REASON_OK)
		return spoa_refuse(c, reason);
	c->decision.workload = spoa_workload_of(c)->labels;
	c->caller = c->decision.caller = c->state->fresh;
	return SPOA_NEXT;
}

/* A token that only its provider can read: what it says instead of a signature. */
static enum spoa_step introspect(struct spoa_case *c)
{
	cleanup(token_claims) struct token_claims claims = {0};
	enum spoa_step step = spoa_introspected_claims(c, &claims);

	return step == SPOA_NEXT ? keep(c, &claims) : step;
}

static enum spoa_step verify(struct spoa_case *c)
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

/* Only of a token that is remembered is the hash worth remembering, too. */
static const struct spoa_caller *find(struct spoa_case *c)
{
	struct span token = c->request->token;
	bool hashed = spoa_memo_find(c->state->memo, token, c->hash);
	const struct spoa_caller *caller;

	if (!hashed)
		token_hash_of(token, c->hash);
	caller = recall(c);
	if (caller && !hashed)
		spoa_memo_put(c->state->memo, token, c->hash);
	return caller;
}

enum spoa_step spoa_stage_authenticate(struct spoa_case *c)
{
	if (c->by_address)
		return authenticate_workload(c);
	if (!c->request->token.n)
		return authenticate_certificate(c);
	c->caller = c->decision.caller = find(c);
	c->decision.remembered = c->caller;
	if (c->caller)
		return SPOA_NEXT;
	/* None of those is ever in the cache. */
	return token_introspection_is_opaque(c->request->token) ? introspect(c) : verify(c);
}
