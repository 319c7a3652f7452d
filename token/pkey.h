/*
 * Public keys from the numbers of a JWK, and the checks that a number has to
 * pass before it may verify anything (tokens.md 3, rows 15 and 16).
 */
#ifndef TOKEN_PKEY_H
#define TOKEN_PKEY_H

#include "base/mem.h"
#include "base/span.h"
#include "token/alg.h"

#include <openssl/evp.h>

#define TOKEN_RSA_MIN_BITS 2048
#define TOKEN_RSA_MAX_BITS 8192

/*
 * All return 0 and *ret_pkey (the caller's), -EINVAL with a constant text in
 * *ret_why, or -ENOMEM. Numbers are big-endian bytes.
 *   RSA  2048 to 8192 bits, n odd and without the ROCA fingerprint
 *        (CVE-2017-15361), e odd and from 3 to 64 bits
 *   EC   coordinates exactly as long as the curve's field, point on the curve
 *   Ed25519  32 bytes
 */
int token_pkey_rsa(
	struct span n, struct span e, EVP_PKEY **ret_pkey, const char **ret_why) must_check;
int token_pkey_ec(enum token_alg alg, struct span x, struct span y, EVP_PKEY **ret_pkey,
	const char **ret_why) must_check;
int token_pkey_ed25519(struct span x, EVP_PKEY **ret_pkey, const char **ret_why) must_check;

/*
 * 64 bits of SHA-256 over algorithm, key id and public key (or secret): what was verified
 * by a key finds it again by this in a newer set. Not 0; 0 without memory.
 */
uint64_t token_pkey_print(enum token_alg alg, struct span kid, EVP_PKEY *pkey);

/*
 * A public key in PEM (RFC 7468 13), alone but for white space around it. The
 * rules for numbers and curves hold as above.
 */
int token_pkey_pem(struct span pem, EVP_PKEY **ret_pkey, const char **ret_why) must_check;
#define TOKEN_PEM_MAX 8192

/* Is it a public key of the type, size and curve that the algorithm needs? Never for HS*. */
bool token_pkey_fits(EVP_PKEY *pkey, enum token_alg alg);

/* A shared secret for HMAC: 0 or -ENOMEM. */
int token_pkey_secret(struct span secret, EVP_PKEY **ret_pkey) must_check;

DEFINE_CLEANUP(pkey, EVP_PKEY *, EVP_PKEY_free)

#endif
