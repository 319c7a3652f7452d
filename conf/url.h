/*
 * Whether a URL may be asked for keys.
 */
#ifndef CONF_URL_H
#define CONF_URL_H

#include <stdbool.h>

/*
 * NULL when it is https (or http, with allow_http or to this machine itself), a host and perhaps a port
 * and a path, in printable ASCII, without user information or fragment; an
 * issuer has no query either (OIDC Discovery 1.0, 3). Else what is wrong, to
 * be read after the key's name.
 */
const char *conf_url_problem(const char *url, bool allow_http, bool issuer);

#endif
