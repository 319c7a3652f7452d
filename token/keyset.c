#include "token/keyset.h"

#include "token/json.h"
#include "token/jwk.h"
#include "token/memory.h"
#include "token/pkey.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* 64 keys of 64 values each: room for x5c chains and members nobody knows. */
static const struct token_json_caps CAPS = {.depth = 8, .elements = TOKEN_KEYSET_MAX_KEYS * 64};

struct token_keyset {
	atomic_uint refs;
	size_t n_keys;
	struct token_key keys[TOKEN_KEYSET_MAX_KEYS];
	char kids[TOKEN_KEYSET_MAX_KEYS][TOKEN_KID_MAX]; /* what keys[i].kid points to */
};

static void count(struct token_keyset_stats *stats, enum token_jwk_result result)
{
	switch (result) {
	case TOKEN_JWK_USED:
		stats->n_used++;
		break;
	case TOKEN_JWK_SKIPPED:
		stats->n_skipped++;
		break;
	case TOKEN_JWK_PRIVATE:
		stats->n_private++;
		break;
	case TOKEN_JWK_SYMMETRIC:
		stats->n_symmetric++;
		break;
	case TOKEN_JWK_BAD:
	case TOKEN_JWK_NO_MEMORY:
		stats->n_bad++;
		break;
	}
}

/* Takes the key, and its kid out of the JSON: what else stands there must not stay in memory. */
static void add_key(struct token_keyset *set, struct token_key key)
{
	char *kid = set->kids[set->n_keys];

	if (key.kid.n)
		memcpy(kid, key.kid.p, key.kid.n);
	key.kid.p = kid;
	set->keys[set->n_keys++] = key;
}

static int refuse(struct token_keyset_stats *stats, int err, const char *why)
{
	snprintf(stats->why, sizeof(stats->why), "%s", why);
	return err;
}

static int add_keys(struct token_keyset *set, const json_t *keys, uint32_t algs,
	struct token_keyset_stats *stats)
{
	char why[TOKEN_JWK_WHY];

	token_memory_watch();
	for (size_t i = 0; i < json_array_size(keys); i++) {
		struct token_key key;
		enum token_jwk_result result =
			token_jwk_parse(json_array_get(keys, i), algs, &key, why);

		count(stats, result);
		if (result == TOKEN_JWK_USED) {
			key.print = token_pkey_print(key.alg, key.kid, key.pkey);
			add_key(set, key);
			if (!key.print)
				return refuse(stats, -ENOMEM, "out of memory");
			continue;
		}
		if (!stats->why[0])
			snprintf(stats->why, sizeof(stats->why), "keys[%zu]: %s", i, why);
	}
	/* A set that lost a key this way, or its print, must not replace a better one. */
	if (token_memory_failed())
		return refuse(stats, -ENOMEM, "out of memory");
	return set->n_keys ? 0 : -ENOKEY;
}

static int parse(struct span text, uint32_t algs, struct token_keyset **ret_set,
	struct token_keyset_stats *stats)
{
	cleanup(token_keyset) struct token_keyset *set = calloc(1, sizeof(*set));
	cleanup(json) json_t *json = NULL;
	const json_t *keys;
	int r;

	if (!set)
		return refuse(stats, -ENOMEM, "out of memory");
	atomic_init(&set->refs, 1);
	if (text.n > TOKEN_KEYSET_MAX_BYTES)
		return refuse(stats, -EBADMSG, "more than 256 KiB");
	json = token_json_parse(text, CAPS);
	if (!json && errno == ENOMEM)
		return refuse(stats, -ENOMEM, "out of memory");
	if (!json)
		return refuse(stats, -EBADMSG, "not strict JSON, or too deep or too wide");
	keys = json_object_get(json, "keys");
	if (!json_is_array(keys))
		return refuse(stats, -EBADMSG, "not an object with an array \"keys\"");
	if (json_array_size(keys) > TOKEN_KEYSET_MAX_KEYS)
		return refuse(stats, -EBADMSG, "more than 64 keys");
	r = add_keys(set, keys, algs, stats);
	if (r)
		return r;
	*ret_set = TAKE_PTR(set);
	return 0;
}

