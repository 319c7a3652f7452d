#include "token/signature.h"

#include "base/rd.h"
#include "token/hash.h"
#include "token/memory.h"
#include "token/prepared.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

/* SEQUENCE of two INTEGERs of 66 bytes and a sign byte: 3 + 2 * (2 + 67) = 141. */
#define ECDSA_DER_MAX 144

enum {
	DIGEST_256,
	DIGEST_384,
	DIGEST_512,
};
static const char *const DIGESTS[] = {
	[DIGEST_256] = "SHA256", [DIGEST_384] = "SHA384", [DIGEST_512] = "SHA512"};

struct token_signature {
	EVP_MD_CTX *ctx;
	struct token_prepared *prepared;
	EVP_MD *digests[ARRAY_SIZE(DIGESTS)];
};

DEFINE_CLEANUP(token_signature, struct token_signature *, token_signature_free)
DEFINE_CLEANUP(bn, BIGNUM *, BN_free)
DEFINE_CLEANUP(ecdsa_sig, ECDSA_SIG *, ECDSA_SIG_free)

struct token_signature *token_signature_new(void)
{
	cleanup(token_signature) struct token_signature *checker = calloc(1, sizeof(*checker));

	if (!checker)
		return NULL;
	checker->ctx = EVP_MD_CTX_new();
	checker->prepared = token_prepared_new();
	if (!checker->ctx || !checker->prepared)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(DIGESTS); i++) {
		checker->digests[i] = EVP_MD_fetch(NULL, DIGESTS[i], NULL);
		if (!checker->digests[i])
			return NULL;
	}
	return TAKE_PTR(checker);
}

void token_signature_free(struct token_signature *checker)
{
	if (!checker)
		return;
	EVP_MD_CTX_free(checker->ctx);
	token_prepared_free(checker->prepared);
	for (size_t i = 0; i < ARRAY_SIZE(DIGESTS); i++)
		EVP_MD_free(checker->digests[i]);
	free(checker);
}

static const EVP_MD *find_digest(const struct token_signature *checker, const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(DIGESTS); i++)
		if (!strcmp(name, DIGESTS[i]))
			return checker->digests[i];
	return NULL;
}

/* Empties the queue. A valid token must not look forged because there was no memory. */
static int why_failed(int otherwise)
{
	ERR_clear_error();
	return token_memory_failed() ? -EIO : otherwise;
}

static BIGNUM *next_number(struct rd *in, size_t n)
{
	struct span bytes = rd_bytes(in, n);

	return BN_bin2bn((const unsigned char *)bytes.p, (int)bytes.n, NULL);
}

/* r and s, each as long as the curve's order (RFC 7518 3.4), to what OpenSSL reads. */
static int ecdsa_to_der(
	struct span signature, size_t part, uint8_t der[ECDSA_DER_MAX], struct span *ret_der)
{
	struct rd in = rd_span(signature);
	cleanup(bn) BIGNUM *r = next_number(&in, part);
	cleanup(bn) BIGNUM *s = next_number(&in, part);
	cleanup(ecdsa_sig) ECDSA_SIG *sig = ECDSA_SIG_new();
	unsigned char *at = der;
	int n;

	if (!r || !s || !sig || ECDSA_SIG_set0(sig, r, s) != 1)
		return why_failed(-EIO);
	/* They are sig's now. */
	r = s = NULL;
	n = i2d_ECDSA_SIG(sig, NULL);
	if (n <= 0 || n > ECDSA_DER_MAX || i2d_ECDSA_SIG(sig, &at) != n)
		return why_failed(-EIO);
	*ret_der = (struct span){.p = (const char *)der, .n = (size_t)n};
	return 0;
}

static size_t expected_length(const struct token_alg_info *info, EVP_PKEY *pkey)
{
	return info->part ? 2 * info->part : (size_t)EVP_PKEY_get_size(pkey);
}

/* EdDSA hashes by itself, and twice. */
static int check_eddsa(
	struct token_signature *checker, EVP_PKEY *pkey, struct span input, struct span signature)
{
	int r;

	EVP_MD_CTX_reset(checker->ctx);
	if (EVP_DigestVerifyInit(checker->ctx, NULL, NULL, NULL, pkey) != 1)
		return why_failed(-EIO);
	r = EVP_DigestVerify(checker->ctx, (const unsigned char *)signature.p, signature.n,
		(const unsigned char *)input.p, input.n);
	return r == 1 ? 0 : why_failed(-EBADMSG);
}

static int check(struct token_signature *checker, enum token_alg alg, EVP_PKEY *pkey,
	struct span input, struct span signature)
{
	const EVP_MD *digest = find_digest(checker, token_alg_info(alg)->digest);
	uint8_t hash[EVP_MAX_MD_SIZE];
	EVP_PKEY_CTX *ctx;
	unsigned n = TOKEN_HASH_BYTES;
	int r;

	if (!digest)
		return check_eddsa(checker, pkey, input, signature);
	ctx = token_prepared_get(checker->prepared, alg, pkey, digest);
	if (!ctx)
		return why_failed(-EIO);
	if (digest == checker->digests[DIGEST_256])
		token_hash_of(input, hash); /* EVP takes half as long again for it */
	else if (EVP_Digest(input.p, input.n, hash, &n, digest, NULL) != 1)
		return why_failed(-EIO);
	r = EVP_PKEY_verify(ctx, (const unsigned char *)signature.p, signature.n, hash, n);
	return r == 1 ? 0 : why_failed(-EBADMSG);
}

/* RFC 7518 3.2. The time it takes says nothing of where the two differ. */
static int check_hmac(struct token_signature *checker, const struct token_alg_info *info,
	EVP_PKEY *pkey, struct span input, struct span signature)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	size_t n = sizeof(mac);
	int r;

	EVP_MD_CTX_reset(checker->ctx);
	if (EVP_DigestSignInit(
		    checker->ctx, NULL, find_digest(checker, info->digest), NULL, pkey) != 1)
		return why_failed(-EIO);
	if (EVP_DigestSign(checker->ctx, mac, &n, (const unsigned char *)input.p, input.n) != 1)
		return why_failed(-EIO);
	r = n == signature.n && !CRYPTO_memcmp(mac, signature.p, n) ? 0 : -EBADMSG;
	OPENSSL_cleanse(mac, sizeof(mac));
	return r;
}

int token_signature_check(struct token_signature *checker, enum token_alg alg, EVP_PKEY *pkey,
	struct span input, struct span signature)
{
	const struct token_alg_info *info = token_alg_info(alg);
	uint8_t der[ECDSA_DER_MAX];
	int r = 0;

	if (signature.n != expected_length(info, pkey))
		return -EBADMSG;
	token_memory_watch();
	if (info->kty == TOKEN_KTY_EC)
		r = ecdsa_to_der(signature, info->part, der, &signature);
	if (info->kty == TOKEN_KTY_OCT)
		r = check_hmac(checker, info, pkey, input, signature);
	else if (!r)
		r = check(checker, alg, pkey, input, signature);
	/* The reset also lets go of the key, of a secret one above all. */
	EVP_MD_CTX_reset(checker->ctx);
	return r;
}
