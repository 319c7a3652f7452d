/* What the kernel does, for the status. Nothing while nothing is enforced. */
#ifndef SPOA_KERNEL_STATUS_H
#define SPOA_KERNEL_STATUS_H

#include "spoa/kernel.h"

#include <jansson.h>

/* Adds members to the status' object bpf. */
void spoa_kernel_status(const struct spoa_kernel *kernel, json_t *object);

#endif
