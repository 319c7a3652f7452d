/*
 * Tokens and public keys for tests, demos and `identityctl token`: made by
 * libjwt from the operator's own key and claims. Nothing here ever sees a
 * stranger's bytes.
 */
#ifndef TOKEN_MINT_H
#define TOKEN_MINT_H

#include "base/mem.h"
#include "base/span.h"

#include <jansson.h>

struct token_mint {
	const char *alg;      /* "RS256", "ES384", ...: what libjwt knows, HS* too */
	struct span key;      /* PEM private key, or the secret for HS* */
	const char *kid;      /* NULL: none */
	const json_t *claims; /* object; iat and exp are the caller's */
};

/* The token (malloc, the caller's), or NULL with errno EINVAL (alg, key) or ENOMEM. */
char *token_mint(const struct token_mint *mint) must_check;

/*
 * The public JWK of a PEM private or public key (RSA, EC P-256/384/521,
 * Ed25519) with kid and alg set; NULL with errno EINVAL or ENOMEM.
 */
json_t *token_mint_jwk(struct span pem, const char *kid, const char *alg) must_check;

#endif
