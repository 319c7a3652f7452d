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

/* "ok": the process is alive and its main loop turns. */
spoa_http_handler spoa_status_health;
/* Of the struct spoa_daemon: ready or what is missing (503); everything; for Prometheus. */
spoa_http_handler spoa_status_ready;
spoa_http_handler spoa_status_whole;
spoa_http_handler spoa_status_metrics;

/* [{"id", "provenance", "role", "labels"}], a new reference. */
json_t *spoa_status_identities(const struct spoa_daemon *daemon) must_check;

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
