/*
 * The signature algorithms (RFC 7518 3.1, RFC 8037, RFC 9864). "none" has no
 * row; HS* fits no key of a key set, only a secret from a local file.
 */
#ifndef TOKEN_ALG_H
#define TOKEN_ALG_H

#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum token_alg {
	TOKEN_RS256,
	TOKEN_RS384,
	TOKEN_RS512,
	TOKEN_PS256,
	TOKEN_PS384,
	TOKEN_PS512,
	TOKEN_ES256,
	TOKEN_ES384,
	TOKEN_ES512,
	TOKEN_EDDSA,   /* "EdDSA", with an Ed25519 key */
	TOKEN_ED25519, /* "Ed25519" */
	TOKEN_HS256,
	TOKEN_HS384,
	TOKEN_HS512,
};
#define TOKEN_ALGS (TOKEN_HS512 + 1)

/* A set of algorithms. */
#define TOKEN_ALG_BIT(alg) (UINT32_C(1) << (alg))
#define TOKEN_ALGS_HMAC                                                                            \
	(TOKEN_ALG_BIT(TOKEN_HS256) | TOKEN_ALG_BIT(TOKEN_HS384) | TOKEN_ALG_BIT(TOKEN_HS512))

/* Byte-exact. The algorithm, or -1. */
int token_alg_find(struct span name);
const char *token_alg_name(enum token_alg alg);

enum token_kty {
	TOKEN_KTY_RSA,
	TOKEN_KTY_EC,
	TOKEN_KTY_OKP,
	TOKEN_KTY_OCT, /* a shared secret: never from a JWK set */
};

/* What an algorithm demands of its key and its signature (RFC 7518 3.3 to 3.5). */
struct token_alg_info {
	const char *name;
	enum token_kty kty;
	const char *crv;    /* the JWK's; NULL for RSA and HMAC */
	const char *digest; /* OpenSSL's name; NULL for Ed25519 */
	size_t part; /* EC: bytes of a coordinate, of r, of s; Ed25519 and HMAC: half a signature */
	bool pss;
};

const struct token_alg_info *token_alg_info(enum token_alg alg);

#endif
