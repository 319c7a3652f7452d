#include "token/pkey.h"

#include "base/wr.h"

#include <errno.h>
#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <string.h>

/* OpenSSL's own bound for moduli above 3072 bits; verifying costs in step with it. */
#define RSA_E_MAX_BITS 64

#define EC_FIELD_MAX 66

DEFINE_CLEANUP(bn, BIGNUM *, BN_free)
DEFINE_CLEANUP(pkey_ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
DEFINE_CLEANUP(param_bld, OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free)
DEFINE_CLEANUP(bio, BIO *, BIO_free)
DEFINE_CLEANUP(params, OSSL_PARAM *, OSSL_PARAM_free)

static int refuse(const char *why, const char **ret_why)
{
	ERR_clear_error();
	*ret_why = why;
	return -EINVAL;
}

static int no_memory(void)
{
	ERR_clear_error();
	return -ENOMEM;
}

/* Is r in the group that 65537 generates modulo the prime p? */
static bool is_power_of_65537(unsigned r, unsigned p)
{
	unsigned power = 1;

	do {
		if (power == r)
			return true;
		power = power * (65537 % p) % p;
	} while (power != 1);
	return false;
}

/*
 * The fingerprint of Infineon's key generator: modulo every small prime, n is
 * a power of 65537. By chance this happens less than once in 2^100 keys.
 */
static bool has_roca_fingerprint(const BIGNUM *n)
{
	static const uint8_t PRIMES[] = {3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53,
		59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139,
		149, 151, 157, 163, 167};

	for (size_t i = 0; i < ARRAY_SIZE(PRIMES); i++)
		if (!is_power_of_65537((unsigned)BN_mod_word(n, PRIMES[i]), PRIMES[i]))
			return false;
	return true;
}

static const char *why_not_rsa(const BIGNUM *n, const BIGNUM *e)
{
	if (BN_num_bits(n) < TOKEN_RSA_MIN_BITS)
		return "RSA modulus below 2048 bits";
	if (BN_num_bits(n) > TOKEN_RSA_MAX_BITS)
		return "RSA modulus above 8192 bits";
	if (!BN_is_odd(n))
		return "RSA modulus is even";
	if (!BN_is_odd(e) || BN_is_one(e))
		return "RSA exponent is even or below 3";
	if (BN_num_bits(e) > RSA_E_MAX_BITS)
		return "RSA exponent above 64 bits";
	return has_roca_fingerprint(n) ? "RSA modulus has the ROCA fingerprint" : NULL;
}

static int build(const char *type, OSSL_PARAM_BLD *bld, EVP_PKEY **ret_pkey, const char **ret_why)
{
	cleanup(params) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	cleanup(pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1)
		return no_memory();
	if (EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return refuse("OpenSSL refuses the numbers", ret_why);
	*ret_pkey = pkey;
	return 0;
}

static BIGNUM *number(struct span bytes)
{
	return BN_bin2bn((const unsigned char *)bytes.p, (int)bytes.n, NULL);
}

int token_pkey_rsa(struct span n, struct span e, EVP_PKEY **ret_pkey, const char **ret_why)
{
	/* One byte more than the largest: RFC 7518 6.3.1.1 knows of a leading zero. */
	if (n.n > TOKEN_RSA_MAX_BITS / 8 + 1 || e.n > TOKEN_RSA_MAX_BITS / 8)
		return refuse("RSA number too long", ret_why);

	cleanup(bn) BIGNUM *modulus = number(n);
	cleanup(bn) BIGNUM *exponent = number(e);
	cleanup(param_bld) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	const char *why;

	if (!modulus || !exponent || !bld)
		return no_memory();
	why = why_not_rsa(modulus, exponent);
	if (why)
		return refuse(why, ret_why);
	if (!OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, modulus) ||
		!OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, exponent))
		return no_memory();
	return build("RSA", bld, ret_pkey, ret_why);
}

/*
 * On the curve, not infinity, of the right order (RFC 8725 3.4). OpenSSL 3.0
 * already refuses a point off the curve when it reads one; that is its choice,
 * this is ours.
 */
static int check_point(EVP_PKEY *pkey, const char **ret_why)
{
	cleanup(pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

	if (!ctx)
		return no_memory();
	return EVP_PKEY_public_check(ctx) == 1 ? 0 : refuse("point is not on the curve", ret_why);
}

int token_pkey_ec(
	enum token_alg alg, struct span x, struct span y, EVP_PKEY **ret_pkey, const char **ret_why)
{
	const struct token_alg_info *info = token_alg_info(alg);
	uint8_t point[1 + 2 * EC_FIELD_MAX];
	struct wr w = wr_of(point, sizeof(point));

	if (x.n != info->part || y.n != info->part)
		return refuse("EC coordinate has not the length of its field", ret_why);
	wr_u8(&w, POINT_CONVERSION_UNCOMPRESSED);
	wr_bytes(&w, x.p, x.n);
	wr_bytes(&w, y.p, y.n);

	cleanup(param_bld) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	cleanup(pkey) EVP_PKEY *pkey = NULL;
	int r;

	if (!bld ||
		!OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, info->crv, 0) ||
		!OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, wr_len(&w)))
		return no_memory();
	r = build("EC", bld, &pkey, ret_why);
	if (!r)
		r = check_point(pkey, ret_why);
	if (r)
		return r;
	*ret_pkey = TAKE_PTR(pkey);
	return 0;
}

