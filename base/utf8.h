/*
 * UTF-8 as RFC 3629 3 defines it: no overlong forms, no surrogates, nothing
 * above U+10FFFF.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>

/* Length of the valid sequence at the start of s (1 to 4), or 0 when there is none. */
size_t base_utf8_next(struct span s);

bool base_utf8_valid(struct span s);

#endif
