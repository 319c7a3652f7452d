#include "base/json.h"

#include "base/utf8.h"

#include <stdio.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

size_t base_json_char(struct span s, char ret_text[BASE_JSON_CHAR_MAX], size_t *ret_n)
{
	static const char HEX[] = "0123456789abcdef";
	size_t len = base_utf8_next(s);
	unsigned char c = (unsigned char)s.p[0];

	if (!len) {
		memcpy(ret_text, REPLACEMENT, 3);
		*ret_n = 3;
		return 1;
	}
	if (c == '"' || c == '\\') {
		ret_text[0] = '\\';
		ret_text[1] = (char)c;
		*ret_n = 2;
	} else if (c < 0x20 || c == 0x7f) {
		memcpy(ret_text, "\\u00", 4);
		ret_text[4] = HEX[c >> 4];
		ret_text[5] = HEX[c & 15];
		*ret_n = 6;
	} else {
		memcpy(ret_text, s.p, len);
		*ret_n = len;
	}
	return len;
}

/* A comma, unless this is the first of its object or array; then the key. */
static void begin(struct wr *w, const char *key)
{
	if (wr_len(w) && w->p[-1] != '{' && w->p[-1] != '[' && w->p[-1] != '\n')
		wr_u8(w, ',');
	if (!key)
		return;
	wr_u8(w, '"');
	wr_bytes(w, key, strlen(key));
	wr_bytes(w, "\":", 2);
}

void base_json_object(struct wr *w, const char *key)
{
	begin(w, key);
	wr_u8(w, '{');
}

void base_json_array(struct wr *w, const char *key)
{
	begin(w, key);
	wr_u8(w, '[');
}

void base_json_end_object(struct wr *w)
{
	wr_u8(w, '}');
}

void base_json_end_array(struct wr *w)
{
	wr_u8(w, ']');
}

void base_json_text_begin(struct wr *w, const char *key)
{
	begin(w, key);
	wr_u8(w, '"');
}

/* Bytes that stand for themselves; most texts are nothing else. */
static size_t plain(struct span s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n = 0;

	while (n < s.n && p[n] >= 0x20 && p[n] < 0x7f && p[n] != '"' && p[n] != '\\')
		n++;
	return n;
}

void base_json_text_piece(struct wr *w, struct span piece, size_t max)
{
	size_t left = max;

	while (piece.n && left && !w->bad) {
		char text[BASE_JSON_CHAR_MAX];
		size_t took = plain(piece);
		size_t n;

		if (took) {
			took = took > left ? left : took;
			wr_bytes(w, piece.p, took);
		} else {
			took = base_json_char(piece, text, &n);
			if (took > left)
				return;
			wr_bytes(w, text, n);
		}
		piece.p += took;
		piece.n -= took;
		left -= took;
	}
}

void base_json_text_end(struct wr *w)
{
	wr_u8(w, '"');
}

void base_json_text(struct wr *w, const char *key, struct span value, size_t max)
{
	base_json_text_begin(w, key);
	base_json_text_piece(w, value, max);
	base_json_text_end(w);
}

void base_json_str(struct wr *w, const char *key, const char *value)
{
	base_json_text(w, key, span_of(value), SIZE_MAX);
}

void base_json_uint(struct wr *w, const char *key, uint64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)value);

	begin(w, key);
	wr_bytes(w, text, (size_t)n);
}

void base_json_bool(struct wr *w, const char *key, bool value)
{
	begin(w, key);
	wr_bytes(w, value ? "true" : "false", value ? 4 : 5);
}
