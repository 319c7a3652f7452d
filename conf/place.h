/*
 * Line and column of a place in a text. libyaml counts characters and knows
 * five kinds of line end; an editor counts \n, and our columns are bytes.
 */
#ifndef CONF_PLACE_H
#define CONF_PLACE_H

#include <stddef.h>

struct conf_place {
	const char *text;
	size_t n;
	size_t chars; /* characters before this place */
	size_t bytes;
	size_t line_start; /* byte where its line begins */
	unsigned line;     /* from 1 */
	unsigned column;   /* from 1 */
};

/* The start of a text, which must be UTF-8 as far as anybody goes and outlive the place. */
struct conf_place conf_place_start(const char *text, size_t n);

/* To the character with this index from 0, or the end. Cheap when called in rising order. */
void conf_place_to_char(struct conf_place *place, size_t chars);

/* To the character that begins at this byte, or the end. */
void conf_place_to_byte(struct conf_place *place, size_t bytes);

#endif
