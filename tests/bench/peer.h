/* The load generator's connection: blocking until the HELLOs are exchanged, then not. */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stdbool.h>

/* A path is a unix socket; anything else is ADDRESS:PORT. Ends the program when nobody answers. */
int bench_connect(const char *where);

/* A listening socket at such an address. */
int bench_listen(const char *where);

/* Says HELLO with pipelining and reads the answer. */
void bench_hello(int fd);

void bench_nonblocking(int fd);

#endif
