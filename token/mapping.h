/*
 * Where a provider keeps what others keep in registered claims: paths to
 * subject, audience, client and scopes, and the actor of RFC 8693 4.1.
 */
#ifndef TOKEN_MAPPING_H
#define TOKEN_MAPPING_H

#include "token/claims.h"

/*
 * Fills sub, aud, client_id, scope, act and actor of a parsed payload after
 * the provider's rules. Scopes that are an array become one text, a blank
 * between them. OK, CLAIMS_MALFORMED (something there has the wrong type),
 * ACTOR_TOO_DEEP or INTERNAL.
 */
enum base_reason token_mapping_apply(
	struct token_payload *payload, const struct token_provider *rules) must_check;

/* What stands at the end of the path; NULL when something on the way is no object. */
const json_t *token_mapping_at(const json_t *claims, const struct token_path *path);

#endif
