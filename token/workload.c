#include "token/workload.h"

#include <string.h>

static const char SUBJECT[] = "system:serviceaccount:";

static bool is_name(struct span text)
{
	if (text.n > TOKEN_WORKLOAD_NAME)
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (!((text.p[i] >= 'a' && text.p[i] <= 'z') ||
			    (text.p[i] >= '0' && text.p[i] <= '9') || text.p[i] == '-' ||
			    text.p[i] == '.'))
			return false;
	return true;
}

/* Absent is empty; what is there and no text is nobody's name. */
static struct span name_of(const json_t *value)
{
	struct span text = {json_string_value(value), json_string_length(value)};

	if (!value || json_is_null(value))
		return (struct span){0};
	return json_is_string(value) && text.n && is_name(text) ? text : SPAN("?");
}

static bool read_bound(const json_t *claims, struct span names[3])
{
	const json_t *bound = json_object_get(claims, "kubernetes.io");

	if (!bound)
		return false;
	names[0] = json_is_object(bound) ? name_of(json_object_get(bound, "namespace")) : SPAN("?");
	names[1] = name_of(json_object_get(json_object_get(bound, "serviceaccount"), "name"));
	names[2] = name_of(json_object_get(json_object_get(bound, "pod"), "name"));
	return names[0].n || names[1].n || names[2].n;
}

static bool read_flat(const json_t *claims, struct span names[3])
{
	names[0] = name_of(json_object_get(claims, "kubernetes.io/serviceaccount/namespace"));
	names[1] = name_of(
		json_object_get(claims, "kubernetes.io/serviceaccount/service-account.name"));
	return names[0].n || names[1].n;
}

static bool read_subject(struct span sub, struct span names[3])
{
	const size_t n = sizeof(SUBJECT) - 1;
	const char *colon;

	if (sub.n <= n || memcmp(sub.p, SUBJECT, n))
		return false;
	names[0] = (struct span){sub.p + n, sub.n - n};
	colon = memchr(names[0].p, ':', names[0].n);
	if (colon) {
		names[1] = (struct span){colon + 1, (size_t)(sub.p + sub.n - colon - 1)};
		names[0].n = (size_t)(colon - names[0].p);
	}
	for (size_t i = 0; i < 2; i++)
		if (!names[i].n || !is_name(names[i]))
			names[i] = SPAN("?");
	return true;
}

void token_workload_write(const json_t *claims, struct span sub, struct wr *to)
{
	struct span names[3] = {{0}, {0}, {0}};

	if (!read_bound(claims, names) && !read_flat(claims, names) && !read_subject(sub, names))
		return;
	for (size_t i = 0; i < 3; i++) {
		if (i)
			wr_u8(to, '/');
		wr_bytes(to, names[i].p, names[i].n);
	}
}

void token_workload_split(struct span text, struct span ret[3])
{
	for (size_t i = 0; i < 3; i++) {
		const char *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
		size_t n = slash ? (size_t)(slash - text.p) : text.n;

		ret[i] = (struct span){text.p, n};
		text.p += n + (slash ? 1 : 0);
		text.n -= n + (slash ? 1 : 0);
	}
}
