#include "token/json.h"

#include "base/utf8.h"
#include "token/memory.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* How far the scan has come, and what it has counted. */
struct scan {
	const char *p;
	const char *end;
	size_t depth;
	size_t elements;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_punctuation(char c)
{
	return c && strchr("{}[]:,\"", c);
}

/* From the opening quote to after the closing one. */
static int skip_string(struct scan *s)
{
	for (s->p++; s->p < s->end; s->p++) {
		if (*s->p == '"') {
			s->p++;
			return 0;
		}
		if (*s->p == '\\' && ++s->p == s->end)
			break;
	}
	return EBADMSG;
}

static void skip_spaces(struct scan *s)
{
	while (s->p < s->end && is_space(*s->p))
		s->p++;
}

/* A number, true, false, null, or rubbish that the parser will refuse. */
static void skip_word(struct scan *s)
{
	while (s->p < s->end && !is_space(*s->p) && !is_punctuation(*s->p))
		s->p++;
}

static int scan_string(struct scan *s)
{
	int err = skip_string(s);

	if (err)
		return err;
	skip_spaces(s);
	if (s->p == s->end || *s->p != ':')
		s->elements++;
	return 0;
}

/* One bracket, separator, string or word. */
static int scan_next(struct scan *s)
{
	switch (*s->p) {
	case '"':
		return scan_string(s);
	case '{':
	case '[':
		s->depth++;
		s->elements++;
		break;
	case '}':
	case ']':
		if (!s->depth--)
			return EBADMSG;
		break;
	case ':':
	case ',':
		break;
	default:
		skip_word(s);
		s->elements++;
		return 0;
	}
	s->p++;
	return 0;
}

/*
 * Counts without understanding: every value that the parser could build
 * before it meets a mistake has been counted here.
 */
static int check_caps(struct span text, struct token_json_caps caps)
{
	struct scan s = {.p = text.p, .end = text.p + text.n};

	for (skip_spaces(&s); s.p < s.end; skip_spaces(&s)) {
		int err = scan_next(&s);

		if (err)
			return err;
		if (s.depth > caps.depth || s.elements > caps.elements)
			return E2BIG;
	}
	return s.depth ? EBADMSG : 0;
}

static int check_text(struct span text, struct token_json_caps caps)
{
	if (!text.n || memchr(text.p, 0, text.n) || !base_utf8_valid(text))
		return EBADMSG;
	return check_caps(text, caps);
}

static json_t *load(struct span text)
{
	cleanup(json) json_t *value = NULL;

	token_memory_watch();
	value = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	errno = token_memory_failed() ? ENOMEM : EBADMSG;
	return token_memory_failed() ? NULL : TAKE_PTR(value);
}

json_t *token_json_parse(struct span text, struct token_json_caps caps)
{
	int err = check_text(text, caps);

	if (err) {
		errno = err;
		return NULL;
	}
	return load(text);
}

struct span token_json_text(const json_t *object, const char *name, size_t max)
{
	const json_t *value = json_object_get(object, name);
	struct span text;

	if (!json_is_string(value))
		return (struct span){0};
	text = (struct span){.p = json_string_value(value), .n = json_string_length(value)};
	if (text.n > max)
		return (struct span){0};
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return (struct span){0};
	return text;
}

struct span token_json_text_of(const json_t *string)
{
	return (struct span){.p = json_string_value(string), .n = json_string_length(string)};
}
