#include "token/mint.h"

#include "base/wr.h"
#include "token/alg.h"
#include "token/b64.h"
#include "token/json.h"
#include "token/pkey.h"

#include <errno.h>
#include <jwt.h>
#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

DEFINE_CLEANUP(jwt, jwt_t *, jwt_free)
DEFINE_CLEANUP(bio, BIO *, BIO_free)
DEFINE_CLEANUP(bn, BIGNUM *, BN_free)

#define NUMBER_MAX (TOKEN_RSA_MAX_BITS / 8)

/* OpenSSL would otherwise ask the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *arg)
{
	(void)buffer, (void)size, (void)writing, (void)arg;
	return -1;
}

static EVP_PKEY *read_pem(struct span pem, bool private_only)
{
	if (pem.n > INT_MAX)
		return NULL;

	cleanup(bio) BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

	if (bio && !pkey && !private_only) {
		(void)BIO_reset(bio);
		pkey = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
	}
	ERR_clear_error();
	return pkey;
}

/* libjwt's number for the name, byte-exact and never "none". */
static jwt_alg_t find_alg(const char *name)
{
	for (int i = JWT_ALG_NONE + 1; i < JWT_ALG_TERM; i++)
		if (!strcmp(name, jwt_alg_str((jwt_alg_t)i)))
			return (jwt_alg_t)i;
	return JWT_ALG_INVAL;
}

static bool key_is_good(const struct token_mint *mint)
{
	int alg = token_alg_find(span_of(mint->alg));

	if (!mint->key.n || mint->key.n > INT_MAX)
		return false;
	if (alg < 0 || TOKEN_ALG_BIT(alg) & TOKEN_ALGS_HMAC)
		return true;

	cleanup(pkey) EVP_PKEY *pkey = read_pem(mint->key, true);

	return pkey && token_pkey_fits(pkey, (enum token_alg)alg);
}

static char *sign(const struct token_mint *mint, jwt_alg_t alg)
{
	cleanup(jwt) jwt_t *jwt = NULL;
	cleanup(free) char *claims = json_dumps(mint->claims, JSON_COMPACT);
	char *token;

	errno = ENOMEM;
	if (!claims || jwt_new(&jwt) || jwt_add_grants_json(jwt, claims))
		return NULL;
	if (mint->kid && jwt_add_header(jwt, "kid", mint->kid))
		return NULL;
	if (jwt_set_alg(jwt, alg, (const unsigned char *)mint->key.p, (int)mint->key.n))
		return NULL;
	token = jwt_encode_str(jwt);
	ERR_clear_error();
	return token;
}

char *token_mint(const struct token_mint *mint)
{
	jwt_alg_t alg = find_alg(mint->alg);

	if (alg == JWT_ALG_INVAL || !json_is_object(mint->claims) || !key_is_good(mint)) {
		errno = EINVAL;
		return NULL;
	}
	return sign(mint, alg);
}

static int set_text(json_t *jwk, const char *name, const char *value)
{
	return value ? json_object_set_new(jwk, name, json_string(value)) : 0;
}

static int set_bytes(json_t *jwk, const char *name, const uint8_t *bytes, size_t n)
{
	char text[(NUMBER_MAX + 2) / 3 * 4];
	struct wr w = wr_of(text, sizeof(text));

	token_b64_encode((struct span){.p = (const char *)bytes, .n = n}, &w);
	if (w.bad)
		return -1;
	return json_object_set_new(jwk, name, json_stringn(text, wr_len(&w)));
}

/* A number of the key; width 0: as short as it is (RFC 7518 6.3.1), else padded (6.2.1). */
static int set_number(
	json_t *jwk, const char *name, EVP_PKEY *pkey, const char *param, size_t width)
{
	cleanup(bn) BIGNUM *number = NULL;
	uint8_t bytes[NUMBER_MAX];

	if (EVP_PKEY_get_bn_param(pkey, param, &number) != 1)
		return -1;
	if (!width)
		width = (size_t)BN_num_bytes(number);
	if (width > sizeof(bytes) || BN_bn2binpad(number, bytes, (int)width) < 0)
		return -1;
	return set_bytes(jwk, name, bytes, width);
}

static int set_rsa(json_t *jwk, EVP_PKEY *pkey, const struct token_alg_info *info)
{
	(void)info;
	return set_number(jwk, "n", pkey, OSSL_PKEY_PARAM_RSA_N, 0) ||
	       set_number(jwk, "e", pkey, OSSL_PKEY_PARAM_RSA_E, 0);
}

static int set_ec(json_t *jwk, EVP_PKEY *pkey, const struct token_alg_info *info)
{
	return set_text(jwk, "crv", info->crv) ||
	       set_number(jwk, "x", pkey, OSSL_PKEY_PARAM_EC_PUB_X, info->part) ||
	       set_number(jwk, "y", pkey, OSSL_PKEY_PARAM_EC_PUB_Y, info->part);
}

static int set_okp(json_t *jwk, EVP_PKEY *pkey, const struct token_alg_info *info)
{
	uint8_t bytes[32];
	size_t n = sizeof(bytes);

	if (EVP_PKEY_get_raw_public_key(pkey, bytes, &n) != 1)
		return -1;
	return set_text(jwk, "crv", info->crv) || set_bytes(jwk, "x", bytes, n);
}

static const struct {
	const char *name;
	int (*set)(json_t *jwk, EVP_PKEY *pkey, const struct token_alg_info *info);
} KTYS[] = {
	[TOKEN_KTY_RSA] = {"RSA", set_rsa},
	[TOKEN_KTY_EC] = {"EC", set_ec},
	[TOKEN_KTY_OKP] = {"OKP", set_okp},
};

json_t *token_mint_jwk(struct span pem, const char *kid, const char *alg)
{
	cleanup(pkey) EVP_PKEY *pkey = read_pem(pem, false);
	int found = token_alg_find(span_of(alg));

	errno = EINVAL;
	if (!pkey || found < 0 || !token_pkey_fits(pkey, (enum token_alg)found))
		return NULL;

	const struct token_alg_info *info = token_alg_info((enum token_alg)found);
	cleanup(json) json_t *jwk = json_object();

	errno = ENOMEM;
	if (!jwk || set_text(jwk, "kty", KTYS[info->kty].name) ||
		KTYS[info->kty].set(jwk, pkey, info) || set_text(jwk, "kid", kid) ||
		set_text(jwk, "alg", alg) || set_text(jwk, "use", "sig"))
		return NULL;
	return TAKE_PTR(jwk);
}