int token_keyset_secret(struct span secret, enum token_alg alg, struct token_keyset **ret_set)
{
	const struct token_alg_info *info = token_alg_info(alg);
	cleanup(token_keyset) struct token_keyset *set = NULL;
	struct token_key key = {.alg = alg};

	if (info->kty != TOKEN_KTY_OCT || secret.n < 2 * info->part || secret.n > INT_MAX)
		return -EINVAL;
	set = calloc(1, sizeof(*set));
	if (!set)
		return -ENOMEM;
	atomic_init(&set->refs, 1);
	if (token_pkey_secret(secret, &key.pkey))
		return -ENOMEM;
	key.print = token_pkey_print(alg, key.kid, key.pkey);
	add_key(set, key);
	if (!key.print)
		return -ENOMEM;
	*ret_set = TAKE_PTR(set);
	return 0;
}

/* The one algorithm that a bare public key is bound to: as for a JWK without alg. */
static int bind_alg(EVP_PKEY *pkey, uint32_t algs, enum token_alg *ret_alg)
{
	for (unsigned i = 0; i < TOKEN_ALGS; i++) {
		if (!(algs & TOKEN_ALG_BIT(i)) || !token_pkey_fits(pkey, i))
			continue;
		*ret_alg = i;
		return 0;
	}
	return -EBADMSG;
}

/* The keys of one set in another, but for the oldest when there is no room, and that of a kid. */
static void copy_keys(struct token_keyset *to, const struct token_keyset *from, struct span but)
{
	size_t full = from && from->n_keys == TOKEN_KEYSET_MAX_KEYS;

	for (size_t i = full; from && i < from->n_keys; i++) {
		if (span_eq(from->keys[i].kid, but))
			continue;
		EVP_PKEY_up_ref(from->keys[i].pkey);
		add_key(to, from->keys[i]);
	}
}

int token_keyset_add_pem(const struct token_keyset *set, struct span kid, struct span pem,
	uint32_t algs, struct token_keyset **ret_set, const char **ret_why)
{
	cleanup(token_keyset) struct token_keyset *grown = NULL;
	cleanup(pkey) EVP_PKEY *pkey = NULL;
	struct token_key key = {.kid = kid};
	int r;

	*ret_why = "the kid is empty or too long";
	if (!kid.n || kid.n > TOKEN_KID_MAX)
		return -EBADMSG;
	r = token_pkey_pem(pem, &pkey, ret_why);
	if (r)
		return r == -ENOMEM ? r : -EBADMSG;
	*ret_why = "no algorithm of the provider's list fits the key";
	if (bind_alg(pkey, algs, &key.alg))
		return -EBADMSG;
	key.print = token_pkey_print(key.alg, kid, pkey);
	grown = calloc(1, sizeof(*grown));
	if (!grown || !key.print)
		return -ENOMEM;
	atomic_init(&grown->refs, 1);
	copy_keys(grown, set, kid);
	key.pkey = TAKE_PTR(pkey);
	add_key(grown, key);
	*ret_set = TAKE_PTR(grown);
	return 0;
}

int token_keyset_parse(struct span json, uint32_t algs, struct token_keyset **ret_set,
	struct token_keyset_stats *stats)
{
	struct token_keyset_stats found = {0};
	int r = parse(json, algs, ret_set, &found);

	if (stats)
		*stats = found;
	return r;
}

struct token_keyset *token_keyset_ref(struct token_keyset *set)
{
	atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
	return set;
}

void token_keyset_unref(struct token_keyset *set)
{
	if (!set || atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < set->n_keys; i++)
		EVP_PKEY_free(set->keys[i].pkey);
	free(set);
}

size_t token_keyset_count(const struct token_keyset *set)
{
	return set->n_keys;
}

const struct token_key *token_keyset_at(const struct token_keyset *set, size_t i)
{
	return i < set->n_keys ? &set->keys[i] : NULL;
}
