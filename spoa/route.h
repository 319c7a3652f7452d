/*
 * Where callers go whose role names no backend: rules that select on labels.
 */
#ifndef SPOA_ROUTE_H
#define SPOA_ROUTE_H

#include "base/diag.h"
#include "conf/conf.h"

/* The route of the first rule whose labels are all among these canonical ones, or NULL. */
const char *spoa_route_find(const struct conf *conf, const char *labels);

/* Complains about labels that nothing can carry. */
void spoa_route_check(const struct conf *conf, struct base_diag *diag);

#endif
