/*
 * Signing tokens of our own with a key of our own (RFC 7515), by OpenSSL, for
 * ES256 and EdDSA. The key is loaded once: a signature costs about 20 us.
 */
#ifndef TOKEN_SIGNER_H
#define TOKEN_SIGNER_H

#include "base/mem.h"
#include "base/span.h"
#include "token/alg.h"

#include <jansson.h>

struct token_signer;

#define TOKEN_SIGNER_DER_MAX 512

/* A fresh key. 0; -EINVAL another algorithm; -EIO OpenSSL failed. */
int token_signer_new(enum token_alg alg, struct token_signer **ret) must_check;

/* A key that token_signer_der gave. 0; -EINVAL it is not one for this algorithm; -EIO. */
int token_signer_load(enum token_alg alg, struct span der, struct token_signer **ret) must_check;
void token_signer_free(struct token_signer *signer);

enum token_alg token_signer_alg(const struct token_signer *signer);

/* The thumbprint of the public key (RFC 7638): its kid. Lives as long as the signer. */
const char *token_signer_kid(const struct token_signer *signer);

/* The private key as PKCS#8. 0 and the bytes in buf (wipe it), or -EIO. */
int token_signer_der(const struct token_signer *signer, unsigned char buf[TOKEN_SIGNER_DER_MAX],
	struct span *ret_der) must_check;

/* The public JWK with kid, alg and use: one reference. NULL without memory. */
json_t *token_signer_jwk(const struct token_signer *signer) must_check;

/*
 * The compact JWS over these claims with typ in the header (malloc, the
 * caller's); NULL without memory, or when OpenSSL fails. From any thread.
 */
char *token_signer_sign(
	const struct token_signer *signer, const char *typ, const json_t *claims) must_check;

DEFINE_CLEANUP(token_signer, struct token_signer *, token_signer_free)

#endif
