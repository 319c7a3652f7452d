#include "spoa/daemon.h"

#include "spoa/log.h"
#include "spoa/status.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WATCH_SECONDS 1.
/* With no descriptor left, accepting again at once would only spin. */
#define ACCEPT_SECONDS 0.1

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

	if (!snapshot)
		return -ENOMEM;
	spoa_keys_fill(daemon->keys, snapshot);
	for (unsigned i = 0; i < daemon->n_workers; i++)
		spoa_worker_publish(daemon->workers[i], snapshot);
	spoa_snapshot_unref(daemon->snapshot);
	daemon->snapshot = snapshot;
	return 0;
}

static void publish_or_say(void *arg)
{
	if (spoa_daemon_publish(arg))
		spoa_log(BASE_LOG_ERROR, "no_memory", "for", "snapshot");
}

static void log_enforcement(const struct spoa_watch *watch)
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
		base_log_str(
			&log, "meaning", "every request is answered 503 until the pins are back");
	if (*watch->why)
		base_log_str(&log, "why", watch->why);
	spoa_log_close(&log);
}

static void on_watch(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct spoa_daemon *daemon = timer->data;

	(void)loop;
	(void)events;
	if (!spoa_watch_look(&daemon->watch))
		return;
	log_enforcement(&daemon->watch);
	publish_or_say(daemon);
}

static void on_net(struct ev_loop *loop, ev_async *wake, int events)
{
	struct spoa_daemon *daemon = wake->data;
	struct net_answer *answer;

	(void)loop;
	(void)events;
	while ((answer = net_take(daemon->net)))
		spoa_keys_answer(daemon->keys, answer);
}

static void wake_for_net(void *arg)
{
	struct spoa_daemon *daemon = arg;

	ev_async_send(daemon->loop, &daemon->on_net);
}

static void need_keys(void *arg, uint64_t providers)
{
	struct spoa_daemon *daemon = arg;

	atomic_fetch_or(&daemon->needed, providers);
	ev_async_send(daemon->loop, &daemon->on_worker);
}

static void worker_changed(void *arg)
{
	struct spoa_daemon *daemon = arg;

	ev_async_send(daemon->loop, &daemon->on_worker);
}

static unsigned n_connections(const struct spoa_daemon *daemon)
{
	unsigned n = 0;

	for (unsigned i = 0; i < daemon->n_workers; i++)
		n += atomic_load_explicit(&daemon->workers[i]->n_conns, memory_order_relaxed);
	return n;
}

static void on_worker(struct ev_loop *loop, ev_async *wake, int events)
{
	struct spoa_daemon *daemon = wake->data;
	uint64_t needed = atomic_exchange(&daemon->needed, 0);

	(void)events;
	if (needed)
		spoa_keys_need(daemon->keys, needed);
	if (daemon->draining && n_connections(daemon) == 0)
		ev_break(loop, EVBREAK_ALL);
}

static struct spoa_worker *least_loaded(const struct spoa_daemon *daemon)
{
	struct spoa_worker *best = daemon->workers[0];

	for (unsigned i = 1; i < daemon->n_workers; i++)
		if (daemon->workers[i]->n_conns < best->n_conns)
			best = daemon->workers[i];
	return best;
}

static void stop_accepting(struct spoa_daemon *daemon)
{
	for (size_t i = 0; i < daemon->n_listeners; i++)
		ev_io_stop(daemon->loop, &daemon->listeners[i].acceptable);
}

static void start_accepting(struct spoa_daemon *daemon)
{
	for (size_t i = 0; i < daemon->n_listeners; i++)
		ev_io_start(daemon->loop, &daemon->listeners[i].acceptable);
}

static void on_accept_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	start_accepting(timer->data);
}

static void pause_accepting(struct spoa_daemon *daemon, int error)
{
	spoa_log(BASE_LOG_ERROR, "accept_failed", "why", strerror(-error));
	stop_accepting(daemon);
	ev_timer_set(&daemon->accept_timer, ACCEPT_SECONDS, 0.);
	ev_timer_start(daemon->loop, &daemon->accept_timer);
}

static void on_acceptable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct spoa_daemon *daemon = ev_userdata(loop);
	const struct spoa_listen *listener = watcher->data;
	struct spoa_newcomer newcomer;
	int rc = spoa_listen_accept(listener, &newcomer);

	(void)events;
	if (rc == -EMFILE || rc == -ENFILE || rc == -ENOBUFS || rc == -ENOMEM)
		pause_accepting(daemon, rc);
	if (rc)
		return;
	if (n_connections(daemon) >= (unsigned)daemon->config->conf->spop.max_connections) {
		close(newcomer.fd);
		spoa_metrics_add(&daemon->metrics, SPOA_COUNT_CONNECTIONS_REFUSED, 1);
		return;
	}
	if (spoa_worker_give(least_loaded(daemon), &newcomer))
		spoa_metrics_add(&daemon->metrics, SPOA_COUNT_CONNECTIONS_REFUSED, 1);
}

