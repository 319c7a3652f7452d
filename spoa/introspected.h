/*
 * Tokens that only their provider can read (RFC 7662), on the worker's side:
 * what is known is looked up, what is not is asked for.
 */
#ifndef SPOA_INTROSPECTED_H
#define SPOA_INTROSPECTED_H

#include "spoa/case.h"

/*
 * The claims of an opaque token: SPOA_NEXT and *ret_claims (the caller's);
 * SPOA_NEEDS; or refused: TOKEN_MALFORMED when no provider has such tokens,
 * TOKEN_TOO_LARGE, TOKEN_INACTIVE, INTROSPECTION_UNAVAILABLE, or what
 * token_introspection_read says.
 */
enum spoa_step spoa_introspected_claims(
	struct spoa_case *c, struct token_claims *ret_claims) must_check;

#endif
