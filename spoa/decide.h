/*
 * The decision: (snapshot, state, request, now) to a verdict with its reason,
 * the identity, and what the kernel must know before HAProxy hears of it.
 * No loop, no descriptor, no global: tests, fuzzers and the benchmark drive
 * it in memory.
 */
#ifndef SPOA_DECIDE_H
#define SPOA_DECIDE_H

#include "base/clock.h"
#include "base/reason.h"
#include "spoa/request.h"
#include "spoa/snapshot.h"

#include <stdbool.h>
#include <stdint.h>

enum spoa_verdict {
	SPOA_ALLOW,
	SPOA_DENY,
	SPOA_ERROR,
};
#define SPOA_VERDICTS (SPOA_ERROR + 1)

/* "allow", "deny", "error": the variable txn.ident.verdict. */
const char *spoa_verdict_name(enum spoa_verdict verdict);

/* What one worker keeps between decisions. Not shared between threads. */
struct spoa_state {
	struct token_ctx *token;
};
int spoa_state_init(struct spoa_state *state) must_check;
void spoa_state_done(struct spoa_state *state);

struct spoa_decision {
	enum base_reason reason;
	enum spoa_verdict verdict; /* follows from reason, always */
	bool has_claims;           /* the token is valid; also on some denials */
	struct token_claims claims;
	const struct ident_role *role; /* on ALLOW; lives as long as the snapshot */
	struct span route; /* on ALLOW: the role's, else the service asked for; may be empty */
	struct bpfmap_binding binding; /* on ALLOW: what the flow is to carry */
};

/* Providers whose keys should be fetched before a token can be judged; masks. */
struct spoa_need {
	uint64_t unknown; /* the key id is unknown, or there are no keys */
	uint64_t doubted; /* a known key did not make the signature; it may have been replaced */
};

/*
 * Decides, unless the keys of some providers should be fetched first: then
 * false, *ret_need names them, *ret_decision is untouched, and the caller asks
 * again with a newer snapshot. received_at is when the NOTIFY came,
 * CLOCK_MONOTONIC ns: keys that were fetched after it are current enough to
 * call a key id unknown. Otherwise true and *ret_decision, which ends with
 * spoa_decision_done.
 */
bool spoa_decide(const struct spoa_snapshot *snapshot, struct spoa_state *state,
	const struct spoa_request *request, uint64_t received_at, const struct base_now *now,
	struct spoa_need *ret_need, struct spoa_decision *ret_decision) must_check;

/* A decision that is only a reason. */
struct spoa_decision spoa_decision_of(enum base_reason reason);

/* Turns a decision into another one with this reason; identity and claims go. */
void spoa_decision_fail(struct spoa_decision *decision, enum base_reason reason);
void spoa_decision_done(struct spoa_decision *decision);

#endif
