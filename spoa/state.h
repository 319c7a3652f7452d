/*
 * What one worker keeps between decisions. Not shared between threads.
 */
#ifndef SPOA_STATE_H
#define SPOA_STATE_H

#include "base/mem.h"
#include "spoa/cache.h"
#include "spoa/caller.h"
#include "spoa/cert.h"
#include "spoa/match.h"
#include "spoa/memo.h"
#include "spoa/minted.h"
#include "spoa/policy_work.h"
#include "spoa/results.h"
#include "spoa/unknown.h"
#include "token/jws.h"

struct spoa_state {
	struct token_ctx *token;
	struct spoa_unknown *unknown; /* key ids that nobody has */
	struct spoa_certs *certs;
	struct spoa_minted *minted; /* assertions */
	struct spoa_cache *cache;   /* verified tokens */
	struct spoa_memo *memo;     /* hashes of those that come often */
	struct spoa_results
		*results; /* what providers said about tokens: shared; NULL: nobody is asked */
	char *answer;     /* TOKEN_INTROSPECTION_MAX bytes: what was said last */
	struct spoa_caller *fresh; /* SPOA_CALLER_MAX bytes: whoever was verified last */
	struct spoa_policy_work *policy;
	struct spoa_match_work *match;
};

/* 0 or -ENOMEM. cache_bytes: what verified tokens may take, memo included; 0: none is remembered. */
int spoa_state_init(struct spoa_state *state, size_t cache_bytes) must_check;
void spoa_state_done(struct spoa_state *state);

#endif
