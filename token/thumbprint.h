/*
 * The thumbprint of a public JWK (RFC 7638), which names a key wherever a
 * token is bound to one (RFC 9449 6.1).
 */
#ifndef TOKEN_THUMBPRINT_H
#define TOKEN_THUMBPRINT_H

#include "base/mem.h"

#include <jansson.h>

/* SHA-256 as base64url. */
#define TOKEN_THUMBPRINT_CHARS 43

/*
 * SHA-256 over the members that a key of this kty must have, in the order of
 * their names (3.2). Whether they are good numbers is not looked at: that is
 * token_jwk_parse's.
 *   0        ret_text is filled, with a NUL
 *   -EINVAL  the kty is unknown, or a member is missing, no text, or holds a
 *            character that JSON would escape
 *   -ENOMEM
 */
int token_thumbprint(const json_t *jwk, char ret_text[TOKEN_THUMBPRINT_CHARS + 1]) must_check;

#endif
