/*
 * base64url without padding (RFC 7515 2, RFC 4648 5), strictly: one text for
 * every run of bytes. Padding, white space, the standard alphabet, a single
 * left-over character and stray bits in the last one are refused.
 */
#ifndef TOKEN_B64_H
#define TOKEN_B64_H

#include "base/mem.h"
#include "base/span.h"
#include "base/wr.h"

#include <stdbool.h>

/* Would it decode? */
bool token_b64_check(struct span text);

/* Length of what a good text of n characters decodes to; of the text for n bytes. */
static inline size_t token_b64_bytes(size_t n)
{
	return n / 4 * 3 + n % 4 * 3 / 4;
}

static inline size_t token_b64_chars(size_t n)
{
	return n / 3 * 4 + (n % 3 * 4 + 2) / 3;
}

/*
 * Appends the bytes to out.
 *   -EBADMSG  not strict base64url;  -ENOSPC  longer than what is left of out
 * On failure out is where it was; what is behind that may be overwritten.
 */
int token_b64_decode(struct span text, struct wr *out) must_check;

/* Appends the text of bytes to out; out goes bad when it does not fit. */
void token_b64_encode(struct span bytes, struct wr *out);

#endif
