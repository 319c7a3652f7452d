/*
 * What the admin interface says: status, readiness, metrics.
 */
#ifndef SPOA_STATUS_H
#define SPOA_STATUS_H

#include "spoa/http.h"

#include "spoa/cache.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct spoa_daemon;

/* Routes whose argument is the struct spoa_daemon. */
extern const struct spoa_http_route spoa_status_routes[];
extern const size_t spoa_status_n_routes;

/* "ok": the process is alive and its main loop turns. */
void spoa_status_health(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer);

/*
 * A text that may hold or be cut to what is no UTF-8, with '?' for each such
 * byte; null for an empty one. A new reference.
 */
json_t *spoa_status_text(const char *text) must_check;

/* Of all workers. */
struct spoa_cache_use spoa_status_cache(const struct spoa_daemon *daemon);
unsigned spoa_status_connections(const struct spoa_daemon *daemon, unsigned *ret_waiting);
int64_t spoa_status_uptime_s(const struct spoa_daemon *daemon);

/* Is nothing missing that /readyz would name? */
bool spoa_status_is_ready(const struct spoa_daemon *daemon);

#endif
