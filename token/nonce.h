/*
 * Nonces that we give out for DPoP proofs (RFC 9449 9): the time in slots and
 * a MAC over it, so that nothing has to be remembered, and every agent that
 * shares the key accepts the others'.
 */
#ifndef TOKEN_NONCE_H
#define TOKEN_NONCE_H

#include "base/mem.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

#define TOKEN_NONCE_KEY    32
#define TOKEN_NONCE_CHARS  32
#define TOKEN_NONCE_SLOT_S 120 /* a nonce is good in its slot and in the one after */

/* The nonce of this moment, with a NUL. 0, or -EIO when OpenSSL fails. */
int token_nonce_make(const unsigned char key[TOKEN_NONCE_KEY], int64_t now_s,
	char ret_text[TOKEN_NONCE_CHARS + 1]) must_check;

/* Was this nonce given out under the key, in this slot or the one before? */
bool token_nonce_check(const unsigned char key[TOKEN_NONCE_KEY], struct span text, int64_t now_s);

#endif
