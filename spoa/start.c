/* From the configuration file to the first request, in the order of what needs what. */

#include "spoa/daemon.h"

#include "bpfmap/sweep.h"
#include "policy/load.h"
#include "spoa/filter.h"
#include "spoa/handover.h"
#include "spoa/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static int open_one(struct spoa_daemon *daemon, const struct conf_listen *conf,
	const struct spoa_user *user, struct spoa_listen *listener)
{
	char why[SPOA_LISTEN_WHY] = "out of memory";

	if (!spoa_inherit_take(&daemon->inherit, conf, listener) &&
		spoa_listen_open(conf, user, listener, why))
		return fail("listen", why);
	spoa_log(BASE_LOG_INFO, "listening", "address", listener->name);
	return 0;
}

/* Sockets that are open already: a service manager's, or those of whom we replace. */
static int inherit(struct spoa_daemon *daemon, const struct conf *conf, bool replace)
{
	char why[SPOA_LISTEN_WHY] = "";

	if (spoa_inherit_environment(&daemon->inherit, why))
		return fail("LISTEN_FDS", why);
	if (!replace)
		return 0;
	if (!conf->admin.handover)
		return fail("--replace", "admin.handover is not configured");
	if (spoa_handover_ask(conf->admin.handover, &daemon->inherit, &daemon->predecessor, why))
		return fail("--replace", why);
	return 0;
}

/* Before privileges go: a socket's owner and group may need them. */
static int open_listeners(
	struct spoa_daemon *daemon, const struct conf *conf, const struct spoa_user *user)
{
	const struct conf_listen admin = {
		.unix_path = conf->admin.unix_path,
		.mode = conf->admin.mode,
		.group = conf->admin.group,
	};
	const struct conf_listen handover = {.unix_path = conf->admin.handover, .mode = 0600};
	char why[SPOA_LISTEN_WHY] = "";

	for (size_t i = 0; i < conf->n_listen; i++) {
		if (daemon->n_listeners == SPOA_LISTENERS_MAX)
			return fail("listen", "too many addresses");
		if (open_one(daemon, &conf->listen[i], user,
			    &daemon->listeners[daemon->n_listeners]))
			return -1;
		daemon->listeners[daemon->n_listeners].index = (unsigned)i;
		daemon->n_listeners++;
	}
	if (open_one(daemon, &admin, user, &daemon->admin_listener))
		return -1;
	if (conf->admin.remote.tcp_host &&
		open_one(daemon, &conf->admin.remote, user, &daemon->remote_listener))
		return -1;
	if (spoa_public_is_on(conf) &&
		open_one(daemon, &conf->public.listen, user, &daemon->public_listener))
		return -1;
	if (conf->admin.handover && open_one(daemon, &handover, user, &daemon->handover_listener))
		return -1;
	if (spoa_inherit_done(&daemon->inherit, why))
		return fail("listen", why);
	return 0;
}

static int make_config(struct spoa_daemon *daemon, struct conf *conf)
{
	struct base_diag diag;
	int rc;

	base_diag_init(&diag, daemon->config_path);
	daemon->policies_stamp = daemon->policies_seen = policy_load_stamp(
		(const char *const *)conf->policy.paths.items, conf->policy.paths.n);
	rc = spoa_config_new(conf, daemon->store, &diag, &daemon->config);
	if (!rc)
		rc = spoa_policies_new(daemon->config, &diag, &daemon->policies);
	if (!rc)
		spoa_slots_assign(&daemon->slots, daemon->config);
	if (!rc)
		spoa_policies_log(daemon->policies);
	if (rc)
		base_diag_print(&diag, stderr);
	base_diag_done(&diag);
	return rc;
}

static int appear(void *arg, uint32_t id, struct span labels, char why[STORE_WHY])
{
	struct spoa_daemon *daemon = arg;

	_Static_assert(BPFMAP_WHY <= STORE_WHY, "its sentence fits");
	return spoa_kernel_policy_appear(&daemon->in_kernel, id, labels, why);
}

static void go(void *arg, uint32_t id, struct span labels)
{
	struct spoa_daemon *daemon = arg;

	spoa_kernel_policy_go(&daemon->in_kernel, id, labels);
}

static int add_carried(void *arg, const struct bpfmap_flow_key *key, const struct bpfmap_flow *flow)
{
	(void)key;
	return flow->identity ? spoa_carried_add(arg, flow->identity) : 0;
}

/* The numbers of open connections: none where no kernel was ever told. */
static int list_carried(void *arg, struct spoa_carried *to)
{
	const struct spoa_daemon *daemon = arg;

	if (daemon->watch.enforcement == SPOA_ENFORCEMENT_LOST)
		return -ENOENT;
	if (!daemon->watch.maps)
		return 0;
	return bpfmap_flows_each(daemon->watch.maps->map, add_carried, to);
}

