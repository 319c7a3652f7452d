/*
 * Keys and tokens for tests, made by OpenSSL alone: signing here is not
 * libjwt's and not ours, so it can say what any header and payload bytes say.
 * Every function aborts when it cannot do its job.
 */
#ifndef TESTS_TOKEN_KEYS_H
#define TESTS_TOKEN_KEYS_H

#include "token/alg.h"
#include "token/keyset.h"

#include <jansson.h>
#include <openssl/evp.h>

struct test_key {
	enum token_alg alg;
	EVP_PKEY *pkey;
};

/* What every HS* key of the tests holds. */
#define TEST_SECRET "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* A fresh key of the type the algorithm needs: RSA 2048, its curve, Ed25519. */
struct test_key *test_key_new(enum token_alg alg);
void test_key_free(struct test_key *key);

/* One key per algorithm, made at first use and never freed: RSA keys are slow to make. */
const struct test_key *test_key_of(enum token_alg alg);

/* PEM, PKCS#8 or SubjectPublicKeyInfo (malloc). */
char *test_key_pem(const struct test_key *key, bool private_key);

/* The public JWK (one reference); kid may be NULL. "alg" is the key's. */
json_t *test_key_jwk(const struct test_key *key, const char *kid);

/* {"keys":[...]} (malloc). Steals the references; ends at NULL. */
char *test_jwks(json_t *jwk, ...) __attribute__((sentinel));

/* A parsed set of exactly this key. */
struct token_keyset *test_keyset(const struct test_key *key, const char *kid);

/* A compact JWS over these very bytes, signed as key->alg says, whatever header says (malloc). */
char *test_sign(const struct test_key *key, const char *header, const char *payload);
char *test_sign_bytes(const struct test_key *key, struct span header, struct span payload);

/* The same as AWS load balancers do it: every part with padding, signed as it is (malloc). */
char *test_sign_padded(const struct test_key *key, const char *header, const char *payload);

/* The same with {"alg":ALG,"kid":kid} (and "typ" unless NULL) as header. */
char *test_token(const struct test_key *key, const char *kid, const char *typ, const char *payload);

/* HMAC-SHA256 with any bytes as secret, for confusion tests. */
char *test_sign_hs256(struct span secret, const char *header, const char *payload);

/* base64url (malloc). */
char *test_b64(struct span bytes);

#endif
