#include "spoa/daemon.h"

#include "spoa/handover.h"
#include "spoa/log.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WATCH_SECONDS 1.

size_t spoa_daemon_metrics(
	struct spoa_daemon *daemon, struct spoa_metrics *sets[SPOA_WORKERS_MAX + 1])
{
	sets[0] = &daemon->metrics;
	for (unsigned i = 0; i < daemon->n_workers; i++)
		sets[1 + i] = &daemon->workers[i]->metrics;
	return 1 + daemon->n_workers;
}

int spoa_daemon_publish(struct spoa_daemon *daemon)
{
	struct spoa_snapshot *snapshot =
		spoa_snapshot_new(daemon->config, daemon->watch.enforcement, daemon->watch.maps);

	daemon->unpublished = !snapshot;
	if (!snapshot)
		return -ENOMEM;
	if (spoa_keys_fill(daemon->keys, snapshot)) {
		spoa_snapshot_unref(snapshot);
		daemon->unpublished = true;
		return -ENOMEM;
	}
	spoa_identities_unref(snapshot->identities);
	snapshot->identities = spoa_identities_ref(spoa_numbers_table(daemon->numbers));
	snapshot->policies = spoa_policies_ref(daemon->policies);
	snapshot->workloads = spoa_workload_watch_now(daemon->workloads);
	snapshot->observe |= daemon->observe_until != 0;
	snapshot->guard = daemon->guard;
	snapshot->signers = spoa_signers_ref(spoa_keyring_signers(daemon->keyring));
	snapshot->revocations = token_revocations_ref(spoa_revoke_list(daemon->revoke));
	snapshot->number = ++daemon->published;
	for (unsigned i = 0; i < daemon->n_workers; i++)
		spoa_worker_publish(daemon->workers[i], snapshot);
	spoa_snapshot_unref(daemon->snapshot);
	daemon->snapshot = snapshot;
	return 0;
}

void spoa_daemon_changed(void *arg)
{
	if (spoa_daemon_publish(arg))
		spoa_log(BASE_LOG_ERROR, "no_memory", "for", "snapshot");
}

void spoa_daemon_log_enforcement(const struct spoa_watch *watch)
{
	bool on = watch->enforcement == SPOA_ENFORCEMENT_ON;
	struct base_log log;

	if (!spoa_log_open(&log, on ? BASE_LOG_INFO : BASE_LOG_WARNING, "enforcement"))
		return;
	base_log_str(&log, "state", spoa_enforcement_name(watch->enforcement));
	if (watch->enforcement == SPOA_ENFORCEMENT_NONE)
		base_log_str(&log, "meaning",
			"NOTHING IS ENFORCED IN THE KERNEL: identities only reach HAProxy");
	if (watch->enforcement == SPOA_ENFORCEMENT_LOST)
		base_log_str(&log, "meaning",
			"what would be allowed is answered 503 until the pins are back");
	if (*watch->why)
		base_log_str(&log, "why", watch->why);
	spoa_log_close(&log);
}

bool spoa_daemon_sign(struct spoa_daemon *daemon)
{
	char why[STORE_WHY] = "";
	struct base_now now;
	bool changed = false;
	int rc;

	base_clock_now(&now);
	rc = spoa_keyring_tick(
		daemon->keyring, daemon->config->conf, base_clock_wall_s(&now), &changed, why);
	if (rc && !daemon->keyring_failed)
		spoa_log(BASE_LOG_ERROR, "assertion_keys_failed", "why", why);
	daemon->keyring_failed = rc != 0;
	if (changed)
		spoa_log(BASE_LOG_INFO, "assertion_keys", NULL, NULL);
	return changed;
}

void spoa_daemon_revoked(void *arg, const struct token_revocation *what)
{
	struct spoa_daemon *daemon = arg;

	spoa_kernel_revoke(&daemon->kernel, what);
}

void spoa_daemon_use_kernel(struct spoa_daemon *daemon)
{
	spoa_kernel_use(&daemon->kernel, daemon->config, daemon->watch.maps, daemon->watch.dir);
	spoa_kernel_policy_use(&daemon->in_kernel, daemon->config, daemon->policies,
		daemon->watch.maps, spoa_kernel_owns(&daemon->kernel));
}

static void on_watch(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct spoa_daemon *daemon = timer->data;
	bool changed = spoa_daemon_sign(daemon) || daemon->unpublished;
	struct base_now now;

	(void)loop;
	(void)events;
	if (daemon->observe_until && base_clock_mono_ns() >= daemon->observe_until)
		spoa_daemon_observe(daemon, 0, "its time is over");
	spoa_daemon_look_at_policies(daemon);
	spoa_handover_again(daemon);
	if (spoa_watch_look(&daemon->watch)) {
		spoa_daemon_log_enforcement(&daemon->watch);
		changed = true;
	}
	if (spoa_workload_watch_look(daemon->workloads))
		changed = true;
	if (changed)
		spoa_daemon_changed(daemon);
	spoa_daemon_use_kernel(daemon);
	base_clock_now(&now);
	spoa_retire_tick(&daemon->retire, base_clock_wall_s(&now));
}

