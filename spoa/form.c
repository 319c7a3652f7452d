#include "spoa/form.h"

#include "base/wr.h"

#include <ctype.h>
#include <errno.h>

/* What stands before the first of this character; moves *rest behind it. */
static struct span cut(struct span *rest, char at)
{
	const char *end = rest->n ? memchr(rest->p, at, rest->n) : NULL;
	size_t n = end ? (size_t)(end - rest->p) : rest->n;
	size_t gone = n + (end ? 1 : 0);
	struct span head = {.p = rest->p, .n = n};

	*rest = (struct span){.p = rest->p + gone, .n = rest->n - gone};
	return head;
}

static unsigned digit(char c)
{
	return isdigit((unsigned char)c) ? (unsigned)(c - '0')
					 : (unsigned)(tolower((unsigned char)c) - 'a') + 10;
}

static int decode(struct span text, struct wr *out)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '%') {
			wr_u8(out, text.p[i] == '+' ? ' ' : (uint8_t)text.p[i]);
			continue;
		}
		if (text.n - i < 3 || !isxdigit((unsigned char)text.p[i + 1]) ||
			!isxdigit((unsigned char)text.p[i + 2]))
			return -EBADMSG;
		wr_u8(out, (uint8_t)(digit(text.p[i + 1]) << 4 | digit(text.p[i + 2])));
		i += 2;
	}
	return out->bad ? -EMSGSIZE : 0;
}

int spoa_form_get(
	struct span body, const char *name, char *buf, size_t size, struct span *ret_value)
{
	struct wr out = wr_of(buf, size);
	struct span found = {0};
	size_t n = 0;
	int rc;

	while (body.n) {
		struct span value = cut(&body, '&');
		struct span field = cut(&value, '=');

		if (!span_is(field, name))
			continue;
		found = value;
		n++;
	}
	if (n != 1)
		return n ? -EBADMSG : -ENOENT;
	rc = decode(found, &out);
	if (rc)
		return rc;
	*ret_value = (struct span){.p = buf, .n = wr_len(&out)};
	return 0;
}
