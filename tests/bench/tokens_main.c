/*
 * What the servers of a benchmark need, into a folder:
 *
 *	bench_tokens FOLDER HEAD ALG:N...
 *
 * jwks.json, identityd.yaml (HEAD is YAML that stands in front), for each ALG
 * ALG.tokens with N tokens and ALG.pem with the public key.
 */
#include "tests/bench/issuer.h"
#include "tests/bench/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static FILE *create(const char *folder, const char *name, const char *suffix)
{
	char path[1024];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s%s", folder, name, suffix);
	f = fopen(path, "we");
	if (!f)
		bench_die("cannot write %s", path);
	return f;
}

static void finish(FILE *f)
{
	if (fclose(f))
		bench_die("cannot write: %m");
}

static void write_text(const char *folder, const char *name, const char *suffix, char *text)
{
	FILE *f = create(folder, name, suffix);

	fputs(text, f);
	free(text);
	finish(f);
}

/* One algorithm; its public key goes into the set. */
static json_t *write_alg(const char *folder, const char *what)
{
	const char *colon = strchr(what, ':');
	int alg = colon ? token_alg_find((struct span){what, (size_t)(colon - what)}) : -1;
	const char *name;
	struct test_key *key;
	json_t *jwk;
	FILE *f;

	if (alg < 0)
		bench_die("%s is not ALG:N", what);
	name = token_alg_info((enum token_alg)alg)->name;
	key = test_key_new((enum token_alg)alg);
	f = create(folder, name, ".tokens");
	for (uint64_t i = 0; i < strtoull(colon + 1, NULL, 10); i++) {
		char *token = bench_token(key, i, (int64_t)time(NULL));

		fprintf(f, "%s\n", token);
		free(token);
	}
	finish(f);
	write_text(folder, name, ".pem", test_key_pem(key, false));
	jwk = test_key_jwk(key, BENCH_KID);
	test_key_free(key);
	return jwk;
}

int main(int argc, char **argv)
{
	json_t *keys = json_array();
	char jwks[1024];
	json_t *set;

	if (argc < 4)
		bench_die("usage: bench_tokens FOLDER HEAD ALG:N...");
	for (int i = 3; i < argc; i++)
		json_array_append_new(keys, write_alg(argv[1], argv[i]));
	set = json_pack("{s:o}", "keys", keys);
	write_text(argv[1], "jwks", ".json", json_dumps(set, 0));
	json_decref(set);
	snprintf(jwks, sizeof(jwks), "%s/jwks.json", argv[1]);
	write_text(argv[1], "identityd", ".yaml", bench_config(argv[2], jwks));
	return 0;
}
