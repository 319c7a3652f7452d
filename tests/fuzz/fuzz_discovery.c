/* Any bytes as a discovery document: a URL that comes out is one that may be asked. */
#include "tests/fuzz/fuzz.h"

#include "token/discovery.h"

#include <errno.h>
#include <string.h>

static void look(struct span json, const char *issuer, bool allow_http)
{
	char url[TOKEN_URL_MAX + 1];
	int rc = token_discovery_parse(json, issuer, allow_http, url);
	size_t scheme = !strncmp(issuer, "https", 5) ? 8 : 7;
	const char *host;

	FUZZ_CHECK(rc == 0 || rc == -EBADMSG || rc == -EXDEV || rc == -EPERM);
	if (rc)
		return;
	FUZZ_CHECK(strlen(url) <= TOKEN_URL_MAX);
	FUZZ_CHECK(allow_http || !strncmp(url, issuer, scheme));
	host = strstr(url, "://") + 3;
	/* The issuer's host, whatever its case, and then a port, a path or the end. */
	FUZZ_CHECK(!strncasecmp(host, "idp.test", 8) && (!host[8] || strchr(":/?", host[8])));
	for (const char *p = url; *p; p++)
		FUZZ_CHECK(*p > ' ' && *p < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span json = {.p = (const char *)data, .n = size};

	look(json, "https://idp.test", false);
	look(json, "https://idp.test", true);
	look(json, "http://idp.test", false);
	return 0;
}
