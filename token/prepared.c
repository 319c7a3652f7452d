#include "token/prepared.h"

#include <openssl/rsa.h>

struct place {
	EVP_PKEY *pkey; /* a reference: no other key can have its address meanwhile */
	enum token_alg alg;
	EVP_PKEY_CTX *ctx;
};

struct token_prepared {
	struct place places[TOKEN_PREPARED];
	size_t next; /* whose turn it is to go */
};

DEFINE_CLEANUP(pkey_ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free)

static void vacate(struct place *place)
{
	EVP_PKEY_CTX_free(place->ctx);
	EVP_PKEY_free(place->pkey);
	*place = (struct place){0};
}

struct token_prepared *token_prepared_new(void)
{
	return calloc(1, sizeof(struct token_prepared));
}

void token_prepared_free(struct token_prepared *prepared)
{
	if (!prepared)
		return;
	for (size_t i = 0; i < TOKEN_PREPARED; i++)
		vacate(&prepared->places[i]);
	free(prepared);
}

/* RFC 7518 3.5: MGF1 with the same hash, salt as long as the hash. */
static bool set_pss(EVP_PKEY_CTX *ctx, const EVP_MD *digest)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, digest) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static bool set_up(EVP_PKEY_CTX *ctx, const struct token_alg_info *info, const EVP_MD *digest)
{
	if (EVP_PKEY_verify_init(ctx) != 1)
		return false;
	if (info->pss)
		return set_pss(ctx, digest) && EVP_PKEY_CTX_set_signature_md(ctx, digest) == 1;
	if (info->kty == TOKEN_KTY_RSA && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1)
		return false;
	return EVP_PKEY_CTX_set_signature_md(ctx, digest) == 1;
}

static EVP_PKEY_CTX *add(
	struct token_prepared *prepared, enum token_alg alg, EVP_PKEY *pkey, const EVP_MD *digest)
{
	cleanup(pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	struct place *place = &prepared->places[prepared->next];

	if (!ctx || !set_up(ctx, token_alg_info(alg), digest) || EVP_PKEY_up_ref(pkey) != 1)
		return NULL;
	vacate(place);
	*place = (struct place){.pkey = pkey, .alg = alg, .ctx = TAKE_PTR(ctx)};
	prepared->next = (prepared->next + 1) % TOKEN_PREPARED;
	return place->ctx;
}

EVP_PKEY_CTX *token_prepared_get(
	struct token_prepared *prepared, enum token_alg alg, EVP_PKEY *pkey, const EVP_MD *digest)
{
	for (size_t i = 0; i < TOKEN_PREPARED; i++)
		if (prepared->places[i].pkey == pkey && prepared->places[i].alg == alg)
			return prepared->places[i].ctx;
	return add(prepared, alg, pkey, digest);
}
