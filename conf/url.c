#include "conf/url.h"

#include <string.h>
#include <strings.h>

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' || strchr("\"<>\\^`{|}", *text))
			return false;
	return true;
}

/* host or [literal], and perhaps a port. */
static bool is_authority(const char *text, size_t n)
{
	static const char HOST[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	size_t host = text[0] == '[' ? strspn(text + 1, "0123456789abcdefABCDEF:.") + 2
				     : strspn(text, HOST);

	if (host == 0 || host > n || (text[0] == '[' && (host < 4 || text[host - 1] != ']')))
		return false;
	if (host == n)
		return true;
	return text[host] == ':' && n - host > 1 && n - host <= 6 &&
	       strspn(text + host + 1, "0123456789") == n - host - 1;
}

/* This machine itself: nobody is on the way. */
static bool is_loopback(const char *text, size_t n)
{
	size_t host = text[0] == '[' ? strcspn(text, "]") + 1 : strcspn(text, ":");

	if (host > n)
		host = n;
	if (host == 9 && !strncasecmp(text, "localhost", 9))
		return true;
	if (host == 5 && !strncmp(text, "[::1]", 5))
		return true;
	return host > 4 && !strncmp(text, "127.", 4) && strspn(text, "0123456789.") >= host;
}

const char *conf_url_problem(const char *url, bool allow_http, bool issuer)
{
	bool https = !strncmp(url, "https://", 8);
	bool http = !strncmp(url, "http://", 7);
	const char *authority = url + (https ? 8 : 7);

	if (http && !allow_http && !is_loopback(authority, strcspn(authority, "/?#")))
		return "must begin with https:// (http:// only with allow_http: true)";
	if (!https && !http)
		return "must begin with https://";
	if (!is_plain(url))
		return "holds a character that a URL cannot have";
	if (!is_authority(authority, strcspn(authority, "/?#")))
		return "needs a host, and perhaps a port, after the //";
	if (strchr(url, '#'))
		return "cannot have a fragment";
	return issuer && strchr(url, '?') ? "cannot have a query" : NULL;
}