/* Label sets to numbers, with those that earlier agents gave out. */
static int start_numbers(struct spoa_daemon *daemon)
{
	const struct spoa_numbers_owner owner = {
		.appear = appear,
		.go = go,
		.changed = spoa_daemon_changed,
		.wake = spoa_daemon_worker_changed,
		.arg = daemon,
	};
	const struct conf *conf = daemon->config->conf;
	bool etcd = spoa_etcd_is_on(conf);
	struct spoa_allocator allocator = spoa_allocator_local(&daemon->allocator);
	struct spoa_identities *table = NULL;

	daemon->allocator.store = daemon->store;
	daemon->retire = (struct spoa_retire){
		.store = daemon->store, .carried = list_carried, .arg = daemon};
	if (etcd && spoa_allocator_etcd_new(daemon->store, &daemon->allocator, &daemon->shared))
		return fail("identities", "out of memory");
	if (etcd)
		allocator = spoa_allocator_etcd(daemon->shared);
	daemon->numbers = spoa_numbers_new(&allocator, &owner, &daemon->metrics);
	daemon->retire.numbers = daemon->numbers;
	if (!daemon->numbers ||
		spoa_numbers_prepare(daemon->numbers, daemon->config, daemon->policies, &table))
		return fail("identities", "out of memory");
	spoa_numbers_adopt(daemon->numbers, daemon->config, daemon->policies, table);
	if ((!etcd || conf->etcd.when_away == CONF_ETCD_LOCAL) &&
		spoa_allocator_local_restore(&daemon->allocator, daemon->numbers))
		return fail("identities", "they cannot be read from the store");
	/* Later, so that a number of etcd's counts before a local one. */
	if (etcd && spoa_allocator_etcd_restore(daemon->shared, daemon->numbers))
		return fail("identities", "they cannot be read from the store");
	return 0;
}

static int start_etcd(struct spoa_daemon *daemon)
{
	struct spoa_etcd_parts parts = {.loop = daemon->loop,
		.net = daemon->net,
		.store = daemon->store,
		.revoke = daemon->revoke,
		.config = daemon->config};
	char why[SPOA_ETCD_WHY] = "";

	/* Without the ipcache nobody meets a number of others. */
	if (daemon->config->conf->workloads.ipcache)
		parts.workloads = daemon->workloads;

	if (!daemon->shared)
		return 0;
	spoa_allocator_etcd_owner(daemon->shared, &parts);
	if (spoa_etcd_new(&parts, &daemon->etcd, why))
		return fail("etcd", why);
	spoa_allocator_etcd_start(daemon->shared, daemon->etcd, daemon->numbers);
	return 0;
}

static int start_workers(struct spoa_daemon *daemon)
{
	struct spoa_worker_owner owner = {
		.need_keys = spoa_daemon_need_keys,
		.changed = spoa_daemon_worker_changed,
		.arg = daemon,
		.audit = &daemon->audit,
		.results = spoa_introspect_results(daemon->introspect),
	};
	unsigned n = (unsigned)daemon->config->conf->workers;

	for (; owner.number < n; owner.number++) {
		unsigned i = owner.number;
		int rc = spoa_worker_new(daemon->snapshot, &owner, n, &daemon->workers[i]);

		if (rc)
			return fail("worker", strerror(-rc));
		daemon->n_workers++;
	}
	return 0;
}

/* Who serves a socket closes its own copy: ours is for an agent that replaces us. */
static int copy(const struct spoa_listen *listener)
{
	return fcntl(listener->fd, F_DUPFD_CLOEXEC, 0);
}

static int serve_admin(struct spoa_daemon *daemon)
{
	char why[SPOA_ADMIN_WHY] = "no descriptors";
	int remote = daemon->remote_listener.fd >= 0 ? copy(&daemon->remote_listener) : -1;
	int local = copy(&daemon->admin_listener);

	if (local < 0 || (daemon->remote_listener.fd >= 0 && remote < 0) ||
		spoa_admin_new(daemon->loop, local, remote, daemon->config->conf, daemon,
			&daemon->admin, why))
		return fail("admin", why);
	return 0;
}

static int serve_public(struct spoa_daemon *daemon)
{
	const struct conf *conf = daemon->config->conf;
	char why[SPOA_PUBLIC_WHY] = "no descriptors";
	int fd;

	if (!spoa_public_is_on(conf))
		return 0;
	fd = copy(&daemon->public_listener);
	if (fd < 0 || spoa_public_new(daemon->loop, fd, conf, daemon, &daemon->public, why))
		return fail("public", why);
	return 0;
}

/* Everything that serves is there: whom we replace may go. */
static int release_predecessor(struct spoa_daemon *daemon)
{
	cleanup(fd) int fd = TAKE_FD(daemon->predecessor);

	if (fd >= 0 && spoa_handover_ready(fd))
		return fail("--replace", "the agent to replace is gone");
	return 0;
}

static int start_serving(struct spoa_daemon *daemon)
{
	if (serve_admin(daemon) || serve_public(daemon))
		return -1;
	spoa_accept_start(daemon);
	spoa_handover_start(daemon);
	return release_predecessor(daemon);
}

/*
 * Descriptors besides the connections: listeners, store, maps, requests, the
 * clients of the admin and the public interface.
 */
#define OTHER_FILES 256

