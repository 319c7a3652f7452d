/*
 * A borrowed run of bytes: not NUL-terminated, never freed by who holds it.
 * Whoever hands one out says how long it lives. p may be NULL when n is 0.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
	const char *p;
	size_t n;
};

/* For printf: "%.*s", SPAN_ARG(s). The text must be short enough for an int. */
#define SPAN_ARG(s) (int)(s).n, (s).p ? (s).p : ""
#define SPAN(literal)                                                                              \
	((struct span){                                                                            \
		.p = (literal),                                                                    \
		.n = sizeof(literal) - 1,                                                          \
	})

static inline struct span span_of(const char *text)
{
	return (struct span){.p = text, .n = text ? strlen(text) : 0};
}

static inline bool span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool span_is(struct span a, const char *text)
{
	return span_eq(a, span_of(text));
}

/* Takes what stands before the next of these, and that, off the front; false: there is no more. */
static inline bool span_next(struct span *rest, char by, struct span *ret_part)
{
	const char *end = rest->n ? memchr(rest->p, by, rest->n) : NULL;
	size_t n = end ? (size_t)(end - rest->p) : rest->n;
	size_t taken = n + (end != NULL);

	if (!rest->n)
		return false;
	*ret_part = (struct span){.p = rest->p, .n = n};
	*rest = (struct span){.p = rest->p + taken, .n = rest->n - taken};
	return true;
}

/* How often c is there; whoever asks for few says how many end the search. */
static inline size_t span_count(struct span s, char c, size_t most)
{
	size_t n = 0;

	for (const char *at; n < most && s.n && (at = memchr(s.p, c, s.n)); n++) {
		s.n -= (size_t)(at + 1 - s.p);
		s.p = at + 1;
	}
	return n;
}

#endif
