/*
 * The written forms of single values: numbers, durations, sizes and so on.
 * The schema says which form a text has; no text chooses its own type.
 */
#ifndef CONF_SCALAR_H
#define CONF_SCALAR_H

#include "base/mem.h"
#include "conf/keys.h"

#include <stdint.h>

#define CONF_SCALAR_TEXT 32 /* the longest text of a value, with its NUL */
#define CONF_SCALAR_HOST 64 /* a literal address, with its NUL */

/*
 * Reads BOOL, INT, DURATION (milliseconds), SIZE (bytes) or MODE, all of the
 * text and in one way only: no blanks, signs but '-', leading zeros or
 * fractions. 0; -EINVAL another form; -ERANGE too large for 64 bits.
 */
int conf_scalar_parse(enum conf_type type, const char *text, int64_t *ret_value) must_check;

/* Writes a value of these types as conf_scalar_parse reads it, in the largest unit that fits. */
void conf_scalar_format(enum conf_type type, int64_t value, char ret_text[CONF_SCALAR_TEXT]);

/* The place of text in a list of words separated by single blanks, or -1. */
int conf_scalar_word(const char *words, const char *text);

/* "127.0.0.1:80", "[::1]:80": 0 or -EINVAL. The host comes without brackets. */
int conf_scalar_address(
	const char *text, char ret_host[CONF_SCALAR_HOST], uint16_t *ret_port) must_check;

#endif
