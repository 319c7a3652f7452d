/*
 * What the admin socket does besides showing the status: routes that change
 * something or hand out lists. Their argument is the struct spoa_daemon.
 */
#ifndef SPOA_ROUTES_H
#define SPOA_ROUTES_H

#include "spoa/http.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* routes.c: the table of the admin interface; argument: the struct spoa_daemon. */
extern const struct spoa_http_route spoa_admin_routes[];
extern const size_t spoa_admin_n_routes;

/* Answers with this JSON, which is taken over; NULL: out of memory. */
void spoa_route_say(struct spoa_http_answer *answer, unsigned status, json_t *json);
/* {"error": why}. */
void spoa_route_refuse(struct spoa_http_answer *answer, unsigned status, const char *why);
/* A small flat object; NULL: it is none. The caller's. */
json_t *spoa_route_body(const struct spoa_http_request *request) must_check;
/* A member of it that is an integer of this range. */
bool spoa_route_integer(
	const json_t *body, const char *name, int64_t lo, int64_t hi, int64_t *ret) must_check;
/* A number in the URL's query, or this one without it; false: it is none. */
bool spoa_route_number(const struct spoa_http_request *request, const char *name,
	uint64_t otherwise, uint64_t *ret) must_check;

/* show_routes.c: lists. flows takes identity and limit, decisions after and limit. */
spoa_http_handler spoa_route_providers;
spoa_http_handler spoa_route_identities;
spoa_http_handler spoa_route_flows;
spoa_http_handler spoa_route_decisions;
/*
 * {"role" or "identity", "service", "method", "path", "query", "host"}: what the policies in
 * force say about such a request: {"verdict", "reason", "policy"}.
 */
spoa_http_handler spoa_route_explain_policy;

/* order_routes.c: what an operator orders. */
#define SPOA_ORDER_BODY (16 * 1024)
spoa_http_handler spoa_route_drain;     /* as SIGTERM */
spoa_http_handler spoa_route_reload;    /* as SIGHUP; 409 with why when it was refused */
spoa_http_handler spoa_route_log_level; /* {"level": WORD}, until the next reload */
spoa_http_handler spoa_route_observe;   /* {"seconds": N, "why": TEXT}; 0 ends it */

/* revoke_routes.c: /api/v1/revocations and .../remove. Six texts of 1 KiB, each byte escaped. */
#define SPOA_REVOKE_BODY (48 * 1024)
spoa_http_handler spoa_route_revocations;
spoa_http_handler spoa_route_revoke;
spoa_http_handler spoa_route_unrevoke;

/* assertion_routes.c: the public keys of our assertions; also on the public listener. */
spoa_http_handler spoa_route_jwks;

#endif
