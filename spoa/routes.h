/*
 * What the admin socket does besides showing the status: routes that change
 * something or hand out lists. Their argument is the struct spoa_daemon.
 */
#ifndef SPOA_ROUTES_H
#define SPOA_ROUTES_H

#include "spoa/http.h"

/* revoke_routes.c: /api/v1/revocations and .../remove. Six texts of 1 KiB, each byte escaped. */
#define SPOA_REVOKE_BODY (48 * 1024)
spoa_http_handler spoa_route_revocations;
spoa_http_handler spoa_route_revoke;
spoa_http_handler spoa_route_unrevoke;

/* assertion_routes.c: the public keys of our assertions; also on the public listener. */
spoa_http_handler spoa_route_jwks;

#endif