static void on_drain_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)timer;
	(void)events;
	spoa_log(BASE_LOG_WARNING, "drain_timeout", NULL, NULL);
	ev_break(loop, EVBREAK_ALL);
}

static void on_stop(struct ev_loop *loop, ev_signal *signal, int events)
{
	struct spoa_daemon *daemon = signal->data;

	(void)events;
	if (daemon->draining) /* asked twice: at once */
		ev_break(loop, EVBREAK_ALL);
	daemon->draining = true;
	spoa_log(BASE_LOG_INFO, "draining", NULL, NULL);
	stop_accepting(daemon);
	ev_timer_stop(loop, &daemon->accept_timer);
	for (size_t i = 0; i < daemon->n_listeners; i++)
		spoa_listen_close(&daemon->listeners[i]);
	for (unsigned i = 0; i < daemon->n_workers; i++)
		spoa_worker_drain(daemon->workers[i]);
	ev_timer_set(
		&daemon->drain_timer, (double)daemon->config->conf->spop.drain_timeout / 1000., 0.);
	ev_timer_start(loop, &daemon->drain_timer);
	worker_changed(daemon);
}

static void on_hup(struct ev_loop *loop, ev_signal *signal, int events)
{
	(void)loop;
	(void)events;
	spoa_daemon_reload(signal->data);
}

static int fail(const char *what, const char *why)
{
	struct base_log log;

	if (spoa_log_open(&log, BASE_LOG_ERROR, "cannot_start")) {
		base_log_str(&log, "what", what);
		base_log_str(&log, "why", why);
		spoa_log_close(&log);
	}
	return -1;
}

static int open_one(struct spoa_daemon *daemon, const struct conf_listen *conf, uid_t uid,
	struct spoa_listen *listener)
{
	char why[SPOA_LISTEN_WHY] = "out of memory";
	int rc = spoa_listen_open(conf, uid, listener, why);

	(void)daemon;
	if (rc)
		return fail("listen", why);
	spoa_log(BASE_LOG_INFO, "listening", "address", listener->name);
	return 0;
}

/* Before privileges go: a socket's owner and group may need them. */
static int open_listeners(
	struct spoa_daemon *daemon, const struct conf *conf, const struct spoa_user *user)
{
	uid_t uid = user ? user->uid : (uid_t)-1;
	const struct conf_listen admin = {
		.unix_path = conf->admin.unix_path,
		.mode = conf->admin.mode,
		.group = conf->admin.group,
	};

