#include "token/htu.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdint.h>
#include <strings.h>

static const struct scheme {
	const char *prefix;
	bool https;
	unsigned port;
} SCHEMES[] = {
	{"https://", true, 443},
	{"http://", false, 80},
};

/* The row of the scheme that htu begins with, which is then cut off; or NULL. */
static const struct scheme *cut_scheme(struct span *htu)
{
	for (size_t i = 0; i < ARRAY_SIZE(SCHEMES); i++) {
		size_t n = strlen(SCHEMES[i].prefix);

		if (htu->n < n || strncasecmp(htu->p, SCHEMES[i].prefix, n))
			continue;
		*htu = (struct span){.p = htu->p + n, .n = htu->n - n};
		return &SCHEMES[i];
	}
	return NULL;
}

/* Everything before the first of these characters; moves *rest to it. */
static struct span cut_before(struct span *rest, const char *any)
{
	size_t n = 0;

	while (n < rest->n && !strchr(any, rest->p[n]))
		n++;

	struct span head = {.p = rest->p, .n = n};

	*rest = (struct span){.p = rest->p + n, .n = rest->n - n};
	return head;
}

struct authority {
	struct span host;
	unsigned port;
};

/* Digits of a port; "" is the default one (RFC 3986 6.2.3). */
static bool read_port(struct span digits, unsigned otherwise, unsigned *ret_port)
{
	unsigned port = 0;

	if (digits.n > 5)
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		if (!isdigit((unsigned char)digits.p[i]))
			return false;
		port = port * 10 + (unsigned)(digits.p[i] - '0');
	}
	*ret_port = digits.n ? port : otherwise;
	return true;
}

/* host [":" port], where the host may be an address in brackets. */
static bool read_authority(struct span text, unsigned default_port, struct authority *ret)
{
	struct span rest = text;
	struct span host;

	if (text.n && text.p[0] == '[') {
		host = cut_before(&rest, "]");
		if (!rest.n)
			return false;
		host.n++;
		rest = (struct span){.p = rest.p + 1, .n = rest.n - 1};
	} else {
		host = cut_before(&rest, ":");
	}
	if (!host.n || memchr(text.p, '@', text.n) || (rest.n && rest.p[0] != ':'))
		return false;
	if (rest.n)
		rest = (struct span){.p = rest.p + 1, .n = rest.n - 1};
	ret->host = host;
	return read_port(rest, default_port, &ret->port);
}

static bool same_authority(struct span a, struct span b, unsigned default_port)
{
	struct authority one, two;

	return read_authority(a, default_port, &one) && read_authority(b, default_port, &two) &&
	       one.port == two.port && one.host.n == two.host.n &&
	       !strncasecmp(one.host.p, two.host.p, one.host.n);
}

static bool is_unreserved(unsigned c)
{
	return isalnum((int)c) || (c && strchr("-._~", (int)c));
}

static unsigned hex(char c)
{
	return isdigit((unsigned char)c) ? (unsigned)(c - '0')
					 : (unsigned)(tolower((unsigned char)c) - 'a') + 10;
}

/*
 * The next character of a path: itself, or 256 plus its value when it stands
 * in percent encoding and has to (RFC 3986 6.2.2.2).
 */
static unsigned next(struct span *path)
{
	unsigned c = (unsigned char)path->p[0];
	size_t n = 1;

	if (c == '%' && path->n >= 3 && isxdigit((unsigned char)path->p[1]) &&
		isxdigit((unsigned char)path->p[2])) {
		c = hex(path->p[1]) << 4 | hex(path->p[2]);
		if (!is_unreserved(c))
			c += 256;
		n = 3;
	}
	*path = (struct span){.p = path->p + n, .n = path->n - n};
	return c;
}

static bool same_path(struct span a, struct span b)
{
	if (!a.n)
		a = SPAN("/");
	if (!b.n)
		b = SPAN("/");
	while (a.n && b.n)
		if (next(&a) != next(&b))
			return false;
	return a.n == b.n;
}

bool token_htu_fits(struct span htu, const struct token_htu *request)
{
	const struct scheme *scheme = cut_scheme(&htu);

	if (!scheme || scheme->https != request->https)
		return false;

	struct span authority = cut_before(&htu, "/?#");
	struct span path = cut_before(&htu, "?#");

	return same_authority(authority, request->host, scheme->port) &&
	       same_path(path, request->path);
}
