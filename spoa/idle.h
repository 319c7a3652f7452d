/* Lets connections go that have been silent for spop.idle_timeout, when there is one. */
#ifndef SPOA_IDLE_H
#define SPOA_IDLE_H

#include "spoa/conn.h"

void spoa_idle_init(struct spoa_conn *conn);
void spoa_idle_done(struct spoa_conn *conn);

/* The peer has sent something at that time (CLOCK_MONOTONIC, ns). */
void spoa_idle_heard(struct spoa_conn *conn, uint64_t now_ns);

#endif
