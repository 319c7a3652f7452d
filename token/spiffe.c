#include "token/spiffe.h"

#define SCHEME     "spiffe://"
#define DOMAIN_MAX 255

static bool is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

static bool is_segment_char(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

bool token_spiffe_trust_domain(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!is_lower(text.p[i]))
			return false;
	return text.n > 0 && text.n <= DOMAIN_MAX;
}

static bool is_segment(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!is_segment_char(text.p[i]))
			return false;
	return text.n > 0 && !span_is(text, ".") && !span_is(text, "..");
}

/* "/a/b": one segment after each slash, and at least one. */
static bool is_path(struct span path)
{
	if (!path.n)
		return false;
	while (path.n) {
		const char *end = memchr(path.p + 1, '/', path.n - 1);
		size_t n = end ? (size_t)(end - path.p) : path.n;

		if (!is_segment((struct span){path.p + 1, n - 1}))
			return false;
		path = (struct span){path.p + n, path.n - n};
	}
	return true;
}

bool token_spiffe_parse(struct span id, struct span *ret_domain)
{
	size_t scheme = sizeof(SCHEME) - 1;
	struct span domain, path;
	const char *slash;

	if (id.n <= scheme || id.n > TOKEN_SPIFFE_ID_MAX || memcmp(id.p, SCHEME, scheme))
		return false;
	slash = memchr(id.p + scheme, '/', id.n - scheme);
	if (!slash)
		return false;
	domain = (struct span){id.p + scheme, (size_t)(slash - id.p) - scheme};
	path = (struct span){slash, id.n - scheme - domain.n};
	if (!token_spiffe_trust_domain(domain) || !is_path(path))
		return false;
	*ret_domain = domain;
	return true;
}

bool token_spiffe_is_in(struct span id, const char *trust_domain)
{
	struct span domain;

	return token_spiffe_parse(id, &domain) && span_is(domain, trust_domain);
}
