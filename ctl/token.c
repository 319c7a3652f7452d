#include "base/clock.h"
#include "ctl/args.h"
#include "ctl/claims.h"
#include "ctl/commands.h"
#include "token/mint.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define KEY_MAX_BYTES (64 * 1024)
#define KEYS_MAX      16

/* A key file in memory, wiped at the end. */
struct key {
	char *data;
	size_t n;
};

static void key_done(struct key *key)
{
	ctl_args_wipe(key->data, key->n);
}

static inline void cleanup_fn_key(struct key *key)
{
	key_done(key);
}

static void unref(json_t *json)
{
	json_decref(json);
}
DEFINE_CLEANUP(token_json_own, json_t *, unref)

static enum ctl_exit key_read(const char *name, const char *file, struct key *ret_key)
{
	int rc = ctl_args_read_file(file, KEY_MAX_BYTES, &ret_key->data, &ret_key->n);

	if (!rc)
		return CTL_OK;
	ctl_args_complain(name, "%s: %s", file, strerror(-rc));
	return CTL_FAILED;
}

enum {
	OPT_ALG = 256,
	OPT_KEY,
	OPT_KID,
	OPT_CLAIMS,
	OPT_TTL,
	OPT_ISS,
	OPT_SUB,
	OPT_AUD,
	OPT_SET,
};

static const struct option MINT_OPTIONS[] = {
	{"alg", required_argument, NULL, OPT_ALG},
	{"key", required_argument, NULL, OPT_KEY},
	{"kid", required_argument, NULL, OPT_KID},
	{"claims", required_argument, NULL, OPT_CLAIMS},
	{"ttl", required_argument, NULL, OPT_TTL},
	{"iss", required_argument, NULL, OPT_ISS},
	{"sub", required_argument, NULL, OPT_SUB},
	{"aud", required_argument, NULL, OPT_AUD},
	{0},
};

struct mint_args {
	const char *alg, *key_file, *kid, *ttl;
	struct ctl_claims claims;
};

/* Where a plain text option goes. */
static const char **mint_slot(struct mint_args *args, int option)
{
	switch (option) {
	case OPT_ALG:
		return &args->alg;
	case OPT_KEY:
		return &args->key_file;
	case OPT_KID:
		return &args->kid;
	case OPT_CLAIMS:
		return &args->claims.text;
	case OPT_TTL:
		return &args->ttl;
	case OPT_ISS:
		return &args->claims.iss;
	case OPT_SUB:
		return &args->claims.sub;
	case OPT_AUD:
		if (args->claims.n_aud < CTL_CLAIMS_AUDIENCES_MAX)
			return &args->claims.aud[args->claims.n_aud++];
		return NULL;
	default:
		return NULL;
	}
}

static enum ctl_exit mint_parse(int argc, char **argv, struct mint_args *args)
{
	int c;

	while ((c = getopt_long(argc, argv, "", MINT_OPTIONS, NULL)) >= 0) {
		const char **slot = mint_slot(args, c);

		if (!slot)
			return ctl_args_usage(argv[0], "wrong options");
		if (*slot)
			return ctl_args_usage(argv[0], "'%s' is given a second time", optarg);
		*slot = optarg;
	}
	if (optind < argc)
		return ctl_args_usage(argv[0], "'%s' is one argument too many", argv[optind]);
	if (!args->alg || !args->key_file)
		return ctl_args_usage(argv[0], "--alg and --key are needed");
	if (ctl_args_duration(args->ttl ? args->ttl : "300s", &args->claims.ttl_s))
		return ctl_args_usage(argv[0], "'%s' is not a duration like 300s", args->ttl);
	return CTL_OK;
}

static enum ctl_exit mint_print(
	const char *name, const struct mint_args *args, struct span key, const json_t *claims)
{
	struct token_mint mint = {.alg = args->alg, .key = key, .kid = args->kid, .claims = claims};
	cleanup(free) char *token = token_mint(&mint);

	if (!token) {
		ctl_args_complain(name, "no token with algorithm %s and key %s: %s", args->alg,
			args->key_file,
			errno == ENOMEM ? "out of memory" : "they do not go together");
		return CTL_FAILED;
	}
	puts(token);
	return CTL_OK;
}

enum ctl_exit ctl_token_mint(int argc, char **argv)
{
	cleanup(key) struct key key = {0};
	cleanup(token_json_own) json_t *claims = NULL;
	struct mint_args args = {0};
	struct base_now now;
	enum ctl_exit rc = mint_parse(argc, argv, &args);

