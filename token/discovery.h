/*
 * OpenID Provider metadata (OIDC Discovery 1.0 section 4).
 */
#ifndef TOKEN_DISCOVERY_H
#define TOKEN_DISCOVERY_H

#include "base/mem.h"
#include "base/span.h"

#include <stdbool.h>

#define TOKEN_URL_MAX 1024

/* ISSUER/.well-known/openid-configuration, one slash between (4.1). 0 or -ENAMETOOLONG. */
int token_discovery_url(const char *issuer, char ret_url[TOKEN_URL_MAX + 1]) must_check;

/*
 * Reads jwks_uri. The document's issuer must equal the configured one byte for
 * byte (4.3), and jwks_uri must be a URL on the issuer's host and port, https
 * unless the issuer's is http (http and any port too when allow_http).
 *   0         ret_url is filled
 *   -EBADMSG  not such a document;  -EXDEV another issuer;  -EPERM a URL that is not allowed
 */
int token_discovery_parse(struct span json, const char *issuer, bool allow_http,
	char ret_url[TOKEN_URL_MAX + 1]) must_check;

#endif
