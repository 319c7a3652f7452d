/* What an operator may do to the kernel's work, over the admin socket. */
#ifndef SPOA_KERNEL_ROUTES_H
#define SPOA_KERNEL_ROUTES_H

#include "spoa/http.h"

/* {"identity": N} or {"client": "ADDRESS", "port": P}: ends those connections. */
spoa_http_handler spoa_kernel_route_kill;

/* {"seconds": N, "why": TEXT}: the programs only audit for so long; 0 mends the glass. */
spoa_http_handler spoa_kernel_route_break_glass;

#define SPOA_KERNEL_BODY 1024

#endif
