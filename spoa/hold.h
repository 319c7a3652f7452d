/*
 * What a connection holds between two turns of the loop: the start of a frame
 * that is not complete, fragments of a NOTIFY, and answers that the socket did not
 * take. Bounded: a frame's worth of input for each connection, and
 * spop.max_buffered for all of the connections together, of which each worker has its share.
 */
#ifndef SPOA_HOLD_H
#define SPOA_HOLD_H

#include "spoa/conn.h"

/* What all connections of this worker may hold: its share of spop.max_buffered. */
size_t spoa_hold_limit(const struct spoa_worker *worker);

/*
 * Keeps the rest of the input, which may be empty; it replaces what was kept
 * before. The buffer stays for the next time. 0; -ENOBUFS: the worker's share
 * is used up and the connection has to go; -ENOMEM.
 */
int spoa_hold_input(struct spoa_conn *conn, const struct rd *rest) must_check;

/* Keeps n more bytes behind those kept already. The same results. */
int spoa_hold_output(struct spoa_conn *conn, const unsigned char *p, size_t n) must_check;

/* All that was kept has been sent. The room goes back at once: many peers may need it in turn. */
void spoa_hold_release_output(struct spoa_conn *conn);

/*
 * Keeps n more bytes of a NOTIFY behind those that are there. 0; -ENOBUFS or
 * -ENOMEM: what was kept stays, and the connection may go on without more.
 */
int spoa_hold_message(struct spoa_conn *conn, struct span more) must_check;
void spoa_hold_release_message(struct spoa_conn *conn);

/* The connection ends. */
void spoa_hold_done(struct spoa_conn *conn);

#endif
