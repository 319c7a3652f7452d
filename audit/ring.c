#include "audit/ring.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

/*
 * What lies in the ring: this, then the texts one behind the other. A record
 * never wraps; one that would is put at the start, and a length of 0 says that
 * the rest of the ring is left out.
 */
#define FACTS_BYTES offsetof(struct audit_entry, text)
struct record {
	uint32_t bytes;          /* with this header, a multiple of 8; 0: go on at the start */
	uint16_t n[AUDIT_TEXTS]; /* bytes of each text */
	char facts[FACTS_BYTES]; /* all but the texts: these are most of an entry's struct */
};
static_assert(AUDIT_TEXT_MAX <= UINT16_MAX, "a text's length fits");

struct audit_ring {
	size_t size;
	size_t at;                       /* writer's: bytes written, ever */
	size_t seen;                     /* writer's: what it knows of tail */
	size_t woken;                    /* writer's: at, when it last asked to wake the reader */
	atomic_size_t head;              /* published by the writer */
	_Alignas(64) atomic_size_t tail; /* published by the reader */
	_Alignas(64) atomic_uint_fast64_t lost;
	_Alignas(8) char bytes[];
};

struct audit_ring *audit_ring_new(size_t bytes)
{
	struct audit_ring *ring;
	size_t all = (sizeof(*ring) + bytes + 63) & ~(size_t)63;

	assert(bytes >= 64 * 1024 && (bytes & (bytes - 1)) == 0);
	ring = aligned_alloc(64, all);
	if (!ring)
		return NULL;
	memset(ring, 0, sizeof(*ring));
	ring->size = bytes;
	return ring;
}

void audit_ring_free(struct audit_ring *ring)
{
	free(ring);
}

static size_t text_bytes(const struct audit_entry *entry, size_t i)
{
	size_t n = entry->text[i].n;

	return n > AUDIT_TEXT_MAX ? AUDIT_TEXT_MAX : n;
}

static size_t record_bytes(const struct audit_entry *entry)
{
	size_t n = sizeof(struct record);

	for (size_t i = 0; i < AUDIT_TEXTS; i++)
		n += text_bytes(entry, i);
	return (n + 7) & ~(size_t)7;
}

/* Where n bytes in a row are free, or NULL. Moves at over what is left out. */
static char *reserve(struct audit_ring *ring, size_t n)
{
	size_t offset = ring->at & (ring->size - 1);
	size_t skip = n > ring->size - offset ? ring->size - offset : 0;

	if (n + skip > ring->size - (ring->at - ring->seen))
		ring->seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
	if (n + skip > ring->size - (ring->at - ring->seen))
		return NULL;
	if (skip) {
		((struct record *)(ring->bytes + offset))->bytes = 0;
		ring->at += skip;
	}
	return ring->bytes + (ring->at & (ring->size - 1));
}

/* Is a quarter full, and was the reader not told of it already? */
static bool should_wake(struct audit_ring *ring)
{
	size_t quarter = ring->size / 4;

	if (ring->at - ring->seen < quarter)
		return false;
	ring->seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
	if (ring->at - ring->seen < quarter || ring->at - ring->woken < quarter)
		return false;
	ring->woken = ring->at;
	return true;
}

bool audit_ring_push(struct audit_ring *ring, const struct audit_entry *entry)
{
	size_t n = record_bytes(entry);
	char *p = reserve(ring, n);
	struct record *record = (struct record *)p;

	if (!p) {
		atomic_fetch_add_explicit(&ring->lost, 1, memory_order_relaxed);
		return false;
	}
	record->bytes = (uint32_t)n;
	memcpy(record->facts, entry, FACTS_BYTES);
	p = (char *)(record + 1);
	for (size_t i = 0; i < AUDIT_TEXTS; i++) {
		size_t len = text_bytes(entry, i);

		record->n[i] = (uint16_t)len;
		if (len)
			memcpy(p, entry->text[i].p, len);
		p += len;
	}
	ring->at += n;
	atomic_store_explicit(&ring->head, ring->at, memory_order_release);
	return should_wake(ring);
}

/* The record at the tail, over what was left out; NULL when the ring is empty. */
static struct record *front(struct audit_ring *ring, size_t *ret_tail)
{
	size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	size_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
	struct record *record;

	if (tail == head)
		return NULL;
	record = (struct record *)(ring->bytes + (tail & (ring->size - 1)));
	if (!record->bytes) {
		tail += ring->size - (tail & (ring->size - 1));
		record = (struct record *)ring->bytes;
	}
	*ret_tail = tail;
	return record;
}

bool audit_ring_peek(struct audit_ring *ring, struct audit_entry *ret_entry)
{
	size_t tail;
	const struct record *record = front(ring, &tail);
	const char *p = (const char *)(record + 1);

	if (!record)
		return false;
	memcpy(ret_entry, record->facts, FACTS_BYTES);
	for (size_t i = 0; i < AUDIT_TEXTS; i++) {
		ret_entry->text[i] = (struct span){.p = p, .n = record->n[i]};
		p += record->n[i];
	}
	return true;
}

void audit_ring_pop(struct audit_ring *ring)
{
	size_t tail;
	const struct record *record = front(ring, &tail);

	if (record)
		atomic_store_explicit(&ring->tail, tail + record->bytes, memory_order_release);
}

uint64_t audit_ring_lost(const struct audit_ring *ring)
{
	return atomic_load_explicit(&ring->lost, memory_order_relaxed);
}
