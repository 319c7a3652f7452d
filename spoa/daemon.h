/*
 * The daemon: the main thread's loop and everything that hangs on it. It owns
 * configuration, keys, maps and listeners, makes the snapshots, and hands
 * connections to the workers, who do the rest.
 */
#ifndef SPOA_DAEMON_H
#define SPOA_DAEMON_H

#include "net/net.h"
#include "spoa/allocator_etcd.h"
#include "spoa/allocator_local.h"
#include "spoa/haproxy.h"
#include "spoa/admin.h"
#include "spoa/http.h"
#include "spoa/inherit.h"
#include "spoa/introspect.h"
#include "spoa/keyring.h"
#include "spoa/kernel.h"
#include "spoa/kernel_policy.h"
#include "spoa/keys.h"
#include "spoa/listen.h"
#include "spoa/metrics_kernel.h"
#include "spoa/privilege.h"
#include "spoa/service.h"
#include "spoa/numbers.h"
#include "spoa/retire.h"
#include "spoa/slots.h"
#include "spoa/public.h"
#include "spoa/revoke.h"
#include "spoa/watch.h"
#include "spoa/worker.h"
#include "spoa/workloads.h"
#include "store/store.h"

#include <ev.h>
#include <stdatomic.h>
#include <time.h>

#define SPOA_LISTENERS_MAX 16
#define SPOA_WORKERS_MAX   64
#define SPOA_WANTED_MAX    64 /* more at once wait for their deadline */

struct spoa_daemon {
	struct ev_loop *loop;
	const char *config_path;
	struct base_now started;
	struct spoa_config *config;
	struct spoa_policies *policies;
	struct spoa_kernel_policy in_kernel;    /* what of it is in the kernel's maps */
	uint64_t policies_stamp, policies_seen; /* of the files: as read, as last looked at */
	uint64_t observe_until;                 /* CLOCK_MONOTONIC, ns; an operator's order */
	unsigned generation;                    /* of the configuration, from 1 */
	int64_t loaded_at;                      /* seconds since 1970 */
	char reload_error[256]; /* the first line of what was wrong with the last reload */

	struct store *store;
	struct spoa_allocator_local allocator;
	struct spoa_numbers *numbers;
	struct spoa_retire retire;
	struct net *net;
	struct spoa_introspect *introspect;
	struct spoa_keys *keys;
	struct spoa_guard *guard;
	struct spoa_revoke *revoke;
	struct spoa_etcd *etcd;             /* NULL: there is none */
	struct spoa_allocator_etcd *shared; /* the same */
	struct spoa_keyring *keyring;
	bool keyring_failed;     /* said in the log */
	struct token_ctx *token; /* for logout tokens */
	struct spoa_log_limit logout_lines;
	struct spoa_watch watch;
	struct spoa_workload_watch *workloads;
	struct spoa_kernel kernel;
	struct spoa_snapshot *snapshot;
	struct spoa_metrics metrics; /* the main thread's */
	struct spoa_slots slots;     /* of the providers in them */
	struct spoa_extents extents;
	struct spoa_audit audit;
	struct spoa_service service;

	struct spoa_listen listeners[SPOA_LISTENERS_MAX];
	size_t n_listeners;
	struct spoa_listen admin_listener, remote_listener; /* the second by TCP; fd -1: none */
	struct spoa_admin *admin;
	struct spoa_listen public_listener;
	struct spoa_public *public;
	struct spoa_inherit inherit; /* empty once it has started */
	/* spoa/handover.h: who we replace, until we serve; who replaces us. Descriptors, or -1. */
	int predecessor, successor;
	struct spoa_listen handover_listener;
	ev_io successor_comes, successor_speaks;
	struct spoa_worker *workers[SPOA_WORKERS_MAX];
	unsigned n_workers;

