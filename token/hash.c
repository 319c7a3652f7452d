/*
 * The old functions of OpenSSL, on purpose: EVP allocates for every hash, and
 * SHA256() also looks the algorithm up each time, which costs half a hash.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "token/hash.h"

#include <openssl/sha.h>

_Static_assert(TOKEN_HASH_BYTES == SHA256_DIGEST_LENGTH, "room for the digest");

void token_hash_of(struct span bytes, uint8_t ret[TOKEN_HASH_BYTES])
{
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	SHA256_Update(&ctx, bytes.p, bytes.n);
	SHA256_Final(ret, &ctx);
}
