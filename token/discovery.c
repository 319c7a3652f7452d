#include "token/discovery.h"

#include "token/json.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define WELL_KNOWN "/.well-known/openid-configuration"

/* Real documents hold some 200 values. */
static const struct token_json_caps CAPS = {.depth = 16, .elements = 4096};

int token_discovery_url(const char *issuer, char ret_url[TOKEN_URL_MAX + 1])
{
	size_t n = strlen(issuer);

	if (n && issuer[n - 1] == '/')
		n--;
	if (n > TOKEN_URL_MAX - (sizeof(WELL_KNOWN) - 1))
		return -ENAMETOOLONG;
	memcpy(ret_url, issuer, n);
	memcpy(ret_url + n, WELL_KNOWN, sizeof(WELL_KNOWN));
	return 0;
}

/* What decides where a connection goes. */
struct origin {
	bool https;
	struct span host; /* with the brackets of an IPv6 address */
	unsigned port;
};

static bool cut_prefix(struct span *s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (s->n < n || memcmp(s->p, prefix, n))
		return false;
	*s = (struct span){.p = s->p + n, .n = s->n - n};
	return true;
}

/* Bytes that a URL holds only to confuse its readers: RFC 3986 2 has none of them in the clear. */
static bool has_odd_bytes(struct span url)
{
	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] <= ' ' || url.p[i] >= 0x7f || strchr("\\\"<>^`{|}#", url.p[i]))
			return true;
	return false;
}

static bool parse_port(struct span digits, unsigned *ret_port)
{
	unsigned port = 0;

	if (!digits.n || digits.n > 5)
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return false;
		port = port * 10 + (unsigned)(digits.p[i] - '0');
	}
	*ret_port = port;
	return port > 0 && port <= UINT16_MAX;
}

static size_t host_length(struct span authority)
{
	const char *end =
		memchr(authority.p, authority.n && authority.p[0] == '[' ? ']' : ':', authority.n);

	if (!end)
		return authority.n;
	return (size_t)(end - authority.p) + (*end == ']');
}

/* Strict: lower-case scheme, no user, no fragment. */
static bool parse_origin(struct span url, struct origin *ret_origin)
{
	struct origin origin = {.https = cut_prefix(&url, "https://")};
	struct span authority;

	if (!origin.https && !cut_prefix(&url, "http://"))
		return false;
	if (has_odd_bytes(url))
		return false;
	authority = (struct span){.p = url.p};
	while (authority.n < url.n && !strchr("/?", url.p[authority.n]))
		authority.n++;
	if (!authority.n || memchr(authority.p, '@', authority.n))
		return false;
	origin.host = (struct span){.p = authority.p, .n = host_length(authority)};
	origin.port = origin.https ? 443 : 80;
	authority.p += origin.host.n;
	authority.n -= origin.host.n;
	if (!origin.host.n)
		return false;
	if (authority.n && (!cut_prefix(&authority, ":") || !parse_port(authority, &origin.port)))
		return false;
	*ret_origin = origin;
	return true;
}

static bool same_host(struct span a, struct span b)
{
	return a.n == b.n && !strncasecmp(a.p, b.p, a.n);
}

static bool is_allowed(struct span url, const char *issuer, bool allow_http)
{
	struct origin to;
	struct origin ours;

	if (!parse_origin(url, &to) || !parse_origin(span_of(issuer), &ours))
		return false;
	if (!same_host(to.host, ours.host))
		return false;
	/* An issuer of plain http is one that the operator allowed: this machine itself. */
	return allow_http || ((to.https || !ours.https) && to.port == ours.port);
}

int token_discovery_parse(
	struct span json, const char *issuer, bool allow_http, char ret_url[TOKEN_URL_MAX + 1])
{
	cleanup(json) json_t *document = token_json_parse(json, CAPS);
	struct span url;

	if (!json_is_object(document) || !json_is_string(json_object_get(document, "issuer")))
		return -EBADMSG;
	if (!span_is(token_json_text(document, "issuer", TOKEN_URL_MAX), issuer))
		return -EXDEV;
	url = token_json_text(document, "jwks_uri", TOKEN_URL_MAX);
	if (!url.n)
		return -EBADMSG;
	if (!is_allowed(url, issuer, allow_http))
		return -EPERM;
	memcpy(ret_url, url.p, url.n);
	ret_url[url.n] = '\0';
	return 0;
}
