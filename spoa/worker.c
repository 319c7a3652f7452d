#include "spoa/worker.h"

#include "spoa/conn.h"
#include "spoa/notify.h"
#include "spoa/stall.h"
#include "spoa/turn.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void spoa_worker_count(struct spoa_worker *worker, bool is_tcp, bool more)
{
	unsigned by = more ? 1 : (unsigned)-1;

	atomic_fetch_add_explicit(&worker->n_conns, by, memory_order_relaxed);
	if (is_tcp)
		atomic_fetch_add_explicit(&worker->n_tcp, by, memory_order_relaxed);
}

static void take_retry(struct spoa_worker *worker)
{
	bool retry;

	pthread_mutex_lock(&worker->lock);
	retry = worker->retry_asked;
	worker->retry_asked = false;
	pthread_mutex_unlock(&worker->lock);
	if (retry)
		spoa_notify_retry(worker);
}

static void take_newcomers(struct spoa_worker *worker)
{
	struct spoa_newcomer newcomers[SPOA_NEWCOMERS];
	size_t n;

	pthread_mutex_lock(&worker->lock);
	n = worker->n_newcomers;
	memcpy(newcomers, worker->newcomers, n * sizeof(newcomers[0]));
	worker->n_newcomers = 0;
	pthread_mutex_unlock(&worker->lock);
	for (size_t i = 0; i < n; i++) {
		if (spoa_conn_new(worker, &newcomers[i])) {
			spoa_log(BASE_LOG_ERROR, "no_memory", "for", "connection");
			spoa_worker_count(worker, newcomers[i].is_tcp, false);
			worker->owner.changed(worker->owner.arg);
		}
	}
}

static void take_snapshot(struct spoa_worker *worker)
{
	struct spoa_snapshot *next;

	pthread_mutex_lock(&worker->lock);
	next = TAKE_PTR(worker->next_snapshot);
	pthread_mutex_unlock(&worker->lock);
	if (!next)
		return;
	spoa_snapshot_unref(worker->snapshot);
	worker->snapshot = next;
	spoa_notify_retry(worker);
}

/*
 * A drain lets connections go a few at a time, over about half a second: a
 * request that meets one that just went is asked again, and must not find all
 * the others gone as well. Where a service manager keeps the sockets open and
 * starts us anew as soon as we are gone, being gone soon counts for more; but
 * all at the same moment they would be too many for HAProxy 2.6, which sends a
 * request on one dead connection after the other (seven were seen).
 */
#define DRAIN_STEPS        25
#define DRAIN_SECONDS      0.02
#define DRAIN_SOON_SECONDS 0.002

static void on_drain(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct spoa_worker *worker = timer->data;
	unsigned left = worker->drain_step;
	struct spoa_conn *conn, *next;

	(void)events;
	for (conn = TAILQ_FIRST(&worker->conns); conn && left; conn = next) {
		next = TAILQ_NEXT(conn, link);
		left -= spoa_conn_leave(conn);
	}
	if (left)
		ev_timer_stop(loop, timer);
}

static void start_drain(struct spoa_worker *worker, bool soon)
{
	unsigned n = atomic_load_explicit(&worker->n_conns, memory_order_relaxed);

	worker->draining = true;
	worker->drain_step = 1 + n / DRAIN_STEPS;
	if (ev_is_active(&worker->drain_timer))
		return;
	ev_timer_set(&worker->drain_timer, 0., soon ? DRAIN_SOON_SECONDS : DRAIN_SECONDS);
	ev_timer_start(worker->loop, &worker->drain_timer);
}

static void take_orders(struct spoa_worker *worker)
{
	bool drain, soon, stop;

	pthread_mutex_lock(&worker->lock);
	drain = worker->drain_asked;
	soon = worker->drain_soon;
	stop = worker->stop_asked;
	pthread_mutex_unlock(&worker->lock);
	if (stop)
		ev_break(worker->loop, EVBREAK_ALL);
	if (drain)
		start_drain(worker, soon);
}

static void on_wake(struct ev_loop *loop, ev_async *wake, int events)
{
	struct spoa_worker *worker = wake->data;

	(void)loop;
	(void)events;
	take_snapshot(worker);
	take_retry(worker);
	take_newcomers(worker);
	take_orders(worker);
}

static void *run(void *arg)
{
	struct spoa_worker *worker = arg;
	struct spoa_conn *conn;

	ev_run(worker->loop, 0);
	while ((conn = TAILQ_FIRST(&worker->conns)))
		spoa_conn_drop(conn);
	return NULL;
}

