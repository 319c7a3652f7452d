/*
 * The way of an entry from one worker to the audit thread: a bounded ring of
 * bytes with one writer and one reader, without a lock. A writer never waits:
 * an entry that finds no room is counted as lost.
 */
#ifndef AUDIT_RING_H
#define AUDIT_RING_H

#include "audit/entry.h"
#include "base/mem.h"

#include <stddef.h>
#include <stdint.h>

/* A text is cut to this many bytes on its way in, so an entry has a largest size. */
#define AUDIT_TEXT_MAX 4096

struct audit_ring;

/* bytes: 64 KiB or more, a power of two. NULL without memory. */
struct audit_ring *audit_ring_new(size_t bytes) must_check;
void audit_ring_free(struct audit_ring *ring);

/*
 * Writer: copies the entry in. Returns true when the reader should be woken
 * now: the ring has just become a quarter full.
 */
bool audit_ring_push(struct audit_ring *ring, const struct audit_entry *entry);

/* Reader: the oldest entry, whose texts live until audit_ring_pop; false when there is none. */
bool audit_ring_peek(struct audit_ring *ring, struct audit_entry *ret_entry) must_check;
void audit_ring_pop(struct audit_ring *ring);

/* How many entries found no room, since the beginning. From any thread. */
uint64_t audit_ring_lost(const struct audit_ring *ring);

#endif
