/*
 * One JWK (RFC 7517 4, RFC 7518 6, RFC 8037 2) from a provider's key set,
 * turned into a key that can verify. Numbers go straight into OpenSSL, never
 * through PEM.
 */
#ifndef TOKEN_JWK_H
#define TOKEN_JWK_H

#include "base/mem.h"
#include "token/keyset.h"

#include <jansson.h>

#define TOKEN_JWK_WHY 112

enum token_jwk_result {
	TOKEN_JWK_USED,
	TOKEN_JWK_SKIPPED,
	TOKEN_JWK_BAD,
	TOKEN_JWK_PRIVATE,
	TOKEN_JWK_SYMMETRIC,
	TOKEN_JWK_NO_MEMORY,
};

/*
 * USED: *ret_key owns its pkey, and its kid borrows from jwk. Otherwise
 * *ret_key is untouched and ret_why says why, in words for the log.
 */
enum token_jwk_result token_jwk_parse(const json_t *jwk, uint32_t algs, struct token_key *ret_key,
	char ret_why[TOKEN_JWK_WHY]) must_check;

#endif
