/*
 * JSON from a stranger, strictly: UTF-8, no duplicate names at any level, no
 * NUL, no trailing bytes, bounded depth and number of elements. The bounds
 * are checked by a scan before anything is built, so that a wide or deep text
 * costs no more than its length.
 */
#ifndef TOKEN_JSON_H
#define TOKEN_JSON_H

#include "base/mem.h"
#include "base/span.h"

#include <jansson.h>

struct token_json_caps {
	size_t depth;
	size_t elements; /* values of all kinds, member names not counted */
};

/*
 * The value (one reference, the caller's), or NULL with errno EBADMSG
 * (malformed), E2BIG (a cap) or ENOMEM.
 */
json_t *token_json_parse(struct span text, struct token_json_caps caps) must_check;

/* A string member without NUL or control bytes and of at most max bytes; {NULL,0} otherwise. */
struct span token_json_text(const json_t *object, const char *name, size_t max);

/* All of a string's text; {NULL, 0} for anything else. */
struct span token_json_text_of(const json_t *string);

DEFINE_CLEANUP(json, json_t *, json_decref)

#endif
