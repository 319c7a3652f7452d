/*
 * The daemon's status document as a person reads it. Fields that are missing
 * or of a wrong type are shown as "-": the daemon may be older or newer.
 */
#ifndef CTL_STATUS_RENDER_H
#define CTL_STATUS_RENDER_H

#include "base/mem.h"

#include <jansson.h>
#include <stdio.h>

/*
 * What is wrong, one loud line each ("!! NOT ENFORCED: ..."): not ready, the
 * kernel not enforcing, a provider without keys, a reload that failed. Printed
 * unless to is NULL. Returns how many.
 */
size_t ctl_status_complaints(const json_t *status, FILE *to);

/* Everything, complaints first after the head line. Returns how many complaints. */
size_t ctl_status_render(const json_t *status, FILE *to);

/* Tables of {"providers": [...]} and {"identities": [...]}. */
void ctl_status_providers(const json_t *object, FILE *to);
void ctl_status_identities(const json_t *object, FILE *to);

#endif
