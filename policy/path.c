#include "policy/path.h"

#include <errno.h>
#include <stdint.h>

struct writer {
	char *buf;
	size_t n;
	size_t segment; /* where the present segment begins */
	const char *why;
};

static int refuse(struct writer *w, const char *why)
{
	w->why = why;
	return -EINVAL;
}

static int put(struct writer *w, char c)
{
	if (w->n == POLICY_INPUT_MAX)
		return -E2BIG;
	w->buf[w->n++] = c;
	return 0;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* RFC 3986 2.3 */
static bool is_unreserved(char c)
{
	return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Is the present segment, without its parameters (RFC 3986 3.3), "." or ".."? */
static int end_segment(struct writer *w)
{
	struct span segment = {w->buf + w->segment, w->n - w->segment};
	const char *end = segment.n ? memchr(segment.p, ';', segment.n) : NULL;

	if (end)
		segment.n = (size_t)(end - segment.p);
	if (span_is(segment, ".") || span_is(segment, ".."))
		return refuse(w, "a segment is . or ..");
	return 0;
}

static int slash(struct writer *w)
{
	int err;

	if (w->n && w->n == w->segment)
		return refuse(w, "two slashes follow each other");
	err = end_segment(w);
	if (!err)
		err = put(w, '/');
	w->segment = w->n;
	return err;
}

/* The %XX at the front of left. */
static int escape(struct writer *w, struct span left)
{
	static const char DIGITS[] = "0123456789ABCDEF";
	int high = left.n > 2 ? hex(left.p[1]) : -1, low = left.n > 2 ? hex(left.p[2]) : -1;
	char c = (char)(high * 16 + low);
	int err;

	if (high < 0 || low < 0)
		return refuse(w, "a percent sign without two digits");
	if (c == '/' || c == '\\')
		return refuse(w, "an escaped slash");
	if (is_control(c))
		return refuse(w, "an escaped control character");
	if (is_unreserved(c))
		return put(w, c);
	err = put(w, '%');
	if (!err)
		err = put(w, DIGITS[high]);
	return err ? err : put(w, DIGITS[low]);
}

static int plain(struct writer *w, char c)
{
	if (is_control(c) || c == '\\' || c == ' ' || c == '#' || c == '?')
		return refuse(w, "a character that no path has");
	return c == '/' ? slash(w) : put(w, c);
}

static int write_path(struct writer *w, struct span path)
{
	int err = 0;

	if (span_is(path, "*")) /* OPTIONS *: RFC 9110 9.3.7 */
		return put(w, '*');
	if (!path.n || path.p[0] != '/')
		return refuse(w, "it does not begin with a slash");
	while (!err && path.n) {
		size_t n = path.p[0] == '%' ? 3 : 1;

		err = n == 3 ? escape(w, path) : plain(w, path.p[0]);
		path.p += n < path.n ? n : path.n;
		path.n -= n < path.n ? n : path.n;
	}
	return err ? err : end_segment(w);
}

static int write_query(struct writer *w, struct span query)
{
	int err = put(w, '?');

	for (size_t i = 0; !err && i < query.n; i++)
		err = is_control(query.p[i]) ? refuse(w, "a control character in the query")
					     : put(w, query.p[i]);
	return err;
}

int policy_path_normal(struct span path, bool has_query, struct span query, char *buf,
	struct span *ret_path, const char **ret_why)
{
	struct writer w = {.buf = buf, .why = ""};
	int err = write_path(&w, path);

	if (!err && has_query)
		err = write_query(&w, query);
	if (err) {
		*ret_why = err == -E2BIG ? "longer than policies look at" : w.why;
		return err;
	}
	*ret_path = (struct span){buf, w.n};
	return 0;
}
