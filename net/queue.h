/*
 * Inside net/: what stands between those that ask and the net thread. Requests
 * wait here for the thread, answers for net_take; all of it under the lock.
 */
#ifndef NET_QUEUE_H
#define NET_QUEUE_H

#include "net/transfer.h"

#include <pthread.h>

struct net {
	CURLM *multi;
	void (*wake)(void *arg);
	void *arg;
	pthread_t thread;
	bool running; /* the thread was started */

	pthread_mutex_t lock; /* guards from here on */
	bool stopping;
	size_t n_unanswered; /* submitted and not taken */
	struct net_transfer *waiting;
	struct net_transfer **waiting_end;
	struct net_answer *answers;
	struct net_answer **answers_end;
	size_t n_lines, lines_bytes; /* of them that are lines */
	void *cancelled[NET_REQUESTS_MAX];
	size_t n_cancelled;

	/* The thread's alone; after it ended, net_free's. */
	struct net_transfer *active[NET_ACTIVE_MAX];
	size_t n_active;
};

/* Queues an answer, which is owned from here on, and wakes whoever takes it. */
void net_queue_answer(struct net *net, struct net_answer *answer);

/* May streams go on, or do too many lines wait? */
bool net_queue_has_room(struct net *net);

/* The next that waits, the caller's from here on; NULL: none. */
struct net_transfer *net_queue_pop(struct net *net);
/* Cuts those out of the queue whose time is over; returns them as a list. */
struct net_transfer *net_queue_expired(struct net *net, uint64_t now_ns) must_check;

/* Makes those expire that nobody wants any more, wherever they are. */
void net_queue_take_cancelled(struct net *net);

#endif