	ev_signal on_term, on_int, on_hup;
	ev_async on_net, on_worker;
	ev_timer watch_timer, drain_timer, accept_timer;
	struct spoa_log_limit accept_lines, refuse_lines;
	struct spoa_haproxies haproxies;
	unsigned max_connections; /* spop.max_connections, or what descriptors allow */
	bool draining;
	bool unpublished;   /* the last snapshot found no memory: to be tried again */
	uint64_t published; /* snapshots so far: the last one's number */
	atomic_uint_fast64_t unknown, doubted; /* providers that workers asked for */
	atomic_uint_fast64_t asked_with;       /* the latest snapshot of these workers */
	pthread_mutex_t wanted_lock;           /* guards the needs that are about one key id */
	struct {
		uint64_t unknown, doubted, snapshot;
		char kid[sizeof(((struct spoa_need *)0)->kid)];
	} wanted[SPOA_WANTED_MAX];
	size_t n_wanted;
};

struct spoa_daemon_options {
	const char *config_path;
	const struct spoa_user *user; /* NULL: stay who we are */
	bool replace;                 /* take the sockets over from the agent that runs */
};

/*
 * Runs until SIGTERM has drained it. 0: ended as it should; 1: could not
 * start (said on stderr).
 */
int spoa_daemon_run(const struct spoa_daemon_options *options);

/*
 * start.c: opens the sockets, gives up rights, opens store and maps, starts
 * the threads. Takes over conf. 0, or -1 with the reason logged.
 */
int spoa_daemon_start(struct spoa_daemon *daemon, struct conf *conf,
	const struct spoa_daemon_options *options) must_check;

/* accept.c: are there identities that may become a packet mark? */
bool spoa_daemon_marks(const struct spoa_daemon *daemon);

/* accept.c: takes on connections; stops for good. */
void spoa_accept_start(struct spoa_daemon *daemon);
void spoa_accept_stop(struct spoa_daemon *daemon);

/* Opens the audit log anew, and reloads; as SIGHUP. */
void spoa_daemon_hup(struct spoa_daemon *daemon);

/* Lets every request in flight end, then stops; as SIGTERM. */
void spoa_daemon_stop(struct spoa_daemon *daemon);

/*
 * publish.c: for so long every request is allowed and the kernel only audits; 0 ends it.
 * Logged with the why.
 */
void spoa_daemon_observe(struct spoa_daemon *daemon, uint64_t for_ns, const char *why);

/* reload.c, SIGHUP: reads the configuration again, all or nothing. */
void spoa_daemon_reload(struct spoa_daemon *daemon);

/* Have the policy files changed, and come to rest? Then they are read again, all or nothing. */
void spoa_daemon_look_at_policies(struct spoa_daemon *daemon);

/* Another agent serves on our sockets: they are no longer ours, and we drain. */
void spoa_daemon_replaced(struct spoa_daemon *daemon);

/* Starts the watchers of signals, other threads and the maps. */
void spoa_daemon_watch(struct spoa_daemon *daemon);

/* publish.c: makes a snapshot of what is known now and gives it to the workers. 0 or -ENOMEM. */
int spoa_daemon_publish(struct spoa_daemon *daemon) must_check;
/* The same; lack of memory is logged, and the workers keep the snapshot they have. */
void spoa_daemon_changed(void *daemon);

/*
 * publish.c: makes the signing keys that are due. Whether the list is another one; a failure
 * is logged once.
 */
bool spoa_daemon_sign(struct spoa_daemon *daemon);

/* needs.c: called by the net thread and by workers; safe there. */
void spoa_daemon_wake_for_net(void *daemon);
void spoa_daemon_need_keys(void *daemon, struct spoa_need need);
void spoa_daemon_worker_changed(void *daemon);

/* publish.c: a revocation is in force: the open connections of such tokens end. */
void spoa_daemon_revoked(void *daemon, const struct token_revocation *what);

/* publish.c: configuration or maps may be others now. */
void spoa_daemon_use_kernel(struct spoa_daemon *daemon);
/* needs.c: whatever waits in the workers may be decided by now. */
void spoa_daemon_retry(void *daemon);

/* publish.c: whether the kernel enforces, and if not, why. */
void spoa_daemon_log_enforcement(const struct spoa_watch *watch);

/* Open SPOP connections. */
unsigned spoa_daemon_connections(const struct spoa_daemon *daemon);

/* The main thread's counters and the workers'; returns how many sets. */
size_t spoa_daemon_metrics(
	struct spoa_daemon *daemon, struct spoa_metrics *sets[SPOA_WORKERS_MAX + 1]);

#endif
