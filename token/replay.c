#include "token/replay.h"

#include "base/siphash.h"

#include <openssl/rand.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define SHARDS 64

/*
 * An id may stand in any of the WINDOW places after the one that its hash
 * says. Full to two thirds, the chance that one window of 64 is full is below
 * 1 in 10^9; half again as many places as asked for keep it there.
 */
#define WINDOW 64

struct entry {
	uint64_t id[2]; /* half of the SHA-256: 2^128 to guess, 2^64 to hit oneself */
	uint64_t request;
	int64_t expires_s; /* 0: free */
};

struct shard {
	pthread_mutex_t lock;
	struct entry *entries; /* size and WINDOW - 1, so that a window never wraps */
} __attribute__((aligned(64)));

struct token_replay {
	size_t size; /* places of a shard at which a window may begin */
	/* A stranger who chooses his jti must not choose the window too. */
	struct base_siphash_key key;
	struct entry *entries; /* of all shards: one block, whose pages are there when used */
	struct shard shards[SHARDS];
};

void token_replay_free(struct token_replay *replay)
{
	if (!replay)
		return;
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_destroy(&replay->shards[i].lock);
	free(replay->entries);
	free(replay);
}

struct token_replay *token_replay_new(size_t entries)
{
	cleanup(token_replay) struct token_replay *replay =
		aligned_alloc(64, sizeof(struct token_replay));
	size_t each;

	if (!replay)
		return NULL;
	memset(replay, 0, sizeof(*replay));
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&replay->shards[i].lock, NULL);
	replay->size = entries / SHARDS * 3 / 2 + WINDOW;
	each = replay->size + WINDOW - 1;
	replay->entries = calloc(SHARDS * each, sizeof(struct entry));
	if (!replay->entries)
		return NULL;
	for (size_t i = 0; i < SHARDS; i++)
		replay->shards[i].entries = replay->entries + i * each;
	if (RAND_bytes((unsigned char *)&replay->key, sizeof(replay->key)) != 1)
		return NULL;
	return TAKE_PTR(replay);
}

static bool is_free(const struct entry *entry, int64_t now_s)
{
	return entry->expires_s < now_s;
}

/* The window's entry of this id, else a free one, else NULL. */
static struct entry *find(struct entry *window, const uint64_t id[2], int64_t now_s)
{
	struct entry *room = NULL;

	for (size_t i = 0; i < WINDOW; i++) {
		if (is_free(&window[i], now_s))
			room = room ? room : &window[i];
		else if (window[i].id[0] == id[0] && window[i].id[1] == id[1])
			return &window[i];
	}
	return room;
}

static enum token_replay_result note(
	struct entry *window, const struct entry *wanted, int64_t now_s)
{
	struct entry *entry = find(window, wanted->id, now_s);

	if (!entry)
		return TOKEN_REPLAY_FULL;
	if (!is_free(entry, now_s))
		return entry->request == wanted->request ? TOKEN_REPLAY_SAME : TOKEN_REPLAY_SEEN;
	*entry = *wanted;
	return TOKEN_REPLAY_NEW;
}

/* The window of an id, in *ret_shard, which is locked now. */
static struct entry *lock_window(struct token_replay *replay,
	const unsigned char id[TOKEN_REPLAY_ID], struct shard **ret_shard)
{
	struct span text = {.p = (const char *)id, .n = TOKEN_REPLAY_ID};
	uint64_t hash = base_siphash(&replay->key, text);

	*ret_shard = &replay->shards[hash % SHARDS];
	pthread_mutex_lock(&(*ret_shard)->lock);
	return &(*ret_shard)->entries[hash / SHARDS % replay->size];
}

enum token_replay_result token_replay_note(struct token_replay *replay,
	const unsigned char id[TOKEN_REPLAY_ID], uint64_t request, int64_t expires_s, int64_t now_s)
{
	struct entry wanted = {.request = request, .expires_s = expires_s};
	enum token_replay_result result;
	struct shard *shard;
	struct entry *window = lock_window(replay, id, &shard);

	memcpy(wanted.id, id, sizeof(wanted.id));
	result = note(window, &wanted, now_s);
	pthread_mutex_unlock(&shard->lock);
	return result;
}

bool token_replay_has(
	struct token_replay *replay, const unsigned char id[TOKEN_REPLAY_ID], int64_t now_s)
{
	struct entry wanted;
	struct shard *shard;
	struct entry *window = lock_window(replay, id, &shard);
	struct entry *found;
	bool has;

	memcpy(wanted.id, id, sizeof(wanted.id));
	found = find(window, wanted.id, now_s);
	has = found && !is_free(found, now_s);
	pthread_mutex_unlock(&shard->lock);
	return has;
}

size_t token_replay_count(struct token_replay *replay, int64_t now_s)
{
	size_t n = 0;

	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &replay->shards[i];

		pthread_mutex_lock(&shard->lock);
		for (size_t k = 0; k < replay->size + WINDOW - 1; k++)
			n += shard->entries[k].expires_s && !is_free(&shard->entries[k], now_s);
		pthread_mutex_unlock(&shard->lock);
	}
	return n;
}
