/*
 * The payload of NOTIFY: a list of messages, each with named, typed arguments
 * (SPOE.txt 3.2.6). Walked in place, nothing is copied:
 *
 *	struct spop_message msg;
 *	struct rd r = rd_span(frame.payload);
 *	while ((rc = spop_message_next(&r, &msg)) > 0)
 *		while ((rc = spop_arg_next(&r, &msg, &arg)) > 0)
 *			...
 */
#ifndef SPOP_NOTIFY_H
#define SPOP_NOTIFY_H

#include "base/mem.h"
#include "spop/data.h"

struct spop_message {
	struct span name; /* borrowed */
	uint8_t n_args;   /* as announced */
	uint8_t n_read;   /* so far */
};

struct spop_arg {
	struct span name; /* borrowed; may be empty */
	struct spop_data value;
};

/*
 * 1 and the next message; 0 at the end of the payload; -EBADMSG. Arguments of
 * the previous message must all have been read.
 */
int spop_message_next(struct rd *r, struct spop_message *ret_msg) must_check;

/* 1 and the next argument; 0 when the message has no more; -EBADMSG. */
int spop_arg_next(struct rd *r, struct spop_message *msg, struct spop_arg *ret_arg) must_check;

/* HAProxy's side, for the load generator and tests. */
void spop_message_encode(struct wr *w, struct span name, uint8_t n_args);
void spop_arg_encode(struct wr *w, struct span name, const struct spop_data *value);

#endif
