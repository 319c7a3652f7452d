/*
 * The one writer of wire bytes: into a buffer that the caller owns, never
 * past its end. The first write that does not fit sets `bad`, which sticks;
 * nothing is written from then on. wr_len and wr_rewind undo a piece that
 * did not fit as a whole.
 */
#ifndef BASE_WR_H
#define BASE_WR_H

#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wr {
	uint8_t *start;
	uint8_t *p;
	uint8_t *end;
	bool bad;
};

static inline struct wr wr_of(void *p, size_t n)
{
	return (struct wr){.start = p, .p = p, .end = (uint8_t *)p + n};
}

static inline size_t wr_len(const struct wr *w)
{
	return (size_t)(w->p - w->start);
}

static inline size_t wr_left(const struct wr *w)
{
	return w->bad ? 0 : (size_t)(w->end - w->p);
}

/* Room for n bytes, to be filled by the caller; NULL and bad when there is none. */
static inline uint8_t *wr_reserve(struct wr *w, size_t n)
{
	if (w->bad || n > (size_t)(w->end - w->p)) {
		w->bad = true;
		return NULL;
	}
	uint8_t *at = w->p;
	w->p += n;
	return at;
}

static inline void wr_bytes(struct wr *w, const void *p, size_t n)
{
	uint8_t *at = wr_reserve(w, n);
	if (at && n)
		memcpy(at, p, n);
}

static inline void wr_u8(struct wr *w, uint8_t v)
{
	uint8_t *at = wr_reserve(w, 1);
	if (at)
		*at = v;
}

static inline void wr_put_u32be(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 24);
	at[1] = (uint8_t)(v >> 16);
	at[2] = (uint8_t)(v >> 8);
	at[3] = (uint8_t)v;
}

static inline void wr_u32be(struct wr *w, uint32_t v)
{
	uint8_t *at = wr_reserve(w, 4);
	if (at)
		wr_put_u32be(at, v);
}

/* Goes back to an earlier length and forgets the error. */
static inline void wr_rewind(struct wr *w, size_t len)
{
	w->p = w->start + len;
	w->bad = false;
}

#endif
