/*
 * The receiver of OIDC back-channel logout (1.0, 2.5 to 2.8): a provider
 * POSTs a logout token, and what it names is revoked before it hears 200.
 */
#ifndef SPOA_LOGOUT_H
#define SPOA_LOGOUT_H

#include "spoa/http.h"

/* A token of the longest kind in a form. */
#define SPOA_LOGOUT_BODY (20 * 1024)

/*
 * Of the public listener; arg is the struct spoa_daemon. 200 when it is in
 * force; 400 with {"error", "error_description"} when the token is no good or
 * was here before; 503 when that is our fault or keys are missing: the
 * provider should try again; 507 when no more revocations fit.
 */
spoa_http_handler spoa_route_logout;

#endif
