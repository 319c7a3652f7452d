/*
 * A lease that is kept alive: what is put under it is there for as long as we
 * are, and for ttl seconds more at the most. When it has ended, a new one is
 * asked for, and whoever put something under the old one puts it again.
 */
#ifndef ETCD_LEASE_H
#define ETCD_LEASE_H

#include "etcd/client.h"

struct etcd_lease;

struct etcd_lease_owner {
	/* There is a new one; what was under another is gone, or soon will be. */
	void (*granted)(void *arg);
	/* etcd says, or the clock, that it has ended: what was under it may be gone. */
	void (*ended)(void *arg);
	void *arg;
};

/* Nothing happens before the first tick. NULL without memory. */
struct etcd_lease *etcd_lease_new(
	struct etcd_client *client, int64_t ttl_s, const struct etcd_lease_owner *owner) must_check;
/* Without a word to etcd: the lease runs out. NULL is fine. */
void etcd_lease_free(struct etcd_lease *lease);

/* Does what is due. When to call again, on the same clock (CLOCK_MONOTONIC). */
uint64_t etcd_lease_tick(struct etcd_lease *lease, uint64_t now_ns);

/* The lease, or 0 while there is none. */
int64_t etcd_lease_id(const struct etcd_lease *lease);

/* Somebody was told that there is no such lease. */
void etcd_lease_doubt(struct etcd_lease *lease);

/* Gives it back, and what is under it goes; no new one is asked for. Best effort. */
void etcd_lease_revoke(struct etcd_lease *lease);

DEFINE_CLEANUP(etcd_lease, struct etcd_lease *, etcd_lease_free)

#endif