static void on_net(struct ev_loop *loop, ev_async *wake, int events)
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

unsigned spoa_daemon_connections(const struct spoa_daemon *daemon)
{
	unsigned n = 0;

	for (unsigned i = 0; i < daemon->n_workers; i++)
		n += atomic_load_explicit(&daemon->workers[i]->n_conns, memory_order_relaxed);
	return n;
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

static void on_worker(struct ev_loop *loop, ev_async *wake, int events)
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

static void on_drain_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)timer;
	(void)events;
	spoa_log(BASE_LOG_WARNING, "drain_timeout", NULL, NULL);
	ev_break(loop, EVBREAK_ALL);
}

/* All our sockets stay open when we are gone, and nobody serves on them until we are. */
static bool is_awaited(const struct spoa_daemon *daemon)
{
	for (size_t i = 0; i < daemon->n_listeners; i++)
		if (!daemon->listeners[i].kept)
			return false;
	return daemon->n_listeners > 0;
}

static void drain(struct spoa_daemon *daemon, bool soon)
{
	daemon->draining = true;
	spoa_log(BASE_LOG_INFO, "draining", NULL, NULL);
	spoa_service_stopping(&daemon->service);
	spoa_accept_stop(daemon);
	spoa_handover_stop(daemon);
	for (size_t i = 0; i < daemon->n_listeners; i++)
		spoa_listen_close(&daemon->listeners[i]);
	for (unsigned i = 0; i < daemon->n_workers; i++)
		spoa_worker_drain(daemon->workers[i], soon);
	ev_timer_set(
		&daemon->drain_timer, (double)daemon->config->conf->spop.drain_timeout / 1000., 0.);
	ev_timer_start(daemon->loop, &daemon->drain_timer);
	spoa_daemon_worker_changed(daemon);
}

void spoa_daemon_stop(struct spoa_daemon *daemon)
{
	if (!daemon->draining)
		drain(daemon, is_awaited(daemon));
}

void spoa_daemon_observe(struct spoa_daemon *daemon, uint64_t for_ns, const char *why)
{
	struct base_log log;

	daemon->observe_until = for_ns ? base_clock_mono_ns() + for_ns : 0;
	spoa_kernel_observe(&daemon->kernel, for_ns != 0);
	spoa_daemon_changed(daemon);
	spoa_audit_note(&daemon->audit, for_ns ? "observe" : "enforce", why);
	if (!spoa_log_open(&log, BASE_LOG_WARNING, "observe"))
		return;
	base_log_str(&log, "state", for_ns ? "every request is allowed" : "over: verdicts hold");
	base_log_int(&log, "seconds", (int64_t)(for_ns / (uint64_t)NS_PER_S));
	base_log_str(&log, "why", why);
	spoa_log_close(&log);
}

static void on_stop(struct ev_loop *loop, ev_signal *signal, int events)
{
	struct spoa_daemon *daemon = signal->data;

	(void)events;
	if (daemon->draining) /* asked twice: at once */
		ev_break(loop, EVBREAK_ALL);
	else
		spoa_daemon_stop(daemon);
}

/* The paths are somebody else's: closing our copies must not unlink them. */
static void forget_paths(struct spoa_daemon *daemon)
{
	for (size_t i = 0; i < daemon->n_listeners; i++)
		daemon->listeners[i].path[0] = '\0';
	daemon->admin_listener.path[0] = daemon->handover_listener.path[0] = '\0';
	daemon->public_listener.path[0] = '\0';
}

void spoa_daemon_replaced(struct spoa_daemon *daemon)
{
	spoa_log(BASE_LOG_INFO, "replaced", NULL, NULL);
	forget_paths(daemon);
	spoa_admin_quiet(daemon->admin);
	spoa_public_quiet(daemon->public);
	drain(daemon, false);
}

void spoa_daemon_hup(struct spoa_daemon *daemon)
{
	if (daemon->audit.log) /* logrotate may have sent it */
		audit_reopen(daemon->audit.log);
	spoa_service_reloading(&daemon->service);
	spoa_daemon_reload(daemon);
	spoa_service_ready(&daemon->service);
}

static void on_hup(struct ev_loop *loop, ev_signal *signal, int events)
{
	(void)loop;
	(void)events;
	spoa_daemon_hup(signal->data);
}

