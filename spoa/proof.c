/*
 * Does the caller hold what its token is bound to: a key (RFC 9449) or a
 * certificate (RFC 8705)? Asked every time, whatever is remembered of the
 * token.
 *
 * CNF_UNSUPPORTED, CERT_MISSING, CERT_MISMATCH, SCHEME_UNSUPPORTED,
 * DPOP_AS_BEARER, DPOP_UNBOUND, DPOP_MISSING, DPOP_INVALID, DPOP_NONCE,
 * DPOP_REPLAYED, REPLAY_FULL or INTERNAL.
 */
#include "spoa/stages.h"

#include "token/cnf.h"
#include "token/dpop.h"

#include <errno.h>

static enum base_reason check_certificate(const struct spoa_case *c, struct span x5t)
{
	if (!c->request->cert.n)
		return BASE_REASON_CERT_MISSING;
	switch (token_cnf_check_cert(x5t, c->request->cert)) {
	case 0:
		return BASE_REASON_OK;
	case -EBADMSG:
		return BASE_REASON_CERT_MISMATCH;
	default:
		return BASE_REASON_INTERNAL;
	}
}

/*
 * Names the request that a proof came with: HAProxy asks again, here too, when
 * an answer is lost, and that is no replay (its reqid and the client's
 * connection are the same then). Without a reqid only this very NOTIFY is: of
 * this worker, at a time that it gives no other.
 */
static uint64_t name_request(const struct spoa_case *c)
{
	const struct base_siphash_key *key = &c->snapshot->guard->request_key;
	const struct spoa_request *request = c->request;
	struct {
		uint64_t reqid, worker, proof, token;
		struct spoa_address src;
		uint16_t sport;
	} name;

	memset(&name, 0, sizeof(name));
	name.reqid = request->reqid.n ? base_siphash(key, request->reqid) : c->received_at;
	name.worker = request->reqid.n ? 0 : (uintptr_t)c->state;
	name.proof = base_siphash(key, request->dpop);
	name.token = base_siphash(key, request->token);
	name.src = request->src;
	name.sport = request->sport;
	return base_siphash(key, (struct span){.p = (const char *)&name, .n = sizeof(name)});
}

/* RFC 9449 11.1: until no proof of this iat is accepted any more. */
static enum base_reason note(const struct spoa_case *c, const struct token_dpop *proof,
	const struct conf_provider *rules)
{
	static const enum base_reason REASONS[] = {
		[TOKEN_REPLAY_NEW] = BASE_REASON_OK,
		[TOKEN_REPLAY_SAME] = BASE_REASON_OK,
		[TOKEN_REPLAY_SEEN] = BASE_REASON_DPOP_REPLAYED,
		[TOKEN_REPLAY_FULL] = BASE_REASON_REPLAY_FULL,
	};

	return REASONS[token_replay_note(c->snapshot->guard->replay, proof->id, name_request(c),
		proof->iat + rules->dpop_max_age / 1000, base_clock_wall_s(c->now))];
}

static enum base_reason check_nonce(const struct spoa_case *c, const struct token_dpop *proof)
{
	return token_nonce_check(c->snapshot->guard->nonce_key, span_of(proof->nonce),
		       base_clock_wall_s(c->now))
		       ? BASE_REASON_OK
		       : BASE_REASON_DPOP_NONCE;
}

static enum base_reason check_proof(
	struct spoa_case *c, struct span jkt, const struct conf_provider *rules)
{
	const struct spoa_request *request = c->request;
	const struct token_dpop_request expected = {
		.method = request->method,
		.address = {request->https, request->host, request->path},
		.token = request->token,
		.jkt = jkt,
		.max_age_s = rules->dpop_max_age / 1000,
		.leeway_s = rules->leeway / 1000,
	};
	struct token_dpop proof;
	enum base_reason reason;

	if (!request->dpop.n)
		return BASE_REASON_DPOP_MISSING;
	if (!c->snapshot->guard)
		return BASE_REASON_INTERNAL;
	reason = token_dpop_check(c->state->token, request->dpop, &expected,
		base_clock_wall_s(c->now), &proof, &c->decision.why);
	if (reason == BASE_REASON_OK && rules->dpop_nonce)
		reason = check_nonce(c, &proof);
	/* Last, so that a proof which was refused may be tried again. */
	if (reason == BASE_REASON_OK)
		reason = note(c, &proof, rules);
	return reason;
}

/* RFC 9449 8.2, 9: whoever uses DPoP is told the nonce of the moment. */
static void offer_nonce(struct spoa_case *c)
{
	if (c->snapshot->guard && token_nonce_make(c->snapshot->guard->nonce_key,
					  base_clock_wall_s(c->now), c->decision.nonce))
		c->decision.nonce[0] = '\0';
}

static enum base_reason check_key(
	struct spoa_case *c, struct span jkt, const struct conf_provider *rules)
{
	bool dpop = c->decision.dpop;

	if (dpop && rules->dpop == CONF_DPOP_OFF) {
		c->decision.dpop = false; /* not to be asked for again in this scheme */
		return BASE_REASON_SCHEME_UNSUPPORTED;
	}
	if (jkt.n && !dpop)
		return BASE_REASON_DPOP_AS_BEARER;
	if (!jkt.n)
		return dpop || rules->dpop == CONF_DPOP_REQUIRED ? BASE_REASON_DPOP_UNBOUND
								 : BASE_REASON_OK;
	if (rules->dpop_nonce)
		offer_nonce(c);
	return check_proof(c, jkt, rules);
}

enum spoa_step spoa_stage_proof(struct spoa_case *c)
{
	struct span jkt = spoa_caller_text(c->caller, SPOA_TEXT_CNF_JKT);
	struct span x5t = spoa_caller_text(c->caller, SPOA_TEXT_CNF_X5T);
	enum base_reason reason = BASE_REASON_OK;
	const struct conf_provider *rules;

	/* A client that came with a certificate alone has proved its key to HAProxy. */
	if (c->caller->certificate || c->caller->workload)
		return SPOA_NEXT;
	rules = &c->snapshot->config->conf->providers[c->caller->provider];
	if (c->caller->bound && !jkt.n && !x5t.n)
		return spoa_refuse(c, BASE_REASON_CNF_UNSUPPORTED);
	if (x5t.n || rules->certificate_required)
		reason = check_certificate(c, x5t);
	if (reason == BASE_REASON_OK)
		reason = check_key(c, jkt, rules);
	return spoa_unless_ok(c, reason);
}
