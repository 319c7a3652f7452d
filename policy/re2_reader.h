/*
 * The reader of RE2 patterns and its parts. Internal to re2.c, re2_escape.c
 * and re2_class.c.
 */
#ifndef POLICY_RE2_READER_H
#define POLICY_RE2_READER_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_RE2_SPACES "\\x{9}\\x{a}\\x{c}\\x{d}\\x{20}" /* RE2's \s: no vertical tab */

struct policy_re2_reader {
	const char *text;
	size_t at, n;
	char *out;
	size_t n_out;
	char *why; /* 160 bytes */
};

/* -EINVAL with the sentence and the byte. */
int policy_re2_refuse(struct policy_re2_reader *r, size_t at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static inline bool policy_re2_at_end(const struct policy_re2_reader *r)
{
	return r->at == r->n;
}

/* The next byte, or NUL at the end. */
static inline char policy_re2_peek(const struct policy_re2_reader *r)
{
	return policy_re2_at_end(r) ? '\0' : r->text[r->at];
}

/* Eats what if it is next. */
bool policy_re2_take(struct policy_re2_reader *r, const char *what);

/* The next character as itself; the text is UTF-8, that was checked. */
uint32_t policy_re2_next(struct policy_re2_reader *r);

/* Writes PCRE2 syntax; a character, so that it means itself. */
void policy_re2_put(struct policy_re2_reader *r, const char *what);
void policy_re2_put_char(struct policy_re2_reader *r, uint32_t c);

/* What a backslash makes of the next byte, when that is one character. 0 or -EINVAL. */
int policy_re2_escaped(struct policy_re2_reader *r, uint32_t *ret_c) must_check;

/* \d, \pL and their like, after the backslash: 1 written, 0 it is none, -EINVAL. */
int policy_re2_class_escape(struct policy_re2_reader *r, bool in_class) must_check;

/* A class, after the [. 0 or -EINVAL. */
int policy_re2_class(struct policy_re2_reader *r) must_check;

#endif
