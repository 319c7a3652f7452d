/*
 * What the agent does for the kernel besides binding, on the main thread:
 * tells it the modes, ends what is revoked or expired, removes entries of the
 * dead, and reads what the programs report.
 *
 * Of several agents on one set of maps one owns them (a lock on the folder of
 * the pins): it alone does what must be done once. Revoking is everybody's.
 */
#ifndef SPOA_KERNEL_H
#define SPOA_KERNEL_H

#include "bpfmap/control.h"
#include "bpfmap/events.h"
#include "bpfmap/sweep.h"
#include "spoa/config.h"
#include "spoa/kernel_audit.h"
#include "spoa/log.h"
#include "spoa/metrics.h"
#include "spoa/snapshot.h"
#include "token/revocation.h"

#include <ev.h>

/* A pass over the sockets that ends connections, a few at a time. */
struct spoa_kernel_killing {
	int fd; /* -1: there is none */
	ev_timer slice;
	uint64_t begun; /* CLOCK_MONOTONIC, ns */
	unsigned n, n_slices;
	bool again; /* another pass was asked for meanwhile */
	bool next_expires;
};

struct spoa_kernel {
	struct ev_loop *loop;
	struct spoa_metrics *metrics;
	const struct spoa_audit *audit;             /* where it is told, too; may be NULL */
	const struct spoa_kernel_policy *in_kernel; /* who and what is behind the numbers */
	struct spoa_config *config;                 /* a reference */
	struct spoa_maps *maps;       /* a reference; NULL while nothing is enforced */
	int lock_fd;                  /* the folder of the pins; -1: not the owner */
	struct bpfmap_events *events; /* the owner's */
	ev_io on_event;
	ev_timer tick, look, revoke, again;
	struct spoa_kernel_killing killing;
	struct bpfmap_revocation *pending; /* not carried out yet */
	size_t n_pending, room_pending;
	double revoke_rest_s;           /* before the next pass over them */
	struct bpfmap_revocation *done; /* carried out, to be repeated once */
	size_t n_done, n_ripe;          /* of them, those that were there when again was set */
	uint32_t programs;              /* those that were there when it last looked */
	bool observe;                   /* by an operator, besides the configuration */
	uint64_t events_lost;           /* as the kernel had counted when it last looked */
	bool glass_broken;              /* as it was last seen */
};

void spoa_kernel_init(struct spoa_kernel *kernel, struct ev_loop *loop,
	struct spoa_metrics *metrics, const struct spoa_audit *audit,
	const struct spoa_kernel_policy *in_kernel);
void spoa_kernel_done(struct spoa_kernel *kernel);

/*
 * The configuration and the maps that hold from now on; maps may be NULL.
 * Called whenever either may have changed.
 */
void spoa_kernel_use(struct spoa_kernel *kernel, struct spoa_config *config, struct spoa_maps *maps,
	const char *dir);

/*
 * Ends the connections of such tokens: in a moment, together with others that
 * come meanwhile, and once more when every worker knows of the revocation.
 * Out of memory is logged; requests are refused nevertheless.
 */
void spoa_kernel_revoke(struct spoa_kernel *kernel, const struct token_revocation *what);

/*
 * Until then (CLOCK_BOOTTIME ns; 0: from now on again) the programs only
 * audit. Logged with the reason. 0, -ENOENT no maps, or -errno.
 */
int spoa_kernel_break_glass(
	struct spoa_kernel *kernel, uint64_t until, int64_t seconds, const char *why) must_check;

/* From now on the programs only audit, or no longer so. */
void spoa_kernel_observe(struct spoa_kernel *kernel, bool observe);

/*
 * kernel_kill.c: ends the connections of revoked and expired flows, a few
 * at a time, within a second; with expires, notes anew when the next expiry is
 * due. Trouble is logged. Only while there are maps.
 */
void spoa_kernel_end(struct spoa_kernel *kernel, bool expires);
void spoa_kernel_kill_init(struct spoa_kernel *kernel);
void spoa_kernel_kill_stop(struct spoa_kernel *kernel);
void spoa_kernel_complain(const char *what, int err);

/* kernel_revoke.c: the two timers of spoa_kernel_revoke. */
void spoa_kernel_revoke_init(struct spoa_kernel *kernel);
void spoa_kernel_revoke_done(struct spoa_kernel *kernel);

static inline bool spoa_kernel_owns(const struct spoa_kernel *kernel)
{
	return kernel->lock_fd >= 0;
}

#endif
