#include "tests/unit/token/keys.h"

#include "token/b64.h"
#include "token/json.h"
#include "token/mint.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdarg.h>
#include <stdio.h>

/* Not assert: release builds of the tests must check too. */
static void must(bool fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "test keys: %s failed\n", what);
	abort();
}

struct test_key *test_key_new(enum token_alg alg)
{
	const struct token_alg_info *info = token_alg_info(alg);
	struct test_key *key = calloc(1, sizeof(*key));

	must(key, "calloc");
	key->alg = alg;
	if (info->kty == TOKEN_KTY_OCT)
		key->pkey = EVP_PKEY_new_raw_private_key_ex(
			NULL, "HMAC", NULL, (const unsigned char *)TEST_SECRET, 64);
	else if (info->kty == TOKEN_KTY_RSA)
		key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	else if (info->kty == TOKEN_KTY_EC)
		key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", info->crv);
	else
		key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	must(key->pkey, "keygen");
	return key;
}

void test_key_free(struct test_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

const struct test_key *test_key_of(enum token_alg alg)
{
	static struct test_key *keys[TOKEN_ALGS];

	if (!keys[alg])
		keys[alg] = test_key_new(alg);
	return keys[alg];
}

char *test_key_pem(const struct test_key *key, bool private_key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	char *pem;
	long n;
	int r;

	must(bio, "BIO_new");
	r = private_key ? PEM_write_bio_PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL)
			: PEM_write_bio_PUBKEY(bio, key->pkey);
	must(r == 1, "PEM_write");
	n = BIO_get_mem_data(bio, &data);
	pem = strndup(data, (size_t)n);
	must(pem, "strndup");
	BIO_free(bio);
	return pem;
}

json_t *test_key_jwk(const struct test_key *key, const char *kid)
{
	char *pem = test_key_pem(key, false);
	json_t *jwk = token_mint_jwk(span_of(pem), kid, token_alg_name(key->alg));

	must(jwk, "token_mint_jwk");
	free(pem);
	return jwk;
}

char *test_jwks(json_t *jwk, ...)
{
	json_t *keys = json_array();
	json_t *set = json_pack("{s:o}", "keys", keys);
	char *text;
	va_list ap;

	va_start(ap, jwk);
	for (; jwk; jwk = va_arg(ap, json_t *))
		must(!json_array_append_new(keys, jwk), "json_array_append");
	va_end(ap);
	text = json_dumps(set, JSON_COMPACT);
	must(text, "json_dumps");
	json_decref(set);
	return text;
}

struct token_keyset *test_keyset(const struct test_key *key, const char *kid)
{
	struct token_keyset *set = NULL;
	char *text;

	if (token_alg_info(key->alg)->kty == TOKEN_KTY_OCT) {
		must(!token_keyset_secret(SPAN(TEST_SECRET), key->alg, &set),
			"token_keyset_secret");
		return set;
	}
	text = test_jwks(test_key_jwk(key, kid), NULL);

	must(!token_keyset_parse(span_of(text), TOKEN_ALG_BIT(key->alg), &set, NULL),
		"token_keyset_parse");
	free(text);
	return set;
}

char *test_b64(struct span bytes)
{
	char *text = calloc(1, token_b64_chars(bytes.n) + 1);
	struct wr w = wr_of(text, token_b64_chars(bytes.n));

	must(text, "calloc");
	token_b64_encode(bytes, &w);
	must(!w.bad, "token_b64_encode");
	return text;
}

/* DER to r||s. */
static size_t ecdsa_raw(unsigned char *sig, size_t n, size_t part)
{
	const unsigned char *p = sig;
	ECDSA_SIG *parsed = d2i_ECDSA_SIG(NULL, &p, (long)n);

	must(parsed, "d2i_ECDSA_SIG");
	must(BN_bn2binpad(ECDSA_SIG_get0_r(parsed), sig, (int)part) > 0, "r");
	must(BN_bn2binpad(ECDSA_SIG_get0_s(parsed), sig + part, (int)part) > 0, "s");
	ECDSA_SIG_free(parsed);
	return 2 * part;
}

static size_t sign(const struct test_key *key, struct span input, unsigned char sig[1100])
{
	const struct token_alg_info *info = token_alg_info(key->alg);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	size_t n = 1100;

	must(ctx, "EVP_MD_CTX_new");
	must(EVP_DigestSignInit_ex(ctx, &pctx, info->digest, NULL, NULL, key->pkey, NULL) == 1,
		"EVP_DigestSignInit_ex");
	if (info->pss)
		must(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
				EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1,
			"PSS");
	must(EVP_DigestSign(ctx, sig, &n, (const unsigned char *)input.p, input.n) == 1,
		"EVP_DigestSign");
	EVP_MD_CTX_free(ctx);
	return info->kty == TOKEN_KTY_EC ? ecdsa_raw(sig, n, info->part) : n;
}

static char *join(const char *input, const unsigned char *sig, size_t n)
{
	char *text = test_b64((struct span){.p = (const char *)sig, .n = n});
	char *token;

	must(asprintf(&token, "%s.%s", input, text) > 0, "asprintf");
	free(text);
	return token;
}

static char *signing_input(struct span header, struct span payload)
{
	char *h = test_b64(header);
	char *p = test_b64(payload);
	char *input;

	must(asprintf(&input, "%s.%s", h, p) > 0, "asprintf");
	free(h);
	free(p);
	return input;
}

/* Takes text, and gives it back filled to whole quads. */
static char *pad(char *text)
{
	static const char *const FILL[] = {"", "", "==", "="};
	char *padded;

	must(asprintf(&padded, "%s%s", text, FILL[strlen(text) % 4]) > 0, "asprintf");
	free(text);
	return padded;
}

char *test_sign_padded(const struct test_key *key, const char *header, const char *payload)
{
	unsigned char sig[1100];
	char *h = pad(test_b64(span_of(header)));
	char *p = pad(test_b64(span_of(payload)));
	char *input, *text, *token;
	size_t n;

	must(asprintf(&input, "%s.%s", h, p) > 0, "asprintf");
	n = sign(key, span_of(input), sig);
	text = pad(test_b64((struct span){(const char *)sig, n}));
	must(asprintf(&token, "%s.%s", input, text) > 0, "asprintf");
	free(h);
	free(p);
	free(input);
	free(text);
	return token;
}

char *test_sign_bytes(const struct test_key *key, struct span header, struct span payload)
{
	unsigned char sig[1100];
	char *input = signing_input(header, payload);
	char *token = join(input, sig, sign(key, span_of(input), sig));

	free(input);
	return token;
}

char *test_sign(const struct test_key *key, const char *header, const char *payload)
{
	return test_sign_bytes(key, span_of(header), span_of(payload));
}

char *test_token(const struct test_key *key, const char *kid, const char *typ, const char *payload)
{
	json_t *header = json_pack(
		"{s:s, s:s*, s:s*}", "alg", token_alg_name(key->alg), "kid", kid, "typ", typ);
	char *text = json_dumps(header, JSON_COMPACT);
	char *token;

	must(text, "json_dumps");
	token = test_sign(key, text, payload);
	json_decref(header);
	free(text);
	return token;
}

char *test_sign_hs256(struct span secret, const char *header, const char *payload)
{
	char *input = signing_input(span_of(header), span_of(payload));
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	char *token;

	must(HMAC(EVP_sha256(), secret.p, (int)secret.n, (unsigned char *)input, strlen(input), mac,
		     &n),
		"HMAC");
	token = join(input, mac, n);
	free(input);
	return token;
}
