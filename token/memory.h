/*
 * Did jansson or OpenSSL run out of memory? Neither says so reliably: jansson
 * drops bytes of a text and goes on, OpenSSL calls a signature invalid. That
 * must not decide over a caller (a valid token is never a 401), so from the
 * start of the process both allocate through functions that remember a
 * failure, per thread.
 */
#ifndef TOKEN_MEMORY_H
#define TOKEN_MEMORY_H

#include <stdbool.h>

/* Forgets earlier failures of this thread. */
void token_memory_watch(void);

/* Has an allocation failed in this thread since token_memory_watch? */
bool token_memory_failed(void);

#endif
