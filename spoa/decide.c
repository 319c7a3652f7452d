#include "spoa/decide.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>
#include <strings.h>

static const char *const VERDICTS[] = {"allow", "deny", "error"};
_Static_assert(ARRAY_SIZE(VERDICTS) == SPOA_VERDICTS, "a word for each");

const char *spoa_verdict_name(enum spoa_verdict verdict)
{
	return VERDICTS[verdict];
}

int spoa_state_init(struct spoa_state *state)
{
	state->token = token_ctx_new();
	return state->token ? 0 : -ENOMEM;
}

void spoa_state_done(struct spoa_state *state)
{
	token_ctx_free(state->token);
	state->token = NULL;
}

static enum spoa_verdict verdict_of(enum base_reason reason)
{
	int status = base_reason_status(reason);

	if (status == 200)
		return SPOA_ALLOW;
	return status == 503 ? SPOA_ERROR : SPOA_DENY;
}

struct spoa_decision spoa_decision_of(enum base_reason reason)
{
	return (struct spoa_decision){.reason = reason, .verdict = verdict_of(reason)};
}

void spoa_decision_done(struct spoa_decision *decision)
{
	if (decision->has_claims)
		token_claims_done(&decision->claims);
	decision->has_claims = false;
}

void spoa_decision_fail(struct spoa_decision *decision, enum base_reason reason)
{
	spoa_decision_done(decision);
	*decision = spoa_decision_of(reason);
}

static bool scheme_is_bearer(struct span scheme)
{
	/* RFC 9110 11.1: schemes compare without case. Absent: the token came from elsewhere. */
	return scheme.n == 0 || (scheme.n == 6 && !strncasecmp(scheme.p, "bearer", 6));
}

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
static uint64_t keys_to_refresh(const struct spoa_snapshot *snapshot, int alg, size_t token_bytes,
	bool doubted, uint64_t received_at, uint64_t now, bool *ret_all_current)
{
	uint64_t mask = 0;

	*ret_all_current = true;
	for (size_t i = 0; i < snapshot->n_issuers; i++) {
		const struct spoa_keys_age *age = &snapshot->ages[i];

		if (!may_have_signed(&snapshot->issuers[i].rules, alg, token_bytes))
			continue;
		if (age->fetched_at >= received_at)
			continue;
		*ret_all_current = false;
		if ((doubted ? age->recheck_from : age->refresh_from) <= now)
			mask |= UINT64_C(1) << i;
	}
	return mask;
}

/* 64 bits of SHA-256(iss NUL sub): neither text can hold a NUL, so no two callers share an input. */
static uint64_t subject_of(const struct token_claims *claims)
{
	unsigned char text[2 * TOKEN_TEXT_MAX + 1];
	unsigned char hash[SHA256_DIGEST_LENGTH];
	uint64_t subject;

	memcpy(text, claims->iss.p, claims->iss.n);
	text[claims->iss.n] = '\0';
	if (claims->sub.n)
		memcpy(text + claims->iss.n + 1, claims->sub.p, claims->sub.n);
	SHA256(text, claims->iss.n + 1 + claims->sub.n, hash);
	memcpy(&subject, hash, sizeof(subject));
	return subject ? subject : 1; /* 0 means nobody */
}

/*
 * The token's exp on the clock that the kernel expires by, up to a second
 * late. In whole seconds, so that one token has one expiry however often it is
 * seen, and the flow is not written anew each time. An exp in the year 9999 is
 * more nanoseconds than there are numbers: it ends with the last one.
 */
static uint64_t expires_at(
	const struct token_provider *rules, int64_t exp, const struct base_now *now)
{
	int64_t booted_s = (now->wall_ns - (int64_t)now->boot_ns) / NS_PER_S;
	int64_t at_s = exp + rules->leeway_s - booted_s;

	if (at_s <= 0)
		return 1;
	if ((uint64_t)at_s > UINT64_MAX / (uint64_t)NS_PER_S)
		return UINT64_MAX;
	return (uint64_t)at_s * (uint64_t)NS_PER_S;
}

static void resolve(const struct spoa_snapshot *snapshot, const struct spoa_request *request,
	const struct base_now *now, struct spoa_decision *decision)
{
	const struct spoa_config *config = snapshot->config;
	const struct token_claims *claims = &decision->claims;
	const struct token_provider *rules = &config->rules[claims->issuer];
	const struct ident_role *role =
		ident_role_match(config->roles, config->conf->n_roles, rules->name, claims->claims);

	decision->reason = BASE_REASON_NO_ROLE;
	if (role && !role->number.id)
		decision->reason = BASE_REASON_IDENTITY_UNAVAILABLE;
	else if (role)
		decision->reason = BASE_REASON_OK;
	decision->verdict = verdict_of(decision->reason);
	if (decision->verdict != SPOA_ALLOW)
		return;
	decision->role = role;
	decision->route = role->route ? span_of(role->route) : request->service;
	decision->binding = (struct bpfmap_binding){
		.identity = role->number.id,
		.subject = subject_of(claims),
		.expires = expires_at(rules, claims->exp, now),
		.kill = role->kill_on_expiry || request->tunnel,
	};
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

bool spoa_decide(const struct spoa_snapshot *snapshot, struct spoa_state *state,
	const struct spoa_request *request, uint64_t received_at, const struct base_now *now,
	struct spoa_need *ret_need, struct spoa_decision *ret_decision)
{
	struct spoa_decision decision = {0};
	enum base_reason reason;
	int alg = -1;

	if (!request->token.n) {
		*ret_decision = spoa_decision_of(BASE_REASON_NO_TOKEN);
		return true;
	}
	if (!scheme_is_bearer(request->scheme)) {
		*ret_decision = spoa_decision_of(BASE_REASON_SCHEME_UNSUPPORTED);
		return true;
	}
	reason = token_verify(state->token, snapshot->issuers, snapshot->n_issuers, request->token,
		base_clock_wall_s(now), &decision.claims, &alg);
	if (keys_could_help(reason)) {
		bool doubted = is_doubted(reason);
		bool all_current;
		uint64_t mask = keys_to_refresh(snapshot, alg, request->token.n, doubted,
			received_at, now->mono_ns, &all_current);

		if (mask) {
			*ret_need = doubted ? (struct spoa_need){.doubted = mask}
					    : (struct spoa_need){.unknown = mask};
			return false;
		}
		/* A key that we could not ask for again is not the caller's fault. */
		if (!all_current && !doubted)
			reason = BASE_REASON_KEYS_UNAVAILABLE;
	}
	if (reason != BASE_REASON_OK) {
		*ret_decision = spoa_decision_of(reason);
		return true;
	}
	decision.has_claims = true;
	resolve(snapshot, request, now, &decision);
	*ret_decision = decision;
	return true;
}
