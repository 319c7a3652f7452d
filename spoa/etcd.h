/*
 * etcd for the daemon: one client on the main thread, and on it what agents
 * share: numbers, what Cilium reads besides, revocations. Nothing here waits,
 * but spoa_etcd_goodbye.
 */
#ifndef SPOA_ETCD_H
#define SPOA_ETCD_H

#include "etcd/numbers.h"
#include "net/net.h"
#include "spoa/config.h"
#include "spoa/revoke.h"
#include "spoa/workloads.h"

#include <ev.h>
#include <jansson.h>

struct spoa_etcd;

#define SPOA_ETCD_WHY 160

/* All borrowed for as long as it lives, but config, of which it takes a reference. */
struct spoa_etcd_parts {
	struct ev_loop *loop;
	struct net *net;
	struct store *store;
	struct spoa_revoke *revoke;
	struct spoa_config *config;
	struct spoa_workload_watch *workloads; /* is told what numbers mean; NULL: nobody asks */
	struct etcd_numbers_owner owner;
	void (*turned)(void *arg); /* owner.arg: everything that was due has been told */
};

static inline bool spoa_etcd_is_on(const struct conf *conf)
{
	return conf->etcd.endpoints.n != 0;
}

/* 0, or -errno with a sentence in why. */
int spoa_etcd_new(const struct spoa_etcd_parts *parts, struct spoa_etcd **ret,
	char why[SPOA_ETCD_WHY]) must_check;
/* After net_free. NULL is fine. */
void spoa_etcd_free(struct spoa_etcd *etcd);
/* Before net_free: gives the leases back, and waits for half a second at the most. */
void spoa_etcd_goodbye(struct spoa_etcd *etcd);

/* An answer of the net thread; false: it is not for etcd. Does not free it. NULL is fine. */
bool spoa_etcd_answer(struct spoa_etcd *etcd, const struct net_answer *answer);
/* After some answers, and whenever something was wanted: what is due. */
void spoa_etcd_turn(struct spoa_etcd *etcd);

/* As in etcd/numbers.h. */
struct etcd_numbers *spoa_etcd_numbers(struct spoa_etcd *etcd);

/* The source addresses of this configuration's roles, or their numbers, may be others now. */
void spoa_etcd_addresses(struct spoa_etcd *etcd, struct spoa_config *config);

/* For struct spoa_revoke_owner. NULL is fine. */
void spoa_etcd_share(struct spoa_etcd *etcd, const struct store_revocation *entry, bool removed);

/* For status; NULL without memory, null without etcd. */
json_t *spoa_etcd_status(const struct spoa_etcd *etcd) must_check;

/* What metrics are asked for at a scrape. */
struct spoa_etcd_metrics {
	bool up;
	uint64_t calls, failures, malformed, skipped, allocated, replaced, doubts;
	size_t known, wanted, realised;
	size_t revocations_waiting;
};
/* All zero without etcd. */
struct spoa_etcd_metrics spoa_etcd_metrics(const struct spoa_etcd *etcd);

DEFINE_CLEANUP(spoa_etcd, struct spoa_etcd *, spoa_etcd_free)

#endif
