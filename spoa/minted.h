/*
 * Assertions that one worker has made and may use again: by the caller's token
 * and which assertion it is, so never for another subject. A fixed number of
 * places; nothing is allocated on a hit. Not shared between threads.
 */
#ifndef SPOA_MINTED_H
#define SPOA_MINTED_H

#include "base/mem.h"
#include "base/span.h"
#include "token/hash.h"

#include <stdint.h>

#define SPOA_MINTED_PLACES 4096

/* A longer one is not made at all: it has to fit an answer, and then a header. */
#define SPOA_MINTED_MAX 6144

struct spoa_minted;

struct spoa_minted_key {
	uint8_t token[TOKEN_HASH_BYTES];
	uint64_t config; /* spoa_config.serial */
	uint64_t roles;  /* hash of their names, which are a claim */
	uint64_t which;  /* index of the assertion */
};

struct spoa_minted *spoa_minted_new(void) must_check;
void spoa_minted_free(struct spoa_minted *minted);

/* Empty when it is not there, or too old at now_s. It lives until the next put. */
struct span spoa_minted_find(
	const struct spoa_minted *minted, const struct spoa_minted_key *key, int64_t now_s);

/* Takes over text (malloc), which may be used before until_s. */
void spoa_minted_put(
	struct spoa_minted *minted, const struct spoa_minted_key *key, char *text, int64_t until_s);

DEFINE_CLEANUP(spoa_minted, struct spoa_minted *, spoa_minted_free)

#endif
