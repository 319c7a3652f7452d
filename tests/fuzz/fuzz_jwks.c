/* Any bytes as a JWK set, under two allow-lists; what comes out holds what the header promises. */
#include "tests/fuzz/fuzz.h"

#include "token/keyset.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>

static void check_keys(const struct token_keyset *set, uint32_t algs)
{
	for (size_t i = 0; i < token_keyset_count(set); i++) {
		const struct token_key *key = token_keyset_at(set, i);

		FUZZ_CHECK(algs & TOKEN_ALG_BIT(key->alg));
		FUZZ_CHECK(key->kid.n <= TOKEN_KID_MAX && key->pkey);
		if (token_alg_info(key->alg)->kty == TOKEN_KTY_RSA)
			FUZZ_CHECK(EVP_PKEY_get_bits(key->pkey) >= 2048 &&
				   EVP_PKEY_get_bits(key->pkey) <= 8192);
	}
}

static void run(struct span json, uint32_t algs)
{
	struct token_keyset *set = NULL;
	struct token_keyset_stats stats;
	int r = token_keyset_parse(json, algs, &set, &stats);

	FUZZ_CHECK(r == 0 || r == -EBADMSG || r == -ENOKEY);
	FUZZ_CHECK(!r == (set != NULL));
	FUZZ_CHECK(ERR_peek_error() == 0);
	if (r)
		return;
	FUZZ_CHECK(stats.n_used == token_keyset_count(set));
	check_keys(set, algs);
	token_keyset_unref(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span json = {.p = (const char *)data, .n = size};

	run(json, TOKEN_ALG_BIT(TOKEN_ALGS) - 1);
	run(json, TOKEN_ALG_BIT(TOKEN_PS256) | TOKEN_ALG_BIT(TOKEN_ED25519));
	return 0;
}
