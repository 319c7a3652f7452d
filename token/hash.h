/*
 * SHA-256 of a token's bytes: the key of what is remembered of it, and what
 * DPoP's ath is made of (RFC 9449 4.2). Allocates nothing, cannot fail.
 */
#ifndef TOKEN_HASH_H
#define TOKEN_HASH_H

#include "base/span.h"

#include <stdint.h>

#define TOKEN_HASH_BYTES 32

void token_hash_of(struct span bytes, uint8_t ret[TOKEN_HASH_BYTES]);

#endif
