/*
 * Was the token revoked? Asked every time: one revocation changes the next
 * answer and empties no cache.
 *
 * REVOKED.
 */
#include "spoa/stages.h"

enum spoa_step spoa_stage_revoked(struct spoa_case *c)
{
	const struct spoa_caller *caller = c->caller;
	struct token_revocable token;

	if (!c->snapshot->revocations)
		return SPOA_NEXT;
	token = (struct token_revocable){
		.fields =
			{
				[TOKEN_REVOKE_ISS] = spoa_caller_iss(caller, c->snapshot->config),
				[TOKEN_REVOKE_SUB] = spoa_caller_text(caller, SPOA_TEXT_SUB),
				[TOKEN_REVOKE_SID] = spoa_caller_text(caller, SPOA_TEXT_SID),
				[TOKEN_REVOKE_JTI] = spoa_caller_text(caller, SPOA_TEXT_JTI),
				[TOKEN_REVOKE_CLIENT] =
					spoa_caller_text(caller, SPOA_TEXT_CLIENT_ID),
			},
		.iat = caller->iat,
	};
	if (token_revocations_match(c->snapshot->revocations, &token, base_clock_wall_s(c->now)))
		return spoa_refuse(c, BASE_REASON_REVOKED);
	return SPOA_NEXT;
}
