/*
 * What other threads have for the main one: workers what they need, the net
 * thread its answers. Who calls from there is in spoa/daemon.h.
 */
#ifndef SPOA_NEEDS_H
#define SPOA_NEEDS_H

#include <ev.h>

/* Callbacks of the main loop; data is the struct spoa_daemon. */
void spoa_needs_on_net(struct ev_loop *loop, ev_async *wake, int events);
void spoa_needs_on_worker(struct ev_loop *loop, ev_async *wake, int events);

#endif
