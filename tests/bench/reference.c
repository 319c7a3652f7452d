#include "tests/bench/reference.h"

#include "base/wr.h"
#include "tests/bench/machine.h"
#include "token/b64.h"
#include "token/hash.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

struct parts {
	struct span text[3]; /* as they stand in the token */
	unsigned char bytes[3][2048];
	size_t n[3];
};

static void cut(struct span token, struct parts *parts)
{
	const char *p = token.p;
	const char *end = token.p + token.n;

	for (size_t i = 0; i < 3; i++) {
		const char *dot = i < 2 ? memchr(p, '.', (size_t)(end - p)) : end;
		struct wr w = wr_of(parts->bytes[i], sizeof(parts->bytes[i]));

		if (!dot)
			bench_die("no token");
		parts->text[i] = (struct span){p, (size_t)(dot - p)};
		if (token_b64_decode(parts->text[i], &w))
			bench_die("no token");
		parts->n[i] = wr_len(&w);
		p = dot + 1;
	}
}

/* An ECDSA signature as OpenSSL wants it. */
static size_t to_der(const struct parts *parts, unsigned char *der)
{
	size_t half = parts->n[2] / 2;
	ECDSA_SIG *sig = ECDSA_SIG_new();
	int n;

	if (!sig || ECDSA_SIG_set0(sig, BN_bin2bn(parts->bytes[2], (int)half, NULL),
			    BN_bin2bn(parts->bytes[2] + half, (int)half, NULL)) != 1)
		bench_die("no signature");
	n = i2d_ECDSA_SIG(sig, &der);
	ECDSA_SIG_free(sig);
	return n > 0 ? (size_t)n : 0;
}

double bench_reference_verify(const struct test_key *key, struct span token, size_t times)
{
	static struct parts parts;
	bool ec = token_alg_info(key->alg)->part > 0;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
	unsigned char signature[2048];
	struct span input;
	uint64_t started;
	size_t n;

	cut(token, &parts);
	input = (struct span){token.p, parts.text[0].n + 1 + parts.text[1].n};
	n = ec ? to_der(&parts, signature) : parts.n[2];
	if (!ec)
		memcpy(signature, parts.bytes[2], n);
	if (!ctx || EVP_PKEY_verify_init(ctx) != 1 ||
		(!ec && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1) ||
		EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) != 1)
		bench_die("no context");
	started = bench_cpu();
	for (size_t i = 0; i < times; i++) {
		unsigned char hash[TOKEN_HASH_BYTES];

		token_hash_of(input, hash);
		if (EVP_PKEY_verify(ctx, signature, n, hash, sizeof(hash)) != 1)
			bench_die("OpenSSL does not take the signature");
	}
	started = bench_cpu() - started;
	EVP_PKEY_CTX_free(ctx);
	return (double)started / 1e3 / (double)times;
}

double bench_reference_parse(struct span token, size_t times)
{
	static struct parts parts;
	uint64_t started = bench_cpu();

	for (size_t i = 0; i < times; i++) {
		cut(token, &parts);
		for (size_t p = 0; p < 2; p++) {
			json_t *json = json_loadb((const char *)parts.bytes[p], parts.n[p],
				JSON_REJECT_DUPLICATES, NULL);

			if (!json)
				bench_die("no JSON");
			json_decref(json);
		}
	}
	return (double)(bench_cpu() - started) / 1e3 / (double)times;
}

double bench_reference_hash(struct span token, size_t times)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	uint64_t started = bench_cpu();

	for (size_t i = 0; i < times; i++)
		token_hash_of(token, hash);
	return (double)(bench_cpu() - started) / 1e3 / (double)times;
}