	for (size_t i = 0; i < conf->n_listen; i++) {
		if (daemon->n_listeners == SPOA_LISTENERS_MAX)
			return fail("listen", "too many addresses");
		if (open_one(
			    daemon, &conf->listen[i], uid, &daemon->listeners[daemon->n_listeners]))
			return -1;
		daemon->n_listeners++;
	}
	return open_one(daemon, &admin, uid, &daemon->admin_listener);
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

static int make_config(struct spoa_daemon *daemon, struct conf *conf)
{
	struct base_diag diag;
	int rc;

	base_diag_init(&diag, daemon->config_path);
	rc = spoa_config_new(conf, daemon->store, &diag, &daemon->config);
	if (rc)
		base_diag_print(&diag, stderr);
	base_diag_done(&diag);
	return rc;
}

static void init_watchers(struct spoa_daemon *daemon)
{
	ev_set_userdata(daemon->loop, daemon);
	ev_async_init(&daemon->on_net, on_net);
	ev_async_init(&daemon->on_worker, on_worker);
	ev_timer_init(&daemon->watch_timer, on_watch, WATCH_SECONDS, WATCH_SECONDS);
	ev_timer_init(&daemon->drain_timer, on_drain_timeout, 0., 0.);
	ev_timer_init(&daemon->accept_timer, on_accept_again, 0., 0.);
	ev_signal_init(&daemon->on_term, on_stop, SIGTERM);
	ev_signal_init(&daemon->on_int, on_stop, SIGINT);
	ev_signal_init(&daemon->on_hup, on_hup, SIGHUP);
	daemon->on_net.data = daemon->on_worker.data = daemon->watch_timer.data =
		daemon->accept_timer.data = daemon->on_term.data = daemon->on_int.data =
			daemon->on_hup.data = daemon;
	ev_async_start(daemon->loop, &daemon->on_net);
	ev_async_start(daemon->loop, &daemon->on_worker);
	ev_timer_start(daemon->loop, &daemon->watch_timer);
	ev_signal_start(daemon->loop, &daemon->on_term);
	ev_signal_start(daemon->loop, &daemon->on_int);
	ev_signal_start(daemon->loop, &daemon->on_hup);
}

static int start_workers(struct spoa_daemon *daemon)
{
	const struct spoa_worker_owner owner = {need_keys, worker_changed, daemon};
	unsigned n = (unsigned)daemon->config->conf->workers;

	for (unsigned i = 0; i < n; i++) {
		int rc = spoa_worker_new(daemon->snapshot, &owner, n, &daemon->workers[i]);

		if (rc)
			return fail("worker", strerror(-rc));
		daemon->n_workers++;
	}
	return 0;
}

static int start_serving(struct spoa_daemon *daemon)
{
	for (size_t i = 0; i < daemon->n_listeners; i++) {
		struct spoa_listen *listener = &daemon->listeners[i];

		ev_io_init(&listener->acceptable, on_acceptable, listener->fd, EV_READ);
		listener->acceptable.data = listener;
	}
	start_accepting(daemon);
	if (spoa_admin_new(daemon->loop, TAKE_FD(daemon->admin_listener.fd), spoa_status_routes,
		    spoa_status_n_routes, daemon, &daemon->admin))
		return fail("admin", "cannot serve");
	return 0;
}

/* Everything between the configuration and the first request, in the order of what needs what. */
static int start(struct spoa_daemon *daemon, struct conf *conf, const struct spoa_user *user)
{
	cleanup(conf) struct conf *owned = conf;
	char why[STORE_WHY] = "";

	spoa_log_level((enum base_log_level)conf->log.level);
	if (open_listeners(daemon, conf, user))
		return -1;
	if (spoa_privilege_drop(user, why))
		return fail("privileges", why);
	if (spoa_privilege_harden())
		return fail("privileges", strerror(errno));
	if (store_open(conf->store.path, &daemon->store, why))
		return fail("store", why);
	if (make_config(daemon, TAKE_PTR(owned)))
		return fail("configuration", daemon->config_path);
	conf = (struct conf *)daemon->config->conf;
	if (spoa_watch_init(&daemon->watch, conf->bpf.mode, conf->bpf.path))
		return fail("bpf.mode is required", daemon->watch.why);
	log_enforcement(&daemon->watch);
	init_watchers(daemon);
	if (net_new(wake_for_net, daemon, &daemon->net))
		return fail("net", "cannot start the net thread");
	daemon->keys = spoa_keys_new(
		daemon->loop, daemon->net, daemon->store, &daemon->metrics, publish_or_say, daemon);
	if (!daemon->keys || spoa_keys_configure(daemon->keys, daemon->config) ||
		spoa_daemon_publish(daemon))
		return fail("start", "out of memory");
	if (start_workers(daemon) || start_serving(daemon))
		return -1;
	daemon->generation = 1;
	daemon->loaded_at = base_clock_wall_s(&daemon->started);
	return 0;
}

static void stop(struct spoa_daemon *daemon)
{
	for (unsigned i = 0; i < daemon->n_workers; i++)
		spoa_worker_free(daemon->workers[i]);
	spoa_admin_free(daemon->admin);
	for (size_t i = 0; i < daemon->n_listeners; i++)
		spoa_listen_close(&daemon->listeners[i]);
	spoa_listen_close(&daemon->admin_listener);
	net_free(daemon->net);
	spoa_keys_free(daemon->keys);
	spoa_snapshot_unref(daemon->snapshot);
	spoa_watch_done(&daemon->watch);
	spoa_config_unref(daemon->config);
	store_close(daemon->store);
	ev_loop_destroy(daemon->loop);
	free(daemon);
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
	base_clock_now(&daemon->started);
	daemon->config_path = options->config_path;
	daemon->admin_listener.fd = -1;
	daemon->loop = ev_default_loop(EVFLAG_AUTO | EVFLAG_NOENV);
	rc = start(daemon, conf, options->user);
	if (rc == 0) {
		spoa_log(BASE_LOG_INFO, "ready", "version", IDENTITYD_VERSION);
		ev_run(daemon->loop, 0);
		spoa_log(BASE_LOG_INFO, "stopped", NULL, NULL);
	}
	stop(daemon);
	return rc ? 1 : 0;
}