static void destroy(struct spoa_worker *worker)
{
	for (size_t i = 0; i < worker->n_newcomers; i++)
		close(worker->newcomers[i].fd);
	spoa_snapshot_unref(worker->next_snapshot);
	spoa_snapshot_unref(worker->snapshot);
	spoa_state_done(&worker->state);
	if (worker->loop)
		ev_loop_destroy(worker->loop);
	pthread_mutex_destroy(&worker->lock);
	free(worker->in);
	free(worker->out);
	free(worker);
}

/* Each worker has its own share: nothing is shared, so nothing is locked. */
static size_t cache_bytes(const struct spoa_snapshot *snapshot, unsigned n_workers)
{
	return (size_t)snapshot->config->conf->cache.tokens / n_workers;
}

int spoa_worker_new(struct spoa_snapshot *snapshot, const struct spoa_worker_owner *owner,
	unsigned n_workers, struct spoa_worker **ret)
{
	struct spoa_worker *worker = calloc(1, sizeof(*worker));
	int rc;

	if (!worker)
		return -ENOMEM;
	pthread_mutex_init(&worker->lock, NULL);
	worker->owner = *owner;
	worker->n_workers = n_workers;
	worker->snapshot = spoa_snapshot_ref(snapshot);
	TAILQ_INIT(&worker->conns);
	TAILQ_INIT(&worker->parked);
	spoa_turn_init(worker);
	spoa_stall_init(worker);
	worker->in = malloc(SPOA_READ_BYTES);
	worker->out = malloc(SPOA_WRITE_BYTES);
	worker->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	if (!worker->in || !worker->out || !worker->loop ||
		spoa_state_init(&worker->state, cache_bytes(snapshot, n_workers))) {
		destroy(worker);
		return -ENOMEM;
	}
	worker->state.results = owner->results;
	ev_async_init(&worker->wake, on_wake);
	worker->wake.data = worker;
	ev_async_start(worker->loop, &worker->wake);
	ev_timer_init(&worker->park_timer, spoa_notify_on_deadline, 0., 0.);
	ev_timer_init(&worker->drain_timer, on_drain, 0., DRAIN_SECONDS);
	worker->park_timer.data = worker->drain_timer.data = worker;
	rc = -pthread_create(&worker->thread, NULL, run, worker);
	if (rc) {
		destroy(worker);
		return rc;
	}
	worker->started = true;
	*ret = worker;
	return 0;
}

bool spoa_worker_has_room(struct spoa_worker *worker)
{
	bool room;

	pthread_mutex_lock(&worker->lock);
	room = worker->n_newcomers < SPOA_NEWCOMERS;
	pthread_mutex_unlock(&worker->lock);
	return room;
}

void spoa_worker_give(struct spoa_worker *worker, const struct spoa_newcomer *newcomer)
{
	pthread_mutex_lock(&worker->lock);
	assert(worker->n_newcomers < SPOA_NEWCOMERS);
	worker->newcomers[worker->n_newcomers++] = *newcomer;
	pthread_mutex_unlock(&worker->lock);
	spoa_worker_count(worker, newcomer->is_tcp, true);
	ev_async_send(worker->loop, &worker->wake);
}

void spoa_worker_publish(struct spoa_worker *worker, struct spoa_snapshot *snapshot)
{
	struct spoa_snapshot *unseen;

	pthread_mutex_lock(&worker->lock);
	unseen = worker->next_snapshot;
	worker->next_snapshot = spoa_snapshot_ref(snapshot);
	pthread_mutex_unlock(&worker->lock);
	spoa_snapshot_unref(unseen);
	ev_async_send(worker->loop, &worker->wake);
}

void spoa_worker_retry(struct spoa_worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	worker->retry_asked = true;
	pthread_mutex_unlock(&worker->lock);
	ev_async_send(worker->loop, &worker->wake);
}

void spoa_worker_drain(struct spoa_worker *worker, bool soon)
{
	pthread_mutex_lock(&worker->lock);
	worker->drain_asked = true;
	worker->drain_soon = soon;
	pthread_mutex_unlock(&worker->lock);
	ev_async_send(worker->loop, &worker->wake);
}

void spoa_worker_free(struct spoa_worker *worker)
{
	if (!worker)
		return;
	pthread_mutex_lock(&worker->lock);
	worker->stop_asked = true;
	pthread_mutex_unlock(&worker->lock);
	ev_async_send(worker->loop, &worker->wake);
	pthread_join(worker->thread, NULL);
	destroy(worker);
}
