/*
 * One signature under one key, by OpenSSL (RFC 7518 3.3 to 3.5, RFC 8037 3.1).
 */
#ifndef TOKEN_SIGNATURE_H
#define TOKEN_SIGNATURE_H

#include "base/mem.h"
#include "base/span.h"
#include "token/alg.h"

#include <openssl/evp.h>

/* OpenSSL's contexts and digests, looked up once. Not shared between threads. */
struct token_signature;
struct token_signature *token_signature_new(void) must_check;
void token_signature_free(struct token_signature *checker);

/*
 * The key must fit the algorithm, as those of a token_keyset do.
 *   0         it holds
 *   -EBADMSG  it does not, or has not the one length it may have
 *   -EIO      OpenSSL failed for another reason, such as memory
 * OpenSSL's error queue is empty afterwards.
 */
int token_signature_check(struct token_signature *checker, enum token_alg alg, EVP_PKEY *pkey,
	struct span input, struct span signature) must_check;

#endif
