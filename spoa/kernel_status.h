/* What the kernel does, for status and metrics. Nothing while nothing is enforced. */
#ifndef SPOA_KERNEL_STATUS_H
#define SPOA_KERNEL_STATUS_H

#include "spoa/kernel.h"

#include <jansson.h>
#include <stdio.h>

/* Adds members to the status' object bpf. */
void spoa_kernel_status(const struct spoa_kernel *kernel, json_t *object);

/* Prometheus text format 0.0.4; identities that no role has are one series, "other". */
void spoa_kernel_metrics(const struct spoa_kernel *kernel, FILE *to);

#endif
