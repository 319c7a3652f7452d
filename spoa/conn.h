/*
 * One SPOP connection: a socket around a session. Reads once per turn of the
 * loop, answers every complete frame, writes once.
 */
#ifndef SPOA_CONN_H
#define SPOA_CONN_H

#include "spoa/session.h"
#include "spoa/stream.h"
#include "spoa/worker.h"

struct spoa_conn {
	TAILQ_ENTRY(spoa_conn) link;
	TAILQ_ENTRY(spoa_conn) in_again; /* while is_again */
	struct spoa_worker *worker;
	struct spoa_session session;
	struct spoa_stream stream;
	ev_io readable, writable;
	/* Until HELLO, while a frame is incomplete or an answer unread, until a refusal is sent. */
	ev_timer patience;
	ev_timer idle;  /* spoa/idle.h */
	uint64_t heard; /* CLOCK_MONOTONIC, ns */
	bool is_tcp;    /* not from this machine, perhaps: its times cannot be compared with ours */
	bool refusing;  /* the DISCONNECT that answers its HELLO waits for patience */
	bool may_bind;  /* write maps: vouched for by the kernel, or by a certificate */
	bool cannot_mark; /* the peer would send packets without the marks that it is given */
	bool broken;      /* a write failed: nothing more can be said */
	bool leaving;     /* asked to go as soon as nothing is owed */
	bool is_behind;   /* in_held has whole frames that were not looked at */
	bool is_again;    /* its turn ended before its work; see spoa/turn.h */
	char peer[80];
	enum spoa_counter closed_as; /* which counter its end belongs to */

	unsigned char *in_held; /* the start of a frame that is not complete */
	size_t in_len, in_size;
	unsigned char *out_held; /* answers that the socket did not take yet */
	size_t out_len, out_size;
	unsigned char *message; /* fragments of a NOTIFY that is not complete */
	size_t message_len, message_size;
	enum base_reason message_trouble; /* OK, or why it will be refused */
	size_t charged;                   /* of these bytes, what is part of the worker's held */
	struct spoa_parked_list parked;   /* this connection's share of the worker's */
};

/* Takes over newcomer->fd in every case. 0 or -ENOMEM. */
int spoa_conn_new(struct spoa_worker *worker, const struct spoa_newcomer *newcomer) must_check;

/*
 * Sends frames made outside a read: answers of parked NOTIFYs, a DISCONNECT.
 * A connection that ends by it is dropped in the next turn of the loop, not
 * under the caller's feet.
 */
void spoa_conn_send(struct spoa_conn *conn, const struct wr *out);

/*
 * Lets the peer go as soon as nothing is owed to it; dropped in a later turn
 * of the loop. false: it was asked to leave before.
 */
bool spoa_conn_leave(struct spoa_conn *conn);

/* Another turn, for a connection whose last one ended before its work. */
void spoa_conn_continue(struct spoa_conn *conn);

/* Ends it, whatever stage it is in. */
void spoa_conn_drop(struct spoa_conn *conn);

#endif
