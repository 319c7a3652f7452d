/*
 * A JWK set as a provider publishes it, turned once into keys that can verify
 * (RFC 7517). Immutable after parsing and reference counted, so that every
 * thread may hold it; parse happens off the request path.
 */
#ifndef TOKEN_KEYSET_H
#define TOKEN_KEYSET_H

#include "base/mem.h"
#include "base/span.h"
#include "token/alg.h"

#include <openssl/types.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_KEYSET_MAX_BYTES (256 * 1024)
#define TOKEN_KEYSET_MAX_KEYS  64
#define TOKEN_KID_MAX          256

/* In the allow-list of algorithms: only keys whose use is jwt-svid; without it none of those. */
#define TOKEN_KEYS_SVID (UINT32_C(1) << 31)

struct token_keyset;

/* One usable key, bound to exactly one algorithm (RFC 8725bis 3.1). */
struct token_key {
	struct span kid; /* empty when the JWK had none; lives as long as the set */
	enum token_alg alg;
	EVP_PKEY *pkey;
	uint64_t
		print; /* hash over algorithm, kid and key: whoever verified by it is found again */
};

/* What parsing left out, and why: for the log and the metrics. */
struct token_keyset_stats {
	unsigned n_used;
	unsigned n_skipped;   /* enc, other key_ops, unknown kty or crv, alg not allowed */
	unsigned n_bad;       /* malformed, too small, off the curve, ROCA, ... */
	unsigned n_private;   /* carried private members: dropped; the provider leaks */
	unsigned n_symmetric; /* oct: never accepted from a URL */
	char why[160];        /* the first reason a key was not used; empty if none */
};

/*
 * json is the JWK set as fetched. algs is the provider's allow-list: a JWK
 * without "alg" is bound to the one algorithm that its kty and crv and the
 * list leave; for RSA without "alg" that is the lowest-numbered allowed
 * RS* or PS* (TOKEN_RS256 first).
 *   0         at least one key is usable; the caller owns one reference
 *   -EBADMSG  not a strict JSON object with a "keys" array, or over a cap
 *   -ENOKEY   well-formed, and no key is usable
 *   -ENOMEM
 * stats (may be NULL) is filled in every case.
 */
int token_keyset_parse(struct span json, uint32_t algs, struct token_keyset **ret_set,
	struct token_keyset_stats *stats) must_check;

/*
 * A set of one key without kid: the secret that an operator shares with a
 * provider (RFC 7518 3.2). 0; -EINVAL: shorter than the algorithm's hash, or
 * the algorithm is not HS*; -ENOMEM.
 */
int token_keyset_secret(
	struct span secret, enum token_alg alg, struct token_keyset **ret_set) must_check;

/*
 * The set without change and one key more: what a PEM file (RFC 7468 13) from
 * a place that publishes one file for each kid says. set may be NULL. Full, it
 * loses its oldest key; a kid that is there is replaced.
 * 0 and *ret_set; -EBADMSG: not one public key of a type that an algorithm of
 * the list takes, or kid is empty or too long; why says it; -ENOMEM.
 */
int token_keyset_add_pem(const struct token_keyset *set, struct span kid, struct span pem,
	uint32_t algs, struct token_keyset **ret_set, const char **ret_why) must_check;

struct token_keyset *token_keyset_ref(struct token_keyset *set);
/* Frees with the last reference; NULL is fine. */
void token_keyset_unref(struct token_keyset *set);

size_t token_keyset_count(const struct token_keyset *set);
const struct token_key *token_keyset_at(const struct token_keyset *set, size_t i);

DEFINE_CLEANUP(token_keyset, struct token_keyset *, token_keyset_unref)

#endif
