#include "spoa/daemon.h"

#include "spoa/handover.h"
#include "spoa/log.h"
#include "spoa/needs.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define WATCH_SECONDS 1.

size_t spoa_daemon_metrics(
	struct spoa_daemon *daemon, struct spoa_metrics *sets[SPOA_WORKERS_MAX + 1])
{
	sets[0] = &daemon->metrics;
	for (unsigned i = 0; i < daemon->n_workers; i++)
		sets[1 + i] = &daemon->workers[i]->metrics;
	return 1 + daemon->n_workers;
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

unsigned spoa_daemon_connections(const struct spoa_daemon *daemon)
{
	unsigned n = 0;

	for (unsigned i = 0; i < daemon->n_workers; i++)
		n += atomic_load_explicit(&daemon->workers[i]->n_conns, memory_order_relaxed);
	return n;
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
	ev_async_init(&daemon->on_net, spoa_needs_on_net);
	ev_async_init(&daemon->on_worker, spoa_needs_on_worker);
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
