/*
 * What the admin interface says: status, readiness, metrics.
 */
#ifndef SPOA_STATUS_H
#define SPOA_STATUS_H

#include "spoa/admin.h"

/* Routes whose argument is the struct spoa_daemon. */
extern const struct spoa_admin_route spoa_status_routes[];
extern const size_t spoa_status_n_routes;

#endif
