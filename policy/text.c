#include "policy/text.h"

#include <stdarg.h>
#include <stdio.h>

struct policy_text policy_text_start(char *buf, size_t size)
{
	buf[0] = '\0';
	return (struct policy_text){buf, size, 0};
}

void policy_text_add(struct policy_text *text, const char *fmt, ...)
{
	size_t left = text->size - text->n;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text->buf + text->n, left, fmt, ap);
	va_end(ap);
	if (n > 0)
		text->n += (size_t)n < left ? (size_t)n : left - 1;
}
