/*
 * OpenSSL's contexts of keys that verified lately, ready for the next time:
 * setting one up costs a seventh of an RSA verification. Of one thread, and
 * few: a context holds its key, also after its set is gone, until another one
 * needs the place. Never of secret keys.
 */
#ifndef TOKEN_PREPARED_H
#define TOKEN_PREPARED_H

#include "base/mem.h"
#include "token/alg.h"

#include <openssl/evp.h>

#define TOKEN_PREPARED 16

struct token_prepared;
struct token_prepared *token_prepared_new(void) must_check;
void token_prepared_free(struct token_prepared *prepared);

/*
 * A context in which EVP_PKEY_verify takes a digest and a signature as alg (RS,
 * PS or ES) says; digest is its hash. It lives until the next call. NULL when
 * OpenSSL has none.
 */
EVP_PKEY_CTX *token_prepared_get(struct token_prepared *prepared, enum token_alg alg,
	EVP_PKEY *pkey, const EVP_MD *digest) must_check;

DEFINE_CLEANUP(token_prepared, struct token_prepared *, token_prepared_free)

#endif