	base_clock_now(&now);
	if (!rc)
		rc = ctl_claims_make(argv[0], &args.claims, base_clock_wall_s(&now), &claims);
	if (!rc)
		rc = key_read(argv[0], args.key_file, &key);
	if (rc)
		return rc;
	return mint_print(argv[0], &args, (struct span){.p = key.data, .n = key.n}, claims);
}

static const struct option JWK_OPTIONS[] = {
	{"key", required_argument, NULL, OPT_KEY},
	{"kid", required_argument, NULL, OPT_KID},
	{"alg", required_argument, NULL, OPT_ALG},
	{"set", no_argument, NULL, OPT_SET},
	{0},
};

struct jwk_args {
	struct {
		const char *file, *kid, *alg;
	} keys[KEYS_MAX];
	size_t n_keys;
	bool set;
};

/* --kid and --alg belong to the --key before them, or to the first one. */
static const char **jwk_slot(struct jwk_args *args, int option)
{
	size_t at = args->n_keys ? args->n_keys - 1 : 0;

	if (option == OPT_KID)
		return &args->keys[at].kid;
	if (option == OPT_ALG)
		return &args->keys[at].alg;
	if (option == OPT_KEY && args->n_keys < KEYS_MAX)
		return &args->keys[args->n_keys++].file;
	return NULL;
}

static enum ctl_exit jwk_parse(int argc, char **argv, struct jwk_args *args)
{
	int c;

	while ((c = getopt_long(argc, argv, "", JWK_OPTIONS, NULL)) >= 0) {
		const char **slot = jwk_slot(args, c);

		if (c == OPT_SET) {
			args->set = true;
			continue;
		}
		if (!slot)
			return ctl_args_usage(argv[0], "wrong options");
		if (*slot)
			return ctl_args_usage(argv[0], "'%s' is the second for one --key", optarg);
		*slot = optarg;
	}
	if (optind < argc)
		return ctl_args_usage(argv[0], "'%s' is one argument too many", argv[optind]);
	if (!args->n_keys)
		return ctl_args_usage(argv[0], "--key is needed");
	return CTL_OK;
}

/* Without --alg: the first that goes with the key, for each kind of key its usual one. */
static const char *const USUAL_ALGS[] = {"RS256", "ES256", "ES384", "ES512", "EdDSA"};

static json_t *jwk_make(struct span pem, const char *kid, const char *alg)
{
	json_t *jwk = NULL;

	if (alg)
		return token_mint_jwk(pem, kid, alg);
	for (size_t i = 0; i < ARRAY_SIZE(USUAL_ALGS) && !jwk; i++)
		jwk = token_mint_jwk(pem, kid, USUAL_ALGS[i]);
	return jwk;
}

/* Appends the public JWK of key i to the list. */
static enum ctl_exit jwk_add(const char *name, const struct jwk_args *args, size_t i, json_t *list)
{
	cleanup(key) struct key key = {0};
	cleanup(token_json_own) json_t *jwk = NULL;
	enum ctl_exit rc = key_read(name, args->keys[i].file, &key);

	if (rc)
		return rc;
	jwk = jwk_make(
		(struct span){.p = key.data, .n = key.n}, args->keys[i].kid, args->keys[i].alg);
	if (!jwk || json_array_append(list, jwk)) {
		ctl_args_complain(name, "%s: not a PEM key that can be a JWK%s%s",
			args->keys[i].file, args->keys[i].alg ? " for " : "",
			args->keys[i].alg ? args->keys[i].alg : "");
		return CTL_FAILED;
	}
	return CTL_OK;
}

static int jwk_print(json_t *list, bool as_set)
{
	cleanup(token_json_own) json_t *set = NULL;
	const json_t *what = json_array_get(list, 0);

	if (as_set)
		what = set = json_pack("{s:O}", "keys", list);
	if (!what || json_dumpf(what, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII))
		return -ENOMEM;
	return fputc('\n', stdout) == EOF ? -EIO : 0;
}

enum ctl_exit ctl_token_jwk(int argc, char **argv)
{
	cleanup(token_json_own) json_t *list = json_array();
	struct jwk_args args = {0};
	enum ctl_exit rc = jwk_parse(argc, argv, &args);

	for (size_t i = 0; i < args.n_keys && !rc; i++)
		rc = jwk_add(argv[0], &args, i, list);
	if (rc)
		return rc;
	return jwk_print(list, args.set || args.n_keys > 1) ? CTL_FAILED : CTL_OK;
}
