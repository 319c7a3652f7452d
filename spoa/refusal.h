/*
 * HAProxy up to 3.0 whose HELLO is refused connects again at once, thousands
 * of times a second, until its timeout processing. So the refusal is sent
 * late. Nothing is read meanwhile, a frame of some 70 bytes is kept, and only
 * one in four of the connections that may be open at all may wait like this;
 * beyond that, refusals are sent at once.
 */
#ifndef SPOA_REFUSAL_H
#define SPOA_REFUSAL_H

#include "spoa/conn.h"

/* May one more refusal of this worker be late? */
bool spoa_refusal_may_wait(const struct spoa_worker *worker);

/* Keeps what is in out, and sends it later. 0, or a result of spoa_hold_output. */
int spoa_refusal_send_late(struct spoa_conn *conn, const struct wr *out) must_check;

#endif
