#include "spoa/needs.h"

#include "spoa/daemon.h"

#include <string.h>

void spoa_needs_on_net(struct ev_loop *loop, ev_async *wake, int events)
{
	struct spoa_daemon *daemon = wake->data;
	struct net_answer *answer;
	bool etcd = false;

	(void)loop;
	(void)events;
	while ((answer = net_take(daemon->net))) {
		if (spoa_etcd_answer(daemon->etcd, answer)) {
			net_answer_free(answer);
			etcd = true;
		} else if (spoa_introspect_answer(daemon->introspect, answer))
			net_answer_free(answer);
		else
			spoa_keys_answer(daemon->keys, answer);
	}
	if (etcd)
		spoa_etcd_turn(daemon->etcd);
}

void spoa_daemon_retry(void *arg)
{
	struct spoa_daemon *daemon = arg;

	for (unsigned i = 0; i < daemon->n_workers; i++)
		spoa_worker_retry(daemon->workers[i]);
}

void spoa_daemon_wake_for_net(void *arg)
{
	struct spoa_daemon *daemon = arg;

	ev_async_send(daemon->loop, &daemon->on_net);
}

/* Before the masks are set, so that whoever takes these finds a number that is high enough. */
static void raise_to(atomic_uint_fast64_t *number, uint64_t to)
{
	uint64_t seen = atomic_load(number);

	while (seen < to && !atomic_compare_exchange_weak(number, &seen, to))
		;
}

void spoa_daemon_need_keys(void *arg, struct spoa_need need)
{
	struct spoa_daemon *daemon = arg;

	if (*need.kid) {
		pthread_mutex_lock(&daemon->wanted_lock);
		if (daemon->n_wanted < SPOA_WANTED_MAX) {
			daemon->wanted[daemon->n_wanted].unknown = need.unknown;
			daemon->wanted[daemon->n_wanted].doubted = need.doubted;
			daemon->wanted[daemon->n_wanted].snapshot = need.snapshot;
			memcpy(daemon->wanted[daemon->n_wanted++].kid, need.kid, sizeof(need.kid));
		}
		pthread_mutex_unlock(&daemon->wanted_lock);
	}
	if (need.introspect.config)
		spoa_introspect_want(daemon->introspect, need.introspect.config,
			need.introspect.provider, &need.introspect.key, need.introspect.token);
	if (need.identity.labels.n)
		spoa_numbers_want(daemon->numbers, need.identity.labels, need.identity.roles);
	raise_to(&daemon->asked_with, need.snapshot);
	atomic_fetch_or(&daemon->unknown, need.unknown);
	atomic_fetch_or(&daemon->doubted, need.doubted);
	ev_async_send(daemon->loop, &daemon->on_worker);
}

void spoa_daemon_worker_changed(void *arg)
{
	struct spoa_daemon *daemon = arg;

	ev_async_send(daemon->loop, &daemon->on_worker);
}

/* The next need that is about one key id; false: there is none. */
static bool take_wanted(struct spoa_daemon *daemon, struct spoa_need *ret_need)
{
	bool found;

	pthread_mutex_lock(&daemon->wanted_lock);
	found = daemon->n_wanted > 0;
	if (found) {
		daemon->n_wanted--;
		ret_need->unknown = daemon->wanted[daemon->n_wanted].unknown;
		ret_need->doubted = daemon->wanted[daemon->n_wanted].doubted;
		ret_need->snapshot = daemon->wanted[daemon->n_wanted].snapshot;
		memcpy(ret_need->kid, daemon->wanted[daemon->n_wanted].kid, sizeof(ret_need->kid));
	}
	pthread_mutex_unlock(&daemon->wanted_lock);
	return found;
}

/*
 * Was it found out with older keys than there are by now? The worker decides
 * again with every snapshot, and asks again if it still has to.
 */
static bool is_late(const struct spoa_daemon *daemon, uint64_t snapshot)
{
	return snapshot < daemon->published || spoa_keys_pending(daemon->keys);
}

void spoa_needs_on_worker(struct ev_loop *loop, ev_async *wake, int events)
{
	struct spoa_daemon *daemon = wake->data;
	uint64_t unknown = atomic_exchange(&daemon->unknown, 0);
	uint64_t doubted = atomic_exchange(&daemon->doubted, 0);
	struct spoa_need need;

	(void)events;
	if ((unknown | doubted) && !is_late(daemon, atomic_load(&daemon->asked_with)))
		spoa_keys_need(daemon->keys, unknown, doubted, "");
	while (take_wanted(daemon, &need))
		if (!is_late(daemon, need.snapshot))
			spoa_keys_need(daemon->keys, need.unknown, need.doubted, need.kid);
	spoa_introspect_send(daemon->introspect);
	spoa_numbers_send(daemon->numbers);
	if (daemon->draining && spoa_daemon_connections(daemon) == 0)
		ev_break(loop, EVBREAK_ALL);
}
