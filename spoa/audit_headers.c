#include "spoa/audit_headers.h"

#include "audit/flow.h"
#include "base/rd.h"
#include "spop/data.h"

#include <string.h>
#include <strings.h>

static bool is_in(const struct conf_strings *list, struct span name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strlen(list->items[i]) == name.n &&
			!strncasecmp(list->items[i], name.p, name.n))
			return true;
	return false;
}

/* text and a NUL behind it. */
static size_t put(char *to, struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		to[i] = text.p[i] ? text.p[i] : '?';
	to[text.n] = '\0';
	return text.n + 1;
}

size_t spoa_audit_headers(struct span headers, const struct conf_strings *wanted,
	const struct conf_strings *redacted, char *buf, size_t room)
{
	struct rd r = rd_span(headers);
	size_t n = 0, left;

	while (!r.bad && rd_left(&r)) {
		struct span name = rd_bytes(&r, spop_varint_parse(&r));
		struct span value = rd_bytes(&r, spop_varint_parse(&r));

		if (r.bad || !name.n)
			break;
		if (!is_in(wanted, name))
			continue;
		if (is_in(redacted, name))
			value = SPAN(AUDIT_REDACTED);
		left = room - n;
		if (value.n > left || name.n > left - value.n || left - value.n - name.n < 2)
			continue;
		n += put(buf + n, name);
		n += put(buf + n, value);
	}
	return n;
}
