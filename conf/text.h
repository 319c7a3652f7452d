/*
 * How pieces of somebody's text appear in messages.
 */
#ifndef CONF_TEXT_H
#define CONF_TEXT_H

#include "base/doc.h"

#include <stddef.h>

#define CONF_TEXT_SHOWN 40 /* bytes of a text that a message repeats */

struct conf_shown {
	char text[CONF_TEXT_SHOWN + 8];
};

/*
 * 'text' in quotes: cut with "..." at the end of a character, control
 * characters as '?', so that a message is one line and moves no cursor.
 */
struct conf_shown conf_text_show(const char *text);

/* What a value is, in words: a list, a map, empty, text in quotes, or the text itself. */
struct conf_shown conf_text_found(const struct base_doc *doc);

/* The words of a list separated by blanks as "a, b, c". Cut when it does not fit. */
void conf_text_words(const char *words, char *out, size_t size);

/* Does it hold a control character (C0, DEL, C1)? */
int conf_text_has_control(const char *text);

#endif
