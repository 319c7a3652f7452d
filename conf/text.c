#include "conf/text.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

/* C1 controls are the two bytes C2 80 to C2 9F in UTF-8. */
static int is_control(const char *p, size_t len)
{
	unsigned char first = (unsigned char)p[0];

	if (len == 2)
		return first == 0xc2 && (unsigned char)p[1] < 0xa0;
	return len < 2 && (len == 0 || first < 0x20 || first == 0x7f);
}

int conf_text_has_control(const char *text)
{
	struct span left = span_of(text);

	while (left.n) {
		size_t len = base_utf8_next(left);

		if (is_control(left.p, len))
			return 1;
		left.p += len;
		left.n -= len;
	}
	return 0;
}

struct conf_shown conf_text_show(const char *text)
{
	struct conf_shown shown = {"'"};
	struct span left = span_of(text);
	size_t n = 1;

	while (left.n) {
		size_t len = base_utf8_next(left);
		size_t used = len ? len : 1;

		if (used > CONF_TEXT_SHOWN - (n - 1))
			break;
		if (is_control(left.p, len))
			shown.text[n++] = '?';
		else
			for (size_t i = 0; i < used; i++)
				shown.text[n++] = left.p[i];
		left.p += used;
		left.n -= used;
	}
	snprintf(shown.text + n, sizeof(shown.text) - n, left.n ? "...'" : "'");
	return shown;
}

struct conf_shown conf_text_found(const struct base_doc *doc)
{
	if (doc->kind == BASE_DOC_LIST)
		return (struct conf_shown){"a list"};
	if (doc->kind == BASE_DOC_MAP)
		return (struct conf_shown){"a map"};
	if (!doc->text[0])
		return (struct conf_shown){"empty"};
	return conf_text_show(doc->text);
}

void conf_text_words(const char *words, char *out, size_t size)
{
	size_t n = 0;

	for (; *words && n + 3 < size; words++) {
		if (*words == ' ')
			out[n++] = ',';
		out[n++] = *words;
	}
	out[n] = '\0';
}
