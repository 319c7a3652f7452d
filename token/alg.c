#include "token/alg.h"

#include "base/mem.h"

#include <assert.h>

#define RSA(n, md, is_pss)                                                                         \
	{                                                                                          \
		.name = n, .kty = TOKEN_KTY_RSA, .digest = md, .pss = is_pss                       \
	}
#define EC(n, c, md, bytes)                                                                        \
	{                                                                                          \
		.name = n, .kty = TOKEN_KTY_EC, .crv = c, .digest = md, .part = bytes              \
	}
#define OKP(n)                                                                                     \
	{                                                                                          \
		.name = n, .kty = TOKEN_KTY_OKP, .crv = "Ed25519", .part = 32                      \
	}
#define OCT(n, md, bytes)                                                                          \
	{                                                                                          \
		.name = n, .kty = TOKEN_KTY_OCT, .digest = md, .part = (bytes) / 2                 \
	}

static const struct token_alg_info ALGS[] = {
	[TOKEN_RS256] = RSA("RS256", "SHA256", false),
	[TOKEN_RS384] = RSA("RS384", "SHA384", false),
	[TOKEN_RS512] = RSA("RS512", "SHA512", false),
	[TOKEN_PS256] = RSA("PS256", "SHA256", true),
	[TOKEN_PS384] = RSA("PS384", "SHA384", true),
	[TOKEN_PS512] = RSA("PS512", "SHA512", true),
	[TOKEN_ES256] = EC("ES256", "P-256", "SHA256", 32),
	[TOKEN_ES384] = EC("ES384", "P-384", "SHA384", 48),
	[TOKEN_ES512] = EC("ES512", "P-521", "SHA512", 66),
	[TOKEN_EDDSA] = OKP("EdDSA"),
	[TOKEN_ED25519] = OKP("Ed25519"),
	[TOKEN_HS256] = OCT("HS256", "SHA256", 32),
	[TOKEN_HS384] = OCT("HS384", "SHA384", 48),
	[TOKEN_HS512] = OCT("HS512", "SHA512", 64),
};
static_assert(ARRAY_SIZE(ALGS) == TOKEN_ALGS, "one row per algorithm");

int token_alg_find(struct span name)
{
	for (size_t i = 0; i < TOKEN_ALGS; i++)
		if (span_is(name, ALGS[i].name))
			return (int)i;
	return -1;
}

const struct token_alg_info *token_alg_info(enum token_alg alg)
{
	assert((size_t)alg < TOKEN_ALGS);
	return &ALGS[alg];
}

const char *token_alg_name(enum token_alg alg)
{
	return token_alg_info(alg)->name;
}
