/*
 * Revocations on the main thread: asked for by the operator or by a provider,
 * on disk before anybody is told that they are in force, and in force for
 * every request that comes after that.
 */
#ifndef SPOA_REVOKE_H
#define SPOA_REVOKE_H

#include "conf/conf.h"
#include "store/revocations.h"
#include "token/revocation.h"

#include <jansson.h>

struct spoa_revoke;

struct spoa_revoke_owner {
	/* The list is another one now: to be put into a snapshot. */
	void (*changed)(void *arg);
	/*
	 * In force now: open connections of such tokens are to be ended. what is
	 * borrowed. NULL: nobody wants to know.
	 */
	void (*revoked)(void *arg, const struct token_revocation *what);
	/* It was revoked, or is taken back, here: other agents may want to know. NULL: none do. */
	void (*shared)(void *arg, const struct store_revocation *entry, bool removed);
	void *arg;
};

/* Reads what is in force from the store. 0; -ENOMEM or -EIO with a sentence in why. */
int spoa_revoke_new(struct store *store, size_t max, const struct spoa_revoke_owner *owner,
	int64_t now_s, struct spoa_revoke **ret, char why[STORE_WHY]) must_check;
void spoa_revoke_free(struct spoa_revoke *revoke);

/* Borrowed; a snapshot takes its own reference. */
struct token_revocations *spoa_revoke_list(struct spoa_revoke *revoke);

/*
 * Stores it, puts it in force and fills in its id.
 *   0; or with a sentence in why: -EINVAL it names nothing or ends in the
 *   past, -ENOSPC there are too many, -EIO or -ENOMEM
 */
int spoa_revoke_add(struct spoa_revoke *revoke, struct store_revocation *entry, int64_t now_s,
	char why[STORE_WHY]) must_check;

/* 0; -ENOENT, or -EIO, with a sentence in why. */
int spoa_revoke_remove(struct spoa_revoke *revoke, int64_t id, char why[STORE_WHY]) must_check;

/*
 * {"revocations": [{"id", "iss", ..., "expires"}], "count", "max"}: a new
 * reference, the first SPOA_REVOKE_SHOWN of them. NULL without memory.
 */
#define SPOA_REVOKE_SHOWN 10000
json_t *spoa_revoke_json(struct spoa_revoke *revoke, int64_t now_s) must_check;

size_t spoa_revoke_count(const struct spoa_revoke *revoke, int64_t now_s);

/*
 * How long a revocation must live so that no token outlives it: the longest
 * max_lifetime of all providers with their leeway; a year where one has no
 * limit. Seconds.
 */
int64_t spoa_revoke_ttl(const struct conf *conf);

DEFINE_CLEANUP(spoa_revoke, struct spoa_revoke *, spoa_revoke_free)

#endif
