/*
 * Revocations and what the agent keeps secret, in the store: on disk before a
 * call returns.
 */
#ifndef STORE_REVOCATIONS_H
#define STORE_REVOCATIONS_H

#include "store/store.h"

/* Fields that are asked for; empty: not. Times are seconds since 1970. */
struct store_revocation {
	int64_t id;
	struct span iss, sub, sid, jti, client;
	int64_t issued_before; /* 0: tokens of any age */
	int64_t expires, added;
	struct span source; /* who asked for it, for people */
};

/*
 * Stores what to revoke and fills in its id. What is there already with the
 * same fields becomes one with it, and *entry then has the later of both
 * times. 0, or -EIO with a sentence in why: then nothing is stored.
 */
int store_revoke(
	struct store *store, struct store_revocation *entry, char why[STORE_WHY]) must_check;

/* 0, -ENOENT, or -EIO with a sentence in why. */
int store_unrevoke(struct store *store, int64_t id, char why[STORE_WHY]) must_check;

/*
 * Calls visit for each that expires after now_s, oldest first; its texts live
 * as long as the call. Ends early with what visit returns if that is not 0.
 * 0 or -EIO.
 */
typedef int store_revocation_visit(void *arg, const struct store_revocation *entry);
int store_revocations(
	struct store *store, int64_t now_s, store_revocation_visit *visit, void *arg) must_check;

/* Forgets those that have expired. 0 or -EIO. */
int store_revocations_purge(struct store *store, int64_t now_s) must_check;

/*
 * The secret of this name: what is stored, else these n bytes, which are
 * stored now. Either way bytes holds it afterwards. 0, -EIO, or -EBADMSG when
 * the stored one has another length.
 */
int store_secret(struct store *store, const char *name, void *bytes, size_t n,
	char why[STORE_WHY]) must_check;

struct store_signing_key {
	struct span kid, alg;
	struct span der;               /* PKCS#8 */
	int64_t sign_from, sign_until; /* seconds since 1970 */
};

/* 0; -EIO with a sentence in why, also when there is one of this kid. */
int store_signing_put(
	struct store *store, const struct store_signing_key *key, char why[STORE_WHY]) must_check;

/* Calls visit for each, the oldest first, as above. 0, what visit returned, or -EIO. */
typedef int store_signing_visit(void *arg, const struct store_signing_key *key);
int store_signing_keys(struct store *store, store_signing_visit *visit, void *arg) must_check;

/* Forgets those that stopped signing at or before a time. 0 or -EIO. */
int store_signing_purge(struct store *store, int64_t stopped_s) must_check;

#endif
