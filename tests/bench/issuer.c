#include "tests/bench/issuer.h"

#include "tests/bench/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"" BENCH_KID "\"}"
#define PAYLOAD                                                                                    \
	"{\"exp\":%" PRId64 ",\"iat\":%" PRId64 ",\"jti\":\"6f0c5d1e-1111-4a7b-8c9d-%012" PRIx64   \
	"\",\"iss\":\"" BENCH_ISSUER "\",\"aud\":\"api\","                                         \
	"\"sub\":\"f3b9a2c4-2222-4d5e-9f60-%012" PRIx64 "\",\"typ\":\"Bearer\",\"azp\":\"web\","   \
	"\"sid\":\"0a1b2c3d-3333-4e5f-8a9b-%012" PRIx64 "\",\"scope\":\"openid profile email\","   \
	"\"roles\":[\"reader\"],\"email\":\"u%08" PRIx64 "@example.com\"%s}"
#define FILLER ",\"realm_access\":\""

/* base64url without padding. */
static size_t encoded(size_t n)
{
	return (n * 4 + 2) / 3;
}

static size_t signature_bytes(const struct test_key *key)
{
	const struct token_alg_info *info = token_alg_info(key->alg);

	return info->part ? 2 * info->part : (size_t)EVP_PKEY_get_size(key->pkey);
}

/* A member that brings the whole token to its length; empty where there is no room for one. */
static void fill(const struct test_key *key, size_t header, size_t payload, char *to, size_t room)
{
	size_t others = encoded(header) + 1 + 1 + encoded(signature_bytes(key));
	size_t left = BENCH_TOKEN_BYTES > others ? (BENCH_TOKEN_BYTES - others) * 3 / 4 : 0;
	size_t wanted = left > payload ? left - payload : 0;

	to[0] = '\0';
	if (wanted <= sizeof(FILLER) || wanted >= room)
		return;
	memcpy(to, FILLER, sizeof(FILLER) - 1);
	memset(to + sizeof(FILLER) - 1, 'r', wanted - sizeof(FILLER));
	memcpy(to + wanted - 1, "\"", 2);
}

char *bench_token(const struct test_key *key, uint64_t i, int64_t now_s)
{
	const struct token_alg_info *info = token_alg_info(key->alg);
	char header[160], payload[1024], filler[512] = "";
	int header_len = snprintf(header, sizeof(header), HEADER, info->name);
	int n = snprintf(payload, sizeof(payload), PAYLOAD, now_s + 86400, now_s, i, i, i, i, "");

	fill(key, (size_t)header_len, (size_t)n, filler, sizeof(filler));
	n = snprintf(payload, sizeof(payload), PAYLOAD, now_s + 86400, now_s, i, i, i, i, filler);
	if (n < 0 || (size_t)n >= sizeof(payload))
		bench_die("a payload is too long");
	return test_sign(key, header, payload);
}

char *bench_config(const char *head, const char *jwks_file)
{
	char *text = NULL;

	if (asprintf(&text,
		    "version: 1\n%s"
		    "bpf: {mode: off}\n"
		    "exports: [email]\n"
		    "providers:\n"
		    "  - {name: corp, issuer: '" BENCH_ISSUER "', audiences: [api],\n"
		    "     algorithms: [RS256, ES256], jwks_file: %s}\n"
		    "roles:\n"
		    "  - {name: admin, provider: corp, when: [{claim: roles, any: [admin]}],\n"
		    "     labels: [role=admin], number: 200, route: be_admin}\n"
		    "  - {name: reader, provider: corp, when: [{claim: roles, any: [reader]}],\n"
		    "     labels: [role=reader], number: 201, route: be_reader}\n",
		    head, jwks_file) < 0)
		bench_die("out of memory");
	return text;
}
