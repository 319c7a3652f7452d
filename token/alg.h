/*
 * The signature algorithms (RFC 7518 3.1, RFC 8037, RFC 9864). "none" has no
 * row and HS* is never taken from a key set that came over the network.
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
};
#define TOKEN_ALGS (TOKEN_ED25519 + 1)

/* A set of algorithms. */
#define TOKEN_ALG_BIT(alg) (UINT32_C(1) << (alg))

/* Byte-exact. The algorithm, or -1. */
int token_alg_find(struct span name);
const char *token_alg_name(enum token_alg alg);

enum token_kty {
	TOKEN_KTY_RSA,
	TOKEN_KTY_EC,
	TOKEN_KTY_OKP,
};

/* What an algorithm demands of its key and its signature (RFC 7518 3.3 to 3.5). */
struct token_alg_info {
	const char *name;
	enum token_kty kty;
	const char *crv;    /* the JWK's; NULL for RSA */
	const char *digest; /* OpenSSL's name; NULL for Ed25519 */
	size_t part;        /* EC: bytes of a coordinate, of r, of s; Ed25519: half a signature */
	bool pss;
};

const struct token_alg_info *token_alg_info(enum token_alg alg);

#endif
