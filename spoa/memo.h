/*
 * SHA-256 of tokens that came often lately, found by comparing their bytes: a
 * third of what hashing them again costs. It remembers nothing but that one
 * function, which has one answer for all time, so nothing in it can be out of
 * date; what the hash means is asked elsewhere, each time (spoa/cache.h).
 *
 * A ring of tokens and an index into it, of a fixed size: the oldest goes when
 * the newest needs its room. Not shared between threads.
 */
#ifndef SPOA_MEMO_H
#define SPOA_MEMO_H

#include "base/mem.h"
#include "base/span.h"
#include "token/hash.h"

#include <stdbool.h>

struct spoa_memo;

/*
 * A worker's share of cache.tokens: a quarter, and no more than is of use to
 * the tokens that come all the time (some 17,000 of 900 bytes).
 */
#define SPOA_MEMO_MAX ((size_t)16 << 20)
static inline size_t spoa_memo_share(size_t cache_bytes)
{
	return cache_bytes / 4 < SPOA_MEMO_MAX ? cache_bytes / 4 : SPOA_MEMO_MAX;
}

/* Of at most this many bytes in all; with too few it holds nothing. NULL without memory. */
struct spoa_memo *spoa_memo_new(size_t bytes) must_check;
void spoa_memo_free(struct spoa_memo *memo);

/* true and the hash, when a token of exactly these bytes is there. */
bool spoa_memo_find(
	const struct spoa_memo *memo, struct span token, uint8_t ret_hash[TOKEN_HASH_BYTES]);

/*
 * For a token that spoa_memo_find does not know, and whose signature held once:
 * strangers' texts are not worth the room. One that is too long or too short
 * is left out.
 */
void spoa_memo_put(struct spoa_memo *memo, struct span token, const uint8_t hash[TOKEN_HASH_BYTES]);

/* Bytes that it takes when full. */
size_t spoa_memo_bytes(const struct spoa_memo *memo);

DEFINE_CLEANUP(spoa_memo, struct spoa_memo *, spoa_memo_free)

#endif