int token_pkey_ed25519(struct span x, EVP_PKEY **ret_pkey, const char **ret_why)
{
	EVP_PKEY *pkey;

	if (x.n != 32)
		return refuse("Ed25519 key is not 32 bytes", ret_why);
	pkey = EVP_PKEY_new_raw_public_key_ex(
		NULL, "ED25519", NULL, (const unsigned char *)x.p, x.n);
	if (!pkey)
		return no_memory();
	*ret_pkey = pkey;
	return 0;
}

/* What makes a key this one: its public half, or the secret. OPENSSL_clear_free it. */
static int key_bytes(EVP_PKEY *pkey, unsigned char **ret_bytes)
{
	size_t n = 0;

	if (!EVP_PKEY_is_a(pkey, "HMAC"))
		return i2d_PUBKEY(pkey, ret_bytes);
	if (EVP_PKEY_get_raw_private_key(pkey, NULL, &n) != 1 || n > INT_MAX)
		return -1;
	*ret_bytes = OPENSSL_malloc(n);
	if (!*ret_bytes || EVP_PKEY_get_raw_private_key(pkey, *ret_bytes, &n) != 1)
		return -1;
	return (int)n;
}

uint64_t token_pkey_print(enum token_alg alg, struct span kid, EVP_PKEY *pkey)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	unsigned char *der = NULL;
	int n = key_bytes(pkey, &der);
	size_t front = sizeof(alg) + sizeof(kid.n) + kid.n;
	cleanup(free) unsigned char *text = n > 0 ? malloc(front + (size_t)n) : NULL;
	struct wr w = wr_of(text, text ? front + (size_t)n : 0);
	uint64_t print;

	wr_bytes(&w, &alg, sizeof(alg));
	wr_bytes(&w, &kid.n, sizeof(kid.n));
	wr_bytes(&w, kid.p, kid.n);
	wr_bytes(&w, der, n > 0 ? (size_t)n : 0);
	OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
	if (w.bad)
		return 0;
	SHA256(text, wr_len(&w), hash);
	OPENSSL_cleanse(text, wr_len(&w));
	memcpy(&print, hash, sizeof(print));
	return print ? print : 1;
}

static const char *curve_of(EVP_PKEY *pkey)
{
	static const struct {
		const char *group, *crv;
	} CURVES[] = {
		{SN_X9_62_prime256v1, "P-256"},
		{SN_secp384r1, "P-384"},
		{SN_secp521r1, "P-521"},
	};
	char group[64];

	if (EVP_PKEY_is_a(pkey, "ED25519"))
		return "Ed25519";
	if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(CURVES); i++)
		if (!strcmp(group, CURVES[i].group))
			return CURVES[i].crv;
	return NULL;
}

bool token_pkey_fits(EVP_PKEY *pkey, enum token_alg alg)
{
	const struct token_alg_info *info = token_alg_info(alg);
	const char *crv;

	if (info->kty == TOKEN_KTY_RSA)
		return EVP_PKEY_is_a(pkey, "RSA") &&
		       EVP_PKEY_get_bits(pkey) >= TOKEN_RSA_MIN_BITS &&
		       EVP_PKEY_get_bits(pkey) <= TOKEN_RSA_MAX_BITS;
	crv = curve_of(pkey);
	return crv && info->crv && !strcmp(crv, info->crv);
}

int token_pkey_secret(struct span secret, EVP_PKEY **ret_pkey)
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key_ex(
		NULL, "HMAC", NULL, (const unsigned char *)secret.p, secret.n);

	if (!pkey)
		return no_memory();
	*ret_pkey = pkey;
	return 0;
}

/* OpenSSL would otherwise ask the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *arg)
{
	(void)buffer, (void)size, (void)writing, (void)arg;
	return -1;
}

/* The numbers of an RSA key that OpenSSL has read itself. */
static const char *why_not_rsa_pkey(EVP_PKEY *pkey)
{
	cleanup(bn) BIGNUM *n = NULL;
	cleanup(bn) BIGNUM *e = NULL;

	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
		EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
		return "RSA numbers cannot be read";
	return why_not_rsa(n, e);
}

int token_pkey_pem(struct span pem, EVP_PKEY **ret_pkey, const char **ret_why)
{
	cleanup(bio) BIO *bio = NULL;
	cleanup(pkey) EVP_PKEY *pkey = NULL;
	const char *why = NULL;

	if (!pem.n || pem.n > TOKEN_PEM_MAX)
		return refuse("PEM is empty or longer than 8 KiB", ret_why);
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (!bio)
		return no_memory();
	pkey = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
	if (!pkey)
		return refuse("not a public key in PEM", ret_why);
	if (EVP_PKEY_is_a(pkey, "RSA"))
		why = why_not_rsa_pkey(pkey);
	else if (!curve_of(pkey))
		why = "neither RSA nor a curve that an algorithm uses";
	if (why)
		return refuse(why, ret_why);
	if (EVP_PKEY_is_a(pkey, "EC") && check_point(pkey, ret_why))
		return -EINVAL;
	*ret_pkey = TAKE_PTR(pkey);
	return 0;
}
