#include "spoa/memo.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* In the ring, one behind the other; none is broken at its end. */
struct entry {
	uint32_t n;
	uint8_t hash[TOKEN_HASH_BYTES];
	char bytes[];
};
#define ALIGN _Alignof(struct entry)

/*
 * Where a token may be. Places are counted on and on, round after round of the
 * ring, from 1. Slots are not cleared when what they name is written over;
 * their place tells (find_place).
 */
struct slot {
	uint64_t tag;
	uint64_t at; /* 0: empty */
};
#define WAYS          4   /* slots that a token may be in */
#define BYTES_PER_WAY 128 /* a slot for so many bytes of the ring: eight times what is needed */

/* The end of a token is its signature: nobody has two with the same, or knows another's. */
#define TAIL        24
#define TOKEN_BYTES 4096

struct spoa_memo {
	uint8_t *ring;
	size_t bytes; /* of the ring */
	/* The place where the next one goes; of the ring's first byte in this round; in the last. */
	uint64_t head, start, last_start;
	struct slot *slots;
	size_t n_sets; /* of WAYS slots; a power of two, or 0 */
};

static size_t slot_bytes(const struct spoa_memo *memo)
{
	return memo->n_sets * WAYS * sizeof(struct slot);
}

struct spoa_memo *spoa_memo_new(size_t bytes)
{
	cleanup(spoa_memo) struct spoa_memo *memo = calloc(1, sizeof(*memo));
	size_t per_set = (size_t)WAYS * (BYTES_PER_WAY + sizeof(struct slot));

	if (!memo || bytes < 2 * TOKEN_BYTES)
		return TAKE_PTR(memo);
	for (memo->n_sets = 1; memo->n_sets * 2 * per_set <= bytes;)
		memo->n_sets *= 2;
	memo->bytes = (bytes - slot_bytes(memo)) / ALIGN * ALIGN;
	memo->head = memo->start = memo->last_start = 1;
	memo->slots = calloc(memo->n_sets * WAYS, sizeof(struct slot));
	memo->ring = malloc(memo->bytes);
	return memo->slots && memo->ring ? TAKE_PTR(memo) : NULL;
}

void spoa_memo_free(struct spoa_memo *memo)
{
	if (!memo)
		return;
	free(memo->slots);
	/* Tokens lie in it. What was never written is not touched, so that it stays unbacked. */
	if (memo->ring)
		explicit_bzero(memo->ring, memo->start > 1 ? memo->bytes : memo->head - 1);
	free(memo->ring);
	free(memo);
}

size_t spoa_memo_bytes(const struct spoa_memo *memo)
{
	return memo->bytes + slot_bytes(memo);
}

static bool takes(const struct spoa_memo *memo, struct span token)
{
	return memo->n_sets && token.n >= TAIL && token.n <= TOKEN_BYTES;
}

/* Spreads the tail's bits; it is no secret and need not withstand anybody. */
static uint64_t tag_of(struct span token)
{
	uint64_t part[TAIL / sizeof(uint64_t)];
	uint64_t tag = token.n;

	memcpy(part, token.p + token.n - TAIL, TAIL);
	for (size_t i = 0; i < ARRAY_SIZE(part); i++) {
		tag = (tag ^ part[i]) * UINT64_C(0x9e3779b97f4a7c15);
		tag ^= tag >> 29;
	}
	return tag;
}

static struct slot *set_of(const struct spoa_memo *memo, uint64_t tag)
{
	return memo->slots + (tag & (memo->n_sets - 1)) * WAYS;
}

/* NULL when it was written over: of the last round only what is ahead of the head is left. */
static struct entry *find_entry(const struct spoa_memo *memo, const struct slot *slot)
{
	bool now = slot->at >= memo->start;
	uint64_t offset = slot->at - (now ? memo->start : memo->last_start);

	if (!now && (slot->at < memo->last_start || offset < memo->head - memo->start))
		return NULL;
	return (struct entry *)(void *)(memo->ring + offset);
}

static const struct entry *find(const struct spoa_memo *memo, struct span token)
{
	uint64_t tag = tag_of(token);
	const struct slot *set = set_of(memo, tag);

	for (size_t i = 0; i < WAYS; i++) {
		const struct entry *entry = set[i].tag == tag ? find_entry(memo, &set[i]) : NULL;

		if (entry && entry->n == token.n && !memcmp(entry->bytes, token.p, token.n))
			return entry;
	}
	return NULL;
}

bool spoa_memo_find(
	const struct spoa_memo *memo, struct span token, uint8_t ret_hash[TOKEN_HASH_BYTES])
{
	const struct entry *entry = takes(memo, token) ? find(memo, token) : NULL;

	if (entry)
		memcpy(ret_hash, entry->hash, TOKEN_HASH_BYTES);
	return entry;
}

/* The oldest of the set. */
static struct slot *choose(struct slot *set)
{
	struct slot *oldest = set;

	for (struct slot *slot = set + 1; slot < set + WAYS; slot++)
		if (slot->at < oldest->at)
			oldest = slot;
	return oldest;
}

/* Goes on at the ring's start when n bytes do not fit behind the head. */
static struct entry *reserve(struct spoa_memo *memo, size_t n)
{
	if (n > memo->bytes - (memo->head - memo->start)) {
		memo->last_start = memo->start;
		memo->start = memo->head;
	}
	return (struct entry *)(void *)(memo->ring + (memo->head - memo->start));
}

void spoa_memo_put(struct spoa_memo *memo, struct span token, const uint8_t hash[TOKEN_HASH_BYTES])
{
	size_t n = (offsetof(struct entry, bytes) + token.n + ALIGN - 1) / ALIGN * ALIGN;
	struct entry *entry;
	uint64_t tag;

	if (!takes(memo, token))
		return;
	entry = reserve(memo, n);
	entry->n = (uint32_t)token.n;
	memcpy(entry->hash, hash, TOKEN_HASH_BYTES);
	memcpy(entry->bytes, token.p, token.n);
	tag = tag_of(token);
	*choose(set_of(memo, tag)) = (struct slot){.tag = tag, .at = memo->head};
	memo->head += n;
}
