/*
 * Logout tokens (OIDC Back-Channel Logout 1.0, 2.4 and 2.6): a provider says
 * that a session, or all of a subject's, has ended. Whether the same one came
 * before is for the caller to say.
 */
#ifndef TOKEN_LOGOUT_H
#define TOKEN_LOGOUT_H

#include "token/verify.h"

/* How old one may be, by its iat. */
#define TOKEN_LOGOUT_MAX_AGE_S 300

/*
 * The rules for a provider's logout tokens: as for its other tokens, but for
 * these audiences, with typ logout+jwt. Borrows what from and audiences do.
 */
struct token_provider token_logout_rules(
	const struct token_provider *from, const char *const *audiences, size_t n_audiences);

/*
 * issuers as for token_verify, with token_logout_rules. OK and *ret_claims
 * (end with token_claims_done), or the reason of token_verify; besides them
 *   CLAIMS_MALFORMED  no logout event, a nonce, neither sub nor sid, no jti, no iat
 *   EXPIRED           issued more than TOKEN_LOGOUT_MAX_AGE_S ago
 * *ret_sid is empty when there is none, and lives as long as the claims.
 */
enum base_reason token_logout_verify(struct token_ctx *ctx, const struct token_issuer *issuers,
	size_t n_issuers, struct span token, int64_t now_s, struct token_claims *ret_claims,
	struct span *ret_sid, int *hint_alg);

#endif
