#include "spoa/missing.h"

#include "spoa/fetch.h"

/* What the token says about its key. */
struct hint {
	int alg;
	bool doubted;         /* a key was there, but not the right one */
	struct span kid;      /* empty: none */
	uint64_t asked_since; /* keys that were asked for after it are current enough */
	struct token_jws jws; /* what kid borrows from */
};

/*
 * A key was there, but not the right one: it was replaced under its id, or
 * another provider has one with the same id, or has published a copy.
 */
static bool is_doubted(enum base_reason reason)
{
	return reason == BASE_REASON_SIGNATURE_INVALID || reason == BASE_REASON_ISSUER_MISMATCH;
}

bool spoa_missing_could_help(enum base_reason reason)
{
	return reason == BASE_REASON_KEY_UNKNOWN || reason == BASE_REASON_KEYS_UNAVAILABLE ||
	       is_doubted(reason);
}

/* Might this provider have made the token? Its rules are those that token_verify asks first. */
static bool may_have_signed(const struct spoa_case *c, const struct hint *hint, size_t i)
{
	const struct token_provider *rules = &c->snapshot->issuers[i].rules;

	if (hint->alg < 0)
		return true;
	if (!(rules->algs & TOKEN_ALG_BIT(hint->alg)) || c->request->token.n > rules->max_bytes)
		return false;
	/* Whoever is asked for one key at a time can only have one with an id of their shape. */
	return !c->snapshot->ages[i].absent || spoa_fetch_is_kid(hint->kid);
}

static bool is_absent(const struct spoa_absent *absent, const struct hint *hint)
{
	for (size_t i = 0; i < SPOA_ABSENT; i++)
		if (span_is(hint->kid, absent[i].kid) && absent[i].asked_at >= hint->asked_since)
			return true;
	return false;
}

/* Has this provider been asked since? */
static bool is_current(const struct spoa_keys_age *age, const struct hint *hint)
{
	return age->absent ? is_absent(age->absent, hint) : age->fetched_at >= hint->asked_since;
}

static uint64_t keys_to_refresh(struct spoa_case *c, const struct hint *hint, bool *ret_all_current)
{
	uint64_t mask = 0;

	*ret_all_current = true;
	for (size_t i = 0; i < c->snapshot->n_issuers; i++) {
		const struct spoa_keys_age *age = &c->snapshot->ages[i];

		if (!may_have_signed(c, hint, i) || is_current(age, hint))
			continue;
		*ret_all_current = false;
		if ((hint->doubted ? age->recheck_from : age->refresh_from) > c->now->mono_ns)
			continue;
		mask |= UINT64_C(1) << i;
		if (age->absent)
			memcpy(c->need.kid, hint->kid.p, hint->kid.n);
	}
	return mask;
}

static void take_hint(
	const struct spoa_case *c, int alg, enum base_reason reason, struct hint *ret_hint)
{
	struct hint *hint = ret_hint;

	hint->alg = alg;
	hint->doubted = is_doubted(reason);
	hint->asked_since = c->received_at;
	if (alg < 0 || token_jws_parse_padded(c->state->token, c->request->token, &hint->jws) !=
			       BASE_REASON_OK)
		return;
	hint->kid = (struct span){.p = hint->jws.kid, .n = hint->jws.kid_len};
	if (!hint->doubted && hint->jws.has_kid)
		hint->asked_since =
			spoa_unknown_since(c->state->unknown, hint->kid, alg, c->received_at);
}

enum spoa_step spoa_missing_keys(struct spoa_case *c, int alg, enum base_reason reason)
{
	struct hint hint = {0};
	bool all_current;
	uint64_t mask;

	take_hint(c, alg, reason, &hint);
	mask = keys_to_refresh(c, &hint, &all_current);
	if (mask) {
		*(hint.doubted ? &c->need.doubted : &c->need.unknown) = mask;
		c->need.snapshot = c->snapshot->number;
		return SPOA_NEEDS;
	}
	/* A key that we could not ask for again is not the caller's fault. */
	if (!all_current && !hint.doubted)
		reason = BASE_REASON_KEYS_UNAVAILABLE;
	/* Whoever has no key at all was asked for this one, and does not have it. */
	if (all_current && reason == BASE_REASON_KEYS_UNAVAILABLE)
		reason = BASE_REASON_KEY_UNKNOWN;
	return spoa_refuse(c, reason);
}
