/*
 * A worker: one thread, one event loop, the connections it was given. A
 * connection stays on its worker, so nothing of it needs a lock.
 */
#ifndef SPOA_WORKER_H
#define SPOA_WORKER_H

#include "base/mem.h"
#include "spoa/audit.h"
#include "spoa/decide.h"
#include "spoa/log.h"
#include "spoa/metrics.h"
#include "spoa/newcomer.h"
#include "spoa/snapshot.h"

#include <ev.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>

/*
 * What one turn of the loop reads from a connection: some fifty requests, so
 * that a peer that sends without end does not make the others wait. The
 * buffers have room for more: the start of a frame, or what was held back.
 */
#define SPOA_TURN_BYTES  (60 * 1024)
#define SPOA_READ_BYTES  (128 * 1024)
#define SPOA_WRITE_BYTES (128 * 1024)

/* The worker's way back to the main thread. Called from the worker's thread; must not block. */
struct spoa_worker_owner {
	void (*need_keys)(void *arg, struct spoa_need need);
	void (*changed)(void *arg); /* a connection ended */
	void *arg;
	const struct spoa_audit *audit; /* NULL: none is kept */
	unsigned number;                /* of the worker, from 0: its ring there */
	struct spoa_results *results; /* what providers said about tokens; NULL: nobody is asked */
};

struct spoa_conn;
struct spoa_parked;
TAILQ_HEAD(spoa_conns, spoa_conn);
TAILQ_HEAD(spoa_parked_list, spoa_parked);

#define SPOA_NEWCOMERS 64

struct spoa_worker {
	/* Owned by the worker's thread. */
	struct ev_loop *loop;
	ev_async wake;
	ev_timer park_timer;
	struct spoa_snapshot *snapshot;
	struct spoa_state state;
	struct base_now
		now; /* when this turn of the loop began: its decisions are all of this time */
	struct spoa_conns conns;
	struct spoa_conns again; /* have more work than one turn, see spoa/turn.h */
	size_t n_again;
	ev_idle turn;
	/* spoa/stall.h: CLOCK_MONOTONIC in ns; stale_until is 0 when that has passed. */
	ev_timer beat;
	uint64_t last_beat, stale_until;
	struct spoa_parked_list parked; /* oldest first: one deadline for all, so in order */
	size_t held;                    /* bytes of spoa_hold_limit in use */
	size_t n_parked;
	size_t n_refusing; /* connections whose refusal waits */
	bool draining;
	ev_timer drain_timer; /* lets the next few connections go */
	unsigned drain_step;
	uint64_t n_answers; /* written and not sent yet */
	uint64_t n_decides; /* of these one in so many is timed */
	uint64_t n_allowed; /* of these the audit log has one in so many */
	struct spoa_log_limit decision_lines, close_lines, unfit_lines;
	unsigned char *in;  /* SPOA_READ_BYTES */
	unsigned char *out; /* SPOA_WRITE_BYTES */

	/* Shared. */
	struct spoa_metrics metrics;
	atomic_uint n_conns;
	atomic_uint n_tcp; /* of these, by TCP */
	atomic_uint n_waiting;
	struct spoa_worker_owner owner;
	unsigned n_workers; /* limits of the configuration are shared out over them */
	pthread_t thread;
	bool started;

	/* The mailbox, under its lock. */
	pthread_mutex_t lock;
	struct spoa_snapshot *next_snapshot;
	struct spoa_newcomer newcomers[SPOA_NEWCOMERS];
	size_t n_newcomers;
	bool drain_asked, drain_soon, stop_asked, retry_asked;
};

/* Starts a thread that decides with snapshot (a reference is taken). 0 or -errno. */
int spoa_worker_new(struct spoa_snapshot *snapshot, const struct spoa_worker_owner *owner,
	unsigned n_workers, struct spoa_worker **ret) must_check;

/*
 * From the main thread, which alone gives connections: has_room first, then
 * give, which takes over the descriptor.
 */
bool spoa_worker_has_room(struct spoa_worker *worker) must_check;
void spoa_worker_give(struct spoa_worker *worker, const struct spoa_newcomer *newcomer);
/* Counts a connection in or out; from either thread. */
void spoa_worker_count(struct spoa_worker *worker, bool is_tcp, bool more);
void spoa_worker_publish(struct spoa_worker *worker, struct spoa_snapshot *snapshot);
/* Lets the connections go, a few at a time: over half a second, or soon, within 50 ms. */
void spoa_worker_drain(struct spoa_worker *worker, bool soon);
/* What parked NOTIFYs wait for may be there: they are decided again. */
void spoa_worker_retry(struct spoa_worker *worker);

/* Stops the thread, closing what is still open, and frees it. NULL is fine. */
void spoa_worker_free(struct spoa_worker *worker);

#endif
