#include "token/signer.h"

#include "base/wr.h"
#include "token/b64.h"
#include "token/json.h"
#include "token/mint.h"
#include "token/pkey.h"
#include "token/thumbprint.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>

/* r and s of P-256, or an Ed25519 signature. */
#define SIGNATURE_BYTES 64

/* DER of the former: 2 + 2 * (2 + 33). */
#define DER_SIGNATURE_MAX 80

struct token_signer {
	enum token_alg alg;
	EVP_PKEY *pkey;
	json_t *jwk;
	char kid[TOKEN_THUMBPRINT_CHARS + 1];
};

DEFINE_CLEANUP(md_ctx, EVP_MD_CTX *, EVP_MD_CTX_free)
DEFINE_CLEANUP(ecdsa_sig, ECDSA_SIG *, ECDSA_SIG_free)
DEFINE_CLEANUP(bio, BIO *, BIO_free)

static int failed(int rc)
{
	ERR_clear_error();
	return rc;
}

void token_signer_free(struct token_signer *signer)
{
	if (!signer)
		return;
	EVP_PKEY_free(signer->pkey);
	json_decref(signer->jwk);
	free(signer);
}

static bool can_sign(enum token_alg alg)
{
	return alg == TOKEN_ES256 || alg == TOKEN_EDDSA;
}

/* The public half as a JWK, by way of the one function that makes them. */
static json_t *public_jwk(EVP_PKEY *pkey, enum token_alg alg)
{
	cleanup(bio) BIO *bio = BIO_new(BIO_s_mem());
	char *pem;
	long n;

	if (!bio || PEM_write_bio_PUBKEY(bio, pkey) != 1)
		return NULL;
	n = BIO_get_mem_data(bio, &pem);
	return token_mint_jwk((struct span){.p = pem, .n = (size_t)n}, NULL, token_alg_name(alg));
}

/* Takes over pkey, in every case. */
static int wrap(EVP_PKEY *pkey, enum token_alg alg, struct token_signer **ret)
{
	cleanup(pkey) EVP_PKEY *owned = pkey;
	cleanup(token_signer) struct token_signer *signer = calloc(1, sizeof(*signer));

	if (!signer)
		return -EIO;
	signer->alg = alg;
	signer->jwk = public_jwk(pkey, alg);
	if (!signer->jwk || token_thumbprint(signer->jwk, signer->kid) ||
		json_object_set_new(signer->jwk, "kid", json_string(signer->kid)))
		return failed(-EINVAL);
	signer->pkey = TAKE_PTR(owned);
	*ret = TAKE_PTR(signer);
	return 0;
}

int token_signer_new(enum token_alg alg, struct token_signer **ret)
{
	EVP_PKEY *pkey;

	if (!can_sign(alg))
		return -EINVAL;
	pkey = alg == TOKEN_ES256 ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
				  : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (!pkey)
		return failed(-EIO);
	return wrap(pkey, alg, ret) ? -EIO : 0;
}

int token_signer_load(enum token_alg alg, struct span der, struct token_signer **ret)
{
	const unsigned char *p = (const unsigned char *)der.p;
	EVP_PKEY *pkey;

	if (!can_sign(alg) || der.n > TOKEN_SIGNER_DER_MAX)
		return -EINVAL;
	pkey = d2i_AutoPrivateKey(NULL, &p, (long)der.n);
	if (!pkey)
		return failed(-EINVAL);
	return wrap(pkey, alg, ret);
}

enum token_alg token_signer_alg(const struct token_signer *signer)
{
	return signer->alg;
}

const char *token_signer_kid(const struct token_signer *signer)
{
	return signer->kid;
}

int token_signer_der(const struct token_signer *signer, unsigned char buf[TOKEN_SIGNER_DER_MAX],
	struct span *ret_der)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(signer->pkey);
	unsigned char *p = buf;
	int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, NULL) : -1;

	if (n > 0 && n <= TOKEN_SIGNER_DER_MAX)
		n = i2d_PKCS8_PRIV_KEY_INFO(info, &p);
	else
		n = -1;
	PKCS8_PRIV_KEY_INFO_free(info);
	if (n < 0)
		return failed(-EIO);
	*ret_der = (struct span){.p = (const char *)buf, .n = (size_t)n};
	return 0;
}

json_t *token_signer_jwk(const struct token_signer *signer)
{
	return json_deep_copy(signer->jwk);
}

/* What OpenSSL makes of ES256 to r and s, each of 32 bytes (RFC 7518 3.4). */
static int ecdsa_to_raw(const unsigned char *der, size_t n, unsigned char ret_raw[SIGNATURE_BYTES])
{
	cleanup(ecdsa_sig) ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);

	if (!sig)
		return -EIO;
	if (BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret_raw, SIGNATURE_BYTES / 2) < 0 ||
		BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret_raw + SIGNATURE_BYTES / 2,
			SIGNATURE_BYTES / 2) < 0)
		return -EIO;
	return 0;
}

static int sign(const struct token_signer *signer, struct span input,
	unsigned char ret_signature[SIGNATURE_BYTES])
{
	cleanup(md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char raw[DER_SIGNATURE_MAX];
	const char *digest = token_alg_info(signer->alg)->digest;
	size_t n = sizeof(raw);

	if (!ctx || EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, signer->pkey, NULL) != 1 ||
		EVP_DigestSign(ctx, raw, &n, (const unsigned char *)input.p, input.n) != 1)
		return failed(-EIO);
	if (signer->alg == TOKEN_ES256)
		return ecdsa_to_raw(raw, n, ret_signature) ? failed(-EIO) : 0;
	if (n != SIGNATURE_BYTES)
		return -EIO;
	memcpy(ret_signature, raw, n);
	return 0;
}

/* header "." payload "." in a buffer with room for the signature and a NUL behind it. */
static char *signing_input(struct span header, struct span payload, struct wr *ret_w)
{
	size_t n = token_b64_chars(header.n) + token_b64_chars(payload.n) +
		   token_b64_chars(SIGNATURE_BYTES) + 3;
	char *text = malloc(n);

	if (!text)
		return NULL;
	*ret_w = wr_of(text, n);
	token_b64_encode(header, ret_w);
	wr_u8(ret_w, '.');
	token_b64_encode(payload, ret_w);
	return text;
}

char *token_signer_sign(const struct token_signer *signer, const char *typ, const json_t *claims)
{
	cleanup(free) char *payload = json_dumps(claims, JSON_COMPACT);
	cleanup(free) char *text = NULL;
	unsigned char signature[SIGNATURE_BYTES];
	char header[160];
	struct wr w;
	int n = snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"%s\"}",
		token_alg_name(signer->alg), signer->kid, typ);

	if (!payload || n < 0 || n >= (int)sizeof(header))
		return NULL;
	text = signing_input((struct span){header, (size_t)n}, span_of(payload), &w);
	if (!text || sign(signer, (struct span){text, wr_len(&w)}, signature))
		return NULL;
	wr_u8(&w, '.');
	token_b64_encode((struct span){(const char *)signature, sizeof(signature)}, &w);
	wr_u8(&w, 0);
	return w.bad ? NULL : TAKE_PTR(text);
}