void spoa_daemon_watch(struct spoa_daemon *daemon)
{
	ev_set_userdata(daemon->loop, daemon);
	spoa_kernel_init(&daemon->kernel, daemon->loop, &daemon->metrics, &daemon->audit,
		&daemon->in_kernel);
	ev_async_init(&daemon->on_net, on_net);
	ev_async_init(&daemon->on_worker, on_worker);
	ev_timer_init(&daemon->watch_timer, on_watch, WATCH_SECONDS, WATCH_SECONDS);
	ev_timer_init(&daemon->drain_timer, on_drain_timeout, 0., 0.);
	ev_signal_init(&daemon->on_term, on_stop, SIGTERM);
	ev_signal_init(&daemon->on_int, on_stop, SIGINT);
	ev_signal_init(&daemon->on_hup, on_hup, SIGHUP);
	daemon->on_net.data = daemon->on_worker.data = daemon->watch_timer.data =
		daemon->on_term.data = daemon->on_int.data = daemon->on_hup.data = daemon;
	ev_async_start(daemon->loop, &daemon->on_net);
	ev_async_start(daemon->loop, &daemon->on_worker);
	ev_timer_start(daemon->loop, &daemon->watch_timer);
	ev_signal_start(daemon->loop, &daemon->on_term);
	ev_signal_start(daemon->loop, &daemon->on_int);
	ev_signal_start(daemon->loop, &daemon->on_hup);
}

static void stop(struct spoa_daemon *daemon)
{
	char why[SPOA_LISTEN_WHY];

	for (unsigned i = 0; i < daemon->n_workers; i++)
		spoa_worker_free(daemon->workers[i]);
	daemon->n_workers = 0;
	spoa_audit_stop(&daemon->audit);
	spoa_admin_free(daemon->admin);
	spoa_public_free(daemon->public);
	for (size_t i = 0; i < daemon->n_listeners; i++)
		spoa_listen_close(&daemon->listeners[i]);
	spoa_listen_close(&daemon->admin_listener);
	spoa_listen_close(&daemon->remote_listener);
	spoa_listen_close(&daemon->public_listener);
	spoa_handover_stop(daemon);
	(void)!spoa_inherit_done(&daemon->inherit, why);
	if (daemon->predecessor >= 0)
		close(TAKE_FD(daemon->predecessor));
	spoa_etcd_goodbye(daemon->etcd);
	spoa_etcd_free(daemon->etcd); /* it takes back what it asked the net for */
	net_free(daemon->net);
	spoa_introspect_free(daemon->introspect);
	spoa_keys_free(daemon->keys);
	spoa_snapshot_unref(daemon->snapshot);
	spoa_kernel_done(&daemon->kernel);
	spoa_watch_done(&daemon->watch);
	spoa_workload_watch_free(daemon->workloads);
	spoa_kernel_policy_done(&daemon->in_kernel);
	spoa_numbers_free(daemon->numbers);
	spoa_allocator_etcd_free(daemon->shared);
	spoa_policies_unref(daemon->policies);
	spoa_keyring_free(daemon->keyring);
	spoa_revoke_free(daemon->revoke);
	token_ctx_free(daemon->token);
	spoa_guard_free(daemon->guard);
	spoa_config_unref(daemon->config);
	spoa_slots_done(&daemon->slots);
	store_close(daemon->store);
	spoa_service_done(&daemon->service);
	ev_loop_destroy(daemon->loop);
	free(daemon);
}

static struct conf *load_conf(const char *path)
{
	struct conf *conf = NULL;
	struct base_diag diag;

	base_diag_init(&diag, path);
	if (conf_load(path, &conf, &diag))
		base_diag_print(&diag, stderr);
	base_diag_done(&diag);
	return conf;
}

int spoa_daemon_run(const struct spoa_daemon_options *options)
{
	struct conf *conf = load_conf(options->config_path);
	struct spoa_daemon *daemon;
	int rc;

	if (!conf)
		return 1;
	json_object_seed(0);
	srandom((unsigned)getpid());
	daemon = calloc(1, sizeof(*daemon));
	if (!daemon) {
		conf_free(conf);
		return 1;
	}
	pthread_mutex_init(&daemon->wanted_lock, NULL);
	base_clock_now(&daemon->started);
	daemon->config_path = options->config_path;
	daemon->admin_listener.fd = daemon->remote_listener.fd = daemon->public_listener.fd = -1;
	daemon->handover_listener.fd = daemon->predecessor = daemon->successor = -1;
	daemon->loop = ev_default_loop(EVFLAG_AUTO | EVFLAG_NOENV);
	rc = spoa_daemon_start(daemon, conf, options);
	if (rc == 0) {
		spoa_log(BASE_LOG_INFO, "ready", "version", IDENTITYD_VERSION);
		spoa_service_ready(&daemon->service);
		ev_run(daemon->loop, 0);
		spoa_log(BASE_LOG_INFO, "stopped", NULL, NULL);
	} else if (options->replace) {
		forget_paths(daemon); /* "ready" was not said: the predecessor still serves */
	}
	stop(daemon);
	return rc ? 1 : 0;
}
