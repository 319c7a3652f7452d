#include "spoa/cache.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

/*
 * The ring. Entries follow each other; none is broken at the end of the
 * memory, the rest there stays empty (from `used` on) and the next one is at 0.
 *
 *	0 ....... head ....... tail ....... used ... bytes
 *	newest -->|   free     |oldest -->  |  empty
 */
struct entry {
	uint8_t key[SPOA_CACHE_KEY];
	uint64_t size; /* of all this, a multiple of ALIGN */
	struct spoa_caller caller;
};
#define ALIGN _Alignof(struct entry)

/*
 * The index: open addressing, linear probing. The tag is 32 bits of the key,
 * which is evenly distributed already; its low bits are the home slot.
 */
struct slot {
	uint32_t tag;
	uint32_t at; /* place in the ring in units of ALIGN, plus 1; 0: free */
};

/* At least a slot for so many bytes: with usual entries (300 to 450 bytes) a third to two thirds full. */
#define BYTES_PER_SLOT 256

struct spoa_cache {
	uint8_t *ring;
	size_t bytes; /* of the ring */
	size_t head, tail, used;
	struct slot *slots;
	size_t n_slots; /* a power of two */
	atomic_size_t n_entries, n_bytes;
};

static size_t max_entries(const struct spoa_cache *cache)
{
	return cache->n_slots / 4 * 3;
}

struct spoa_cache *spoa_cache_new(size_t bytes)
{
	cleanup(spoa_cache) struct spoa_cache *cache = calloc(1, sizeof(*cache));

	if (!cache || bytes < SPOA_CACHE_MIN)
		return TAKE_PTR(cache);
	for (cache->n_slots = 1; cache->n_slots * BYTES_PER_SLOT < bytes;)
		cache->n_slots *= 2;
	cache->bytes = bytes - cache->n_slots * sizeof(struct slot);
	cache->slots = calloc(cache->n_slots, sizeof(struct slot));
	cache->ring = malloc(cache->bytes);
	return cache->slots && cache->ring ? TAKE_PTR(cache) : NULL;
}

void spoa_cache_free(struct spoa_cache *cache)
{
	if (!cache)
		return;
	free(cache->slots);
	free(cache->ring);
	free(cache);
}

static struct entry *entry_at(const struct spoa_cache *cache, size_t place)
{
	return (struct entry *)(void *)(cache->ring + place);
}

static uint32_t tag_of(const uint8_t key[SPOA_CACHE_KEY])
{
	uint32_t tag;

	memcpy(&tag, key, sizeof(tag));
	return tag;
}

static uint32_t slot_value(size_t place)
{
	return (uint32_t)(place / ALIGN) + 1;
}

static size_t slot_place(const struct slot *slot)
{
	return (size_t)(slot->at - 1) * ALIGN;
}

/* The slot of this key, or the free one where it would be. There is always a free one. */
static struct slot *find_slot(const struct spoa_cache *cache, const uint8_t key[SPOA_CACHE_KEY])
{
	uint32_t tag = tag_of(key);
	size_t mask = cache->n_slots - 1;

	for (size_t i = tag & mask;; i = (i + 1) & mask) {
		struct slot *slot = &cache->slots[i];

		if (!slot->at ||
			(slot->tag == tag && !memcmp(entry_at(cache, slot_place(slot))->key, key,
						     SPOA_CACHE_KEY)))
			return slot;
	}
}

/* Empties a slot and moves those behind it up, so that no search stops before its goal. */
static void free_slot(struct spoa_cache *cache, struct slot *slot)
{
	size_t mask = cache->n_slots - 1;
	size_t hole = (size_t)(slot - cache->slots);

	for (size_t i = (hole + 1) & mask; cache->slots[i].at; i = (i + 1) & mask) {
		size_t home = cache->slots[i].tag & mask;

		/* It may move if its home is not between the hole and where it stands. */
		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		cache->slots[hole] = cache->slots[i];
		hole = i;
	}
	cache->slots[hole] = (struct slot){0};
}

static void count(struct spoa_cache *cache, size_t entries, size_t bytes)
{
	atomic_store_explicit(&cache->n_entries,
		atomic_load_explicit(&cache->n_entries, memory_order_relaxed) + entries,
		memory_order_relaxed);
	atomic_store_explicit(&cache->n_bytes,
		atomic_load_explicit(&cache->n_bytes, memory_order_relaxed) + bytes,
		memory_order_relaxed);
}

static size_t n_entries(const struct spoa_cache *cache)
{
	return atomic_load_explicit(&cache->n_entries, memory_order_relaxed);
}

/* The oldest one goes; it has lost its slot already if a newer one of its key came. */
static void drop_oldest(struct spoa_cache *cache)
{
	struct entry *oldest = entry_at(cache, cache->tail);
	struct slot *slot = find_slot(cache, oldest->key);

	if (slot->at == slot_value(cache->tail))
		free_slot(cache, slot);
	cache->tail += oldest->size;
	count(cache, (size_t)-1, (size_t)0 - oldest->size);
	if (cache->tail == cache->used) {
		cache->tail = 0;
		cache->used = cache->head;
	}
	if (!n_entries(cache))
		cache->head = cache->tail = cache->used = 0;
}

/* Can n bytes be written at head, perhaps after going back to 0? */
static bool has_room(struct spoa_cache *cache, size_t n)
{
	bool behind = cache->head > cache->tail || !n_entries(cache);

	if (n_entries(cache) >= max_entries(cache))
		return false;
	if (!behind)
		return n <= cache->tail - cache->head;
	if (n <= cache->bytes - cache->head)
		return true;
	if (n > cache->tail)
		return false;
	cache->head = 0;
	return true;
}

static size_t size_of(const struct spoa_caller *caller)
{
	size_t n = offsetof(struct entry, caller) + spoa_caller_size(caller);

	return (n + ALIGN - 1) / ALIGN * ALIGN;
}

const struct spoa_caller *spoa_cache_find(
	const struct spoa_cache *cache, const uint8_t key[SPOA_CACHE_KEY])
{
	const struct slot *slot = cache->n_slots ? find_slot(cache, key) : NULL;

	return slot && slot->at ? &entry_at(cache, slot_place(slot))->caller : NULL;
}

void spoa_cache_put(struct spoa_cache *cache, const uint8_t key[SPOA_CACHE_KEY],
	const struct spoa_caller *caller)
{
	size_t n = size_of(caller);
	struct entry *entry;

	if (n > cache->bytes)
		return;
	while (!has_room(cache, n))
		drop_oldest(cache);
	entry = entry_at(cache, cache->head);
	memcpy(entry->key, key, SPOA_CACHE_KEY);
	entry->size = n;
	memcpy(&entry->caller, caller, spoa_caller_size(caller));
	*find_slot(cache, key) = (struct slot){.tag = tag_of(key), .at = slot_value(cache->head)};
	cache->head += n;
	if (cache->head > cache->tail)
		cache->used = cache->head;
	count(cache, 1, n);
}

struct spoa_cache_use spoa_cache_use(const struct spoa_cache *cache)
{
	return (struct spoa_cache_use){
		.entries = n_entries(cache),
		.bytes = atomic_load_explicit(&cache->n_bytes, memory_order_relaxed),
	};
}
