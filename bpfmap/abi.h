/*
 * What kernel programs and user space share: keys and values of the pinned
 * maps. Fixed width, explicit padding, no implicit holes; a change of any
 * layout raises BPFMAP_ABI_VERSION.
 */
#ifndef BPFMAP_ABI_H
#define BPFMAP_ABI_H

#ifdef __bpf__
#include "bpfmap/bpf_types.h"
#else
#include <assert.h>
#include <linux/types.h>
#include <stddef.h>
#endif

#define BPFMAP_ABI_VERSION 1

/* Names of the pins in the bpffs. */
#define BPFMAP_PIN_FLOWS    "flows"
#define BPFMAP_PIN_OVERFLOW "overflow"
#define BPFMAP_PIN_SETTINGS "settings"
#define BPFMAP_PIN_STATS    "stats"
#define BPFMAP_PIN_SOCK_OPS "sock_ops" /* the link */

/*
 * flows: one entry for each connection that a client has open to HAProxy.
 * Made by sock_ops when the connection is established, gone when it closes;
 * the agent only updates what is there. HASH, never LRU: it authorises.
 *
 * The key is the socket as the kernel has it, seen from HAProxy: remote is
 * the client. IPv4 in the first 4 bytes, network order, the rest 0, also for
 * an IPv4 client on an IPv6 socket.
 */
#define BPFMAP_FAMILY_IPV4 1
#define BPFMAP_FAMILY_IPV6 2

struct bpfmap_flow_key {
	__u8 remote_addr[16];
	__u8 local_addr[16];
	__u16 remote_port; /* host order */
	__u16 local_port;  /* host order */
	__u8 family;
	__u8 pad[3];
};

#define BPFMAP_FLOW_SHARED  (1U << 0) /* more than one subject used it: judged per request only */
#define BPFMAP_FLOW_REVOKED (1U << 1)
#define BPFMAP_FLOW_KILL    (1U << 2) /* ends at expires */

struct bpfmap_flow {
	__u32 identity; /* 0: nobody yet */
	__u32 flags;
	__u64 expires; /* CLOCK_BOOTTIME, ns; 0: never */
	__u64 cookie;  /* of the socket; the agent keeps what it finds */
	__u64 subject; /* hash of issuer and sub; 0: nobody yet */
};

/*
 * overflow: the connections that found flows full, so that the agent can tell
 * them from connections that were never tracked. LRU: it authorises nothing,
 * and a forgotten entry only makes "full" read "unknown".
 */
#define BPFMAP_OVERFLOW_ENTRIES 4096

/* settings: one entry, index 0. Written by identityd-setup, read by the programs. */
#define BPFMAP_PORTS_MAX 32

struct bpfmap_settings {
	__u32 version;                 /* BPFMAP_ABI_VERSION */
	__u32 n_ports;                 /* 0: every listener in the cgroup */
	__u16 ports[BPFMAP_PORTS_MAX]; /* host order: only connections accepted on these */
};

/* stats: per-CPU counters, indexed by this. */
enum bpfmap_stat {
	BPFMAP_STAT_FLOWS_OPENED,
	BPFMAP_STAT_FLOWS_CLOSED,
	BPFMAP_STAT_FLOWS_FULL, /* a connection came while the map had no room */
	BPFMAP_STATS,
};

#ifndef __bpf__
static_assert(sizeof(struct bpfmap_flow_key) == 40, "flow key");
static_assert(offsetof(struct bpfmap_flow_key, remote_port) == 32, "flow key ports");
static_assert(sizeof(struct bpfmap_flow) == 32, "flow value");
static_assert(offsetof(struct bpfmap_flow, cookie) == 16, "flow cookie");
static_assert(sizeof(struct bpfmap_settings) == 8 + 2 * BPFMAP_PORTS_MAX, "settings");
#endif

#endif
