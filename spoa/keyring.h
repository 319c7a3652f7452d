/*
 * The keys with which we sign assertions: made here, kept in the store, each
 * published before it signs and until nothing it signed can be valid. The main
 * thread's; workers see an immutable list in their snapshot.
 */
#ifndef SPOA_KEYRING_H
#define SPOA_KEYRING_H

#include "conf/conf.h"
#include "store/revocations.h"
#include "token/signer.h"

/* All keys that are published at one time. Immutable, reference counted. */
struct spoa_signers;
struct spoa_signers *spoa_signers_ref(struct spoa_signers *signers);
void spoa_signers_unref(struct spoa_signers *signers);

/* The key of this algorithm that signs at this time; NULL: there is none. */
const struct token_signer *spoa_signers_at(
	const struct spoa_signers *signers, enum token_alg alg, int64_t now_s);

/* The JWK set as text; lives as long as the list. */
const char *spoa_signers_jwks(const struct spoa_signers *signers);

struct spoa_keyring;

/* Reads the keys from the store. 0; -ENOMEM or -EIO with a sentence in why. */
int spoa_keyring_new(
	struct store *store, struct spoa_keyring **ret, char why[STORE_WHY]) must_check;
void spoa_keyring_free(struct spoa_keyring *keyring);

/*
 * Makes the keys that this configuration needs now and next, and forgets those
 * that are long retired. 0 and whether the list is another one now; or -errno
 * with a sentence in why, and what is there goes on signing. Cheap when there
 * is nothing to do: call it every second.
 */
int spoa_keyring_tick(struct spoa_keyring *keyring, const struct conf *conf, int64_t now_s,
	bool *ret_changed, char why[STORE_WHY]) must_check;

/* Borrowed; never NULL. */
struct spoa_signers *spoa_keyring_signers(struct spoa_keyring *keyring);

/* How long before it signs a key is published, seconds. */
int64_t spoa_keyring_lead(const struct conf *conf);

DEFINE_CLEANUP(spoa_signers, struct spoa_signers *, spoa_signers_unref)
DEFINE_CLEANUP(spoa_keyring, struct spoa_keyring *, spoa_keyring_free)

#endif
