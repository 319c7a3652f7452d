/*
 * What the admin interface says: status, readiness, metrics.
 */
#ifndef SPOA_STATUS_H
#define SPOA_STATUS_H

#include "spoa/admin.h"

#include <jansson.h>

/* Routes whose argument is the struct spoa_daemon. */
extern const struct spoa_admin_route spoa_status_routes[];
extern const size_t spoa_status_n_routes;

/*
 * A text that may hold or be cut to what is no UTF-8, with '?' for each such
 * byte; null for an empty one. A new reference.
 */
json_t *spoa_status_text(const char *text) must_check;

#endif
