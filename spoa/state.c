#include "spoa/state.h"

#include "token/introspection.h"

#include <errno.h>

int spoa_state_init(struct spoa_state *state, size_t cache_bytes)
{
	*state = (struct spoa_state){
		.token = token_ctx_new(),
		.unknown = spoa_unknown_new(),
		.certs = spoa_certs_new(),
		.minted = spoa_minted_new(),
		.cache = spoa_cache_new(cache_bytes - spoa_memo_share(cache_bytes)),
		.memo = spoa_memo_new(spoa_memo_share(cache_bytes)),
		.answer = malloc(TOKEN_INTROSPECTION_MAX),
		.fresh = malloc(SPOA_CALLER_MAX),
		.policy = spoa_policy_work_new(),
		.match = malloc(sizeof(*state->match)),
	};
	if (state->token && state->unknown && state->certs && state->minted && state->cache &&
		state->memo && state->answer && state->fresh && state->policy && state->match)
		return 0;
	spoa_state_done(state);
	return -ENOMEM;
}

void spoa_state_done(struct spoa_state *state)
{
	token_ctx_free(state->token);
	spoa_unknown_free(state->unknown);
	spoa_certs_free(state->certs);
	spoa_minted_free(state->minted);
	spoa_cache_free(state->cache);
	spoa_memo_free(state->memo);
	free(state->answer);
	free(state->fresh);
	spoa_policy_work_free(state->policy);
	free(state->match);
	*state = (struct spoa_state){0};
}
