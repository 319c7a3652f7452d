/* New connections: taken on, counted, handed to the worker with the fewest. */

#include "spoa/daemon.h"

#include "spoa/log.h"

#include <errno.h>
#include <string.h>

/* With no descriptor left, accepting again at once would only spin. */
#define PAUSE_SECONDS 0.1
/* A worker with a full mailbox is busy, and done with it soon. */
#define BUSY_SECONDS 0.001

static struct spoa_worker *least_loaded(const struct spoa_daemon *daemon)
{
	struct spoa_worker *best = daemon->workers[0];

	for (unsigned i = 1; i < daemon->n_workers; i++)
		if (daemon->workers[i]->n_conns < best->n_conns)
			best = daemon->workers[i];
	return best;
}

void spoa_accept_stop(struct spoa_daemon *daemon)
{
	for (size_t i = 0; i < daemon->n_listeners; i++)
		ev_io_stop(daemon->loop, &daemon->listeners[i].acceptable);
	ev_timer_stop(daemon->loop, &daemon->accept_timer);
}

static void listen_again(struct spoa_daemon *daemon)
{
	for (size_t i = 0; i < daemon->n_listeners; i++)
		ev_io_start(daemon->loop, &daemon->listeners[i].acceptable);
}

static void on_accept_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	listen_again(timer->data);
}

static void pause_accepting(struct spoa_daemon *daemon, double seconds)
{
	spoa_accept_stop(daemon);
	ev_timer_init(&daemon->accept_timer, on_accept_again, seconds, 0.);
	daemon->accept_timer.data = daemon;
	ev_timer_start(daemon->loop, &daemon->accept_timer);
}

/* At most one line a second of each: whoever connects decides how often this happens. */
static bool may_say(struct spoa_log_limit *limit, uint64_t *ret_lost)
{
	struct base_now now;

	base_clock_now(&now);
	return spoa_log_allowed(limit, 1, now.mono_ns, ret_lost);
}

static void say_failed(struct spoa_daemon *daemon, int error)
{
	uint64_t lost;

	if (may_say(&daemon->accept_lines, &lost))
		spoa_log(BASE_LOG_ERROR, "accept_failed", "why", strerror(error));
}

static void say_refused(struct spoa_daemon *daemon, const struct spoa_listen *from,
	const struct spoa_newcomer *newcomer, const char *why)
{
	struct base_log log;
	uint64_t lost;

	if (!may_say(&daemon->refuse_lines, &lost) ||
		!spoa_log_open(&log, BASE_LOG_ERROR, "connection_refused"))
		return;
	base_log_str(&log, "peer", newcomer->peer);
	base_log_str(&log, "address", from->name);
	base_log_str(&log, "why", why);
	if (lost)
		base_log_int(&log, "suppressed", (int64_t)lost);
	spoa_log_close(&log);
}

/*
 * A port lets in whoever can reach it, so TCP may take only half of what there
 * is, as long as there is a unix socket to keep the rest for.
 */
static bool is_full(const struct spoa_daemon *daemon, const struct spoa_listen *from)
{
	unsigned limit = daemon->max_connections;
	bool has_unix = false;
	unsigned n_tcp = 0;

	if (spoa_daemon_connections(daemon) >= limit)
		return true;
	for (size_t i = 0; i < daemon->n_listeners; i++)
		has_unix |= daemon->listeners[i].is_unix;
	for (unsigned i = 0; i < daemon->n_workers; i++)
		n_tcp += atomic_load_explicit(&daemon->workers[i]->n_tcp, memory_order_relaxed);
	return !from->is_unix && has_unix && n_tcp >= (limit + 1) / 2;
}

/* Is this one to be served? Somebody who may not connect, or for whom there is no room, is not. */
static bool take(struct spoa_daemon *daemon, const struct spoa_listen *from, int rc,
	const struct spoa_newcomer *newcomer)
{
	if (rc == -EACCES) {
		spoa_metrics_add(&daemon->metrics, SPOA_COUNT_CONNECTIONS_NOT_ALLOWED, 1);
		say_refused(daemon, from, newcomer, "the listener does not allow this peer");
		return false;
	}
	if (rc || !is_full(daemon, from))
		return rc == 0;
	close(newcomer->fd);
	spoa_metrics_add(&daemon->metrics, SPOA_COUNT_CONNECTIONS_REFUSED, 1);
	say_refused(
		daemon, from, newcomer, "spop.max_connections are open, or half of them by TCP");
	return false;
}

bool spoa_daemon_marks(const struct spoa_daemon *daemon)
{
	const struct spoa_identities *all = daemon->snapshot ? daemon->snapshot->identities : NULL;
	struct ident_markable ignored;

	if (spoa_etcd_is_on(daemon->config->conf))
		return true;
	for (size_t i = 0; all && i < all->n_slots; i++)
		if (all->slots[i] && ident_number_markable(all->slots[i]->number, &ignored))
			return true;
	return false;
}

/* A HAProxy that cannot set marks is given none, and is named once while there are some to set. */
static void look_at(struct spoa_daemon *daemon, struct spoa_newcomer *newcomer)
{
	struct spoa_haproxy *haproxy;
	struct base_log log;
	struct base_now now;

	base_clock_now(&now);
	haproxy = spoa_haproxies_meet(&daemon->haproxies, newcomer->pid, newcomer->uid, &now);
	newcomer->cannot_mark = haproxy && haproxy->can_mark == SPOA_CAN_MARK_NO;
	if (!newcomer->cannot_mark || haproxy->said || !spoa_daemon_marks(daemon))
		return;
	haproxy->said = true;
	if (!spoa_log_open(&log, BASE_LOG_ERROR, "haproxy_cannot_mark"))
		return;
	base_log_str(&log, "peer", newcomer->peer);
	base_log_str(&log, "why", "the process has no CAP_NET_ADMIN; it gets no marks");
	spoa_log_close(&log);
}

static void on_acceptable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct spoa_daemon *daemon = ev_userdata(loop);
	const struct spoa_listen *listener = watcher->data;
	struct spoa_worker *worker = least_loaded(daemon);
	struct spoa_newcomer newcomer;
	int rc;

	(void)events;
	if (!spoa_worker_has_room(worker)) {
		pause_accepting(daemon, BUSY_SECONDS);
		return;
	}
	rc = spoa_newcomer_accept(listener, &daemon->config->access[listener->index], &newcomer);
	if (rc == -EMFILE || rc == -ENFILE || rc == -ENOBUFS || rc == -ENOMEM) {
		say_failed(daemon, -rc);
		pause_accepting(daemon, PAUSE_SECONDS);
	}
	if (!take(daemon, listener, rc, &newcomer))
		return;
	if (!newcomer.is_tcp)
		look_at(daemon, &newcomer);
	spoa_worker_give(worker, &newcomer);
}

void spoa_accept_start(struct spoa_daemon *daemon)
{
	ev_timer_init(&daemon->accept_timer, on_accept_again, 0., 0.);
	for (size_t i = 0; i < daemon->n_listeners; i++) {
		struct spoa_listen *listener = &daemon->listeners[i];

		ev_io_init(&listener->acceptable, on_acceptable, listener->fd, EV_READ);
		listener->acceptable.data = listener;
	}
	listen_again(daemon);
}
