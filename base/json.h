/*
 * JSON out (RFC 8259), straight into a writer: no tree, no allocation. The
 * caller opens and closes what it nests; commas are set here. Whatever bytes a
 * stranger sent, the result is valid JSON in valid UTF-8 without control
 * bytes: bad sequences become U+FFFD. What does not fit sets the writer's
 * `bad`.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/span.h"
#include "base/wr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest form of one byte of a text: \u001f. */
#define BASE_JSON_CHAR_MAX 6

/*
 * The first character of s (not empty) as it stands in a JSON string, without
 * quotes around it. Returns how many bytes of s it took.
 */
size_t base_json_char(struct span s, char ret_text[BASE_JSON_CHAR_MAX], size_t *ret_n);

/* Everywhere: key NULL is for elements of an array, and for the outermost value. */
void base_json_object(struct wr *w, const char *key);
void base_json_array(struct wr *w, const char *key);
void base_json_end_object(struct wr *w);
void base_json_end_array(struct wr *w);
/* At most max bytes of value, cut between two characters. */
void base_json_text(struct wr *w, const char *key, struct span value, size_t max);
void base_json_str(struct wr *w, const char *key, const char *value);
void base_json_uint(struct wr *w, const char *key, uint64_t value);
void base_json_bool(struct wr *w, const char *key, bool value);

/* A text in pieces: begin, any number of pieces (each at most max bytes), end. */
void base_json_text_begin(struct wr *w, const char *key);
void base_json_text_piece(struct wr *w, struct span piece, size_t max);
void base_json_text_end(struct wr *w);

#endif