/* Connections must never use up what fetching keys and answering the admin need. */
static void limit_connections(struct spoa_daemon *daemon, const struct conf *conf)
{
	size_t files = spoa_privilege_files();
	struct base_log log;

	daemon->max_connections = (unsigned)conf->spop.max_connections;
	if (files >= (size_t)conf->spop.max_connections + OTHER_FILES)
		return;
	daemon->max_connections =
		files > 2 * OTHER_FILES ? (unsigned)(files - OTHER_FILES) : OTHER_FILES / 4;
	if (!spoa_log_open(&log, BASE_LOG_WARNING, "few_descriptors"))
		return;
	base_log_int(&log, "limit", (int64_t)files);
	base_log_int(&log, "wanted", conf->spop.max_connections + OTHER_FILES);
	base_log_int(&log, "connections", daemon->max_connections);
	base_log_str(&log, "meaning", "raise LimitNOFILE, or lower spop.max_connections");
	spoa_log_close(&log);
}

static void share(void *arg, const struct store_revocation *entry, bool removed)
{
	struct spoa_daemon *daemon = arg;

	spoa_etcd_share(daemon->etcd, entry, removed);
}

/* What revoked tokens and used proofs are known by. */
static int start_guard(struct spoa_daemon *daemon)
{
	const struct conf *conf = daemon->config->conf;
	const struct spoa_revoke_owner owner = {.changed = spoa_daemon_changed,
		.revoked = spoa_daemon_revoked,
		.shared = share,
		.arg = daemon};
	char why[STORE_WHY] = "";

	if (spoa_guard_new((size_t)conf->dpop.replay_entries, daemon->store, &daemon->guard, why))
		return fail("dpop", why);
	if (spoa_revoke_new(daemon->store, (size_t)conf->revocation.max_entries, &owner,
		    base_clock_wall_s(&daemon->started), &daemon->revoke, why))
		return fail("revocation", why);
	if (spoa_keyring_new(daemon->store, &daemon->keyring, why))
		return fail("assertion", why);
	(void)spoa_daemon_sign(daemon);
	daemon->token = token_ctx_new();
	if (!daemon->token)
		return fail("revocation", "out of memory");
	return 0;
}

int spoa_daemon_start(
	struct spoa_daemon *daemon, struct conf *conf, const struct spoa_daemon_options *options)
{
	cleanup(conf) struct conf *owned = conf;
	char why[STORE_WHY] = "";
	int rc;

	/* First, so that a signal that comes now is obeyed as soon as the loop runs. */
	spoa_daemon_watch(daemon);
	spoa_service_init(&daemon->service, daemon->loop);
	spoa_log_level((enum base_log_level)conf->log.level);
	if (inherit(daemon, conf, options->replace) || open_listeners(daemon, conf, options->user))
		return -1;
	if (spoa_privilege_drop(options->user, why))
		return fail("privileges", why);
	limit_connections(daemon, conf);
	if (spoa_privilege_harden())
		return fail("privileges", strerror(errno));
	rc = spoa_filter_install((enum spoa_filter_mode)conf->seccomp);
	if (rc)
		return fail("seccomp", strerror(-rc));
	if (store_open(conf->store.path, &daemon->store, why))
		return fail("store", why);
	if (make_config(daemon, TAKE_PTR(owned)))
		return fail("configuration", daemon->config_path);
	conf = (struct conf *)daemon->config->conf;
	if (start_guard(daemon) || start_numbers(daemon))
		return -1;
	if (spoa_audit_start(&daemon->audit, conf, (unsigned)conf->workers, why))
		return fail("audit", *why ? why : strerror(ENOMEM));
	if (spoa_audit_watch(&daemon->audit, daemon->loop))
		return fail("audit", strerror(ENOMEM));
	if (spoa_watch_init(&daemon->watch, conf->bpf.mode, conf->bpf.path))
		return fail("bpf.mode is required", daemon->watch.why);
	spoa_daemon_log_enforcement(&daemon->watch);
	daemon->workloads = spoa_workload_watch_new(conf);
	if (!daemon->workloads)
		return fail("start", "out of memory");
	spoa_daemon_use_kernel(daemon);
	if (net_new(spoa_daemon_wake_for_net, daemon, &daemon->net))
		return fail("net", "cannot start the net thread");
	daemon->introspect = spoa_introspect_new(daemon->net, &daemon->metrics, spoa_daemon_retry,
		spoa_daemon_worker_changed, daemon);
	if (!daemon->introspect)
		return fail("start", "out of memory");
	daemon->keys = spoa_keys_new(daemon->loop, daemon->net, daemon->store, &daemon->metrics,
		spoa_daemon_changed, daemon);
	if (!daemon->keys || spoa_keys_configure(daemon->keys, daemon->config))
		return fail("start", "out of memory");
	spoa_numbers_settle(daemon->numbers); /* what was restored */
	if (!daemon->snapshot && spoa_daemon_publish(daemon))
		return fail("start", "out of memory");
	if (start_etcd(daemon))
		return -1;
	if (start_workers(daemon) || start_serving(daemon))
		return -1;
	daemon->generation = 1;
	daemon->loaded_at = base_clock_wall_s(&daemon->started);
	return 0;
}
