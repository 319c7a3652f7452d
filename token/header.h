/*
 * The JOSE header of a compact JWS (RFC 7515 4), decoded: which of its members
 * we believe, and which make us refuse the token.
 */
#ifndef TOKEN_HEADER_H
#define TOKEN_HEADER_H

#include "base/reason.h"
#include "base/span.h"
#include "token/json.h"
#include "token/jws.h"

/* An embedded jwk or x5c is ignored, and still has to fit. */
#define TOKEN_HEADER_DEPTH    8
#define TOKEN_HEADER_ELEMENTS 128
#define TOKEN_HEADER_CAPS                                                                          \
	(struct token_json_caps)                                                                   \
	{                                                                                          \
		.depth = TOKEN_HEADER_DEPTH, .elements = TOKEN_HEADER_ELEMENTS                     \
	}

/*
 * Fills alg, typ, kid, kid_len and has_kid, and nothing else.
 * OK, HEADER_MALFORMED, ALG_NOT_ALLOWED, CRIT_UNSUPPORTED or INTERNAL; then
 * *ret_jws is untouched.
 */
enum base_reason token_header_parse(struct span json, struct token_jws *ret_jws);

#endif
