/*
 * The one reader of wire bytes.
 *
 * Accessors never move past the end. The first one that would sets `bad`,
 * which sticks: from then on every accessor returns zeros and nothing moves.
 * So a parser reads field after field and looks at `bad` once at the end,
 * and in every loop condition.
 */
#ifndef BASE_RD_H
#define BASE_RD_H

#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rd {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

static inline struct rd rd_of(const void *p, size_t n)
{
	return (struct rd){.p = p, .end = (const uint8_t *)p + n};
}

static inline struct rd rd_span(struct span s)
{
	return rd_of(s.p ? s.p : "", s.n);
}

static inline size_t rd_left(const struct rd *r)
{
	return r->bad ? 0 : (size_t)(r->end - r->p);
}

/* The next n bytes, borrowed from the input; {NULL, 0} and bad when they are not all there. */
static inline struct span rd_bytes(struct rd *r, uint64_t n)
{
	if (r->bad || n > (uint64_t)(r->end - r->p)) {
		r->bad = true;
		return (struct span){0};
	}
	struct span s = {.p = (const char *)r->p, .n = (size_t)n};
	r->p += n;
	return s;
}

static inline uint8_t rd_u8(struct rd *r)
{
	if (r->bad || r->p == r->end) {
		r->bad = true;
		return 0;
	}
	return *r->p++;
}

static inline uint32_t rd_u32be(struct rd *r)
{
	struct span s = rd_bytes(r, 4);
	if (!s.n)
		return 0;
	const uint8_t *b = (const uint8_t *)s.p;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

#endif
