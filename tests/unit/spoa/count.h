/* Counts what the tested code, jansson and OpenSSL allocate; linked with --wrap. */
#ifndef TESTS_SPOA_COUNT_H
#define TESTS_SPOA_COUNT_H

#include <stddef.h>

/* Calls of malloc, calloc and realloc by this thread so far. */
size_t count_allocations(void);

#endif
