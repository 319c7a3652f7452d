/*
 * Short texts that are written piece by piece into a fixed buffer, and cut.
 */
#ifndef POLICY_TEXT_H
#define POLICY_TEXT_H

#include <stddef.h>

struct policy_text {
	char *buf; /* always ends with a NUL */
	size_t size, n;
};

struct policy_text policy_text_start(char *buf, size_t size);
void policy_text_add(struct policy_text *text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
