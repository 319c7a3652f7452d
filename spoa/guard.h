/*
 * What all decisions of the process share and change: proofs that were used,
 * and the key of the nonces that we give out. It outlives every worker and
 * snapshot; safe from all threads.
 */
#ifndef SPOA_GUARD_H
#define SPOA_GUARD_H

#include "base/siphash.h"
#include "store/store.h"
#include "token/nonce.h"
#include "token/replay.h"

struct spoa_guard {
	struct token_replay *replay;
	struct base_siphash_key request_key; /* names requests, see spoa/proof.c */
	unsigned char nonce_key[TOKEN_NONCE_KEY];
};

/*
 * Room for so many proofs. The nonce key is the store's, so that it survives a
 * restart and agents that share a store accept each other's; without a store
 * it is new. 0; -ENOMEM or -EIO with a sentence in why.
 */
int spoa_guard_new(size_t replay_entries, struct store *store, struct spoa_guard **ret,
	char why[STORE_WHY]) must_check;
void spoa_guard_free(struct spoa_guard *guard);

DEFINE_CLEANUP(spoa_guard, struct spoa_guard *, spoa_guard_free)

#endif
