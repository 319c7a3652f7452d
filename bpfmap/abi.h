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

#define BPFMAP_ABI_VERSION 2

/* Names of the pins in the bpffs. */
#define BPFMAP_PIN_FLOWS     "flows"
#define BPFMAP_PIN_OVERFLOW  "overflow"
#define BPFMAP_PIN_SETTINGS  "settings"
#define BPFMAP_PIN_CONTROL   "control"
#define BPFMAP_PIN_CELLS     "cells"
#define BPFMAP_PIN_COUNTERS  "counters"
#define BPFMAP_PIN_STATS     "stats"
#define BPFMAP_PIN_ENDPOINTS "endpoints"
#define BPFMAP_PIN_POLICY    "policy"
#define BPFMAP_PIN_EVENTS    "events"

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
#define BPFMAP_FLOW_TOLD    (1U << 3) /* its end was reported as an event */
#define BPFMAP_FLOW_DYING   (1U << 4) /* being killed: its reset may leave */

/* What a token can be revoked by, each a hash of the claim's text. */
enum bpfmap_token_field {
	BPFMAP_TOKEN_ISS,
	BPFMAP_TOKEN_SUB,
	BPFMAP_TOKEN_SID,
	BPFMAP_TOKEN_JTI,
	BPFMAP_TOKEN_CLIENT,
	BPFMAP_TOKEN_FIELDS,
};

/*
 * cookie comes first: the kernel copies a new value upwards, so whoever writes
 * into an entry that is being taken by the next connection sees the cookie
 * change before anything else.
 */
struct bpfmap_flow {
	__u64 cookie;                     /* of the socket; 0 matches any */
	__u64 expires;                    /* CLOCK_BOOTTIME, ns; 0: never */
	__u64 subject;                    /* hash of issuer and sub; 0: nobody yet */
	__u64 netns;                      /* cookie of the network namespace; 0: not known */
	__u64 token[BPFMAP_TOKEN_FIELDS]; /* hashes; 0: the token does not say */
	__s64 issued;   /* its iat, seconds since 1970; 0: the token does not say */
	__u32 identity; /* 0: nobody yet */
	__u32 flags;
	__u32 seen; /* generation of the last look that found the socket */
	__u32 pad;
};

/*
 * overflow: the connections that found flows full, so that the agent can tell
 * them from connections that were never tracked. LRU: it authorises nothing,
 * and a forgotten entry only makes "full" read "unknown".
 */
#define BPFMAP_OVERFLOW_ENTRIES 4096

/* settings: one entry, index 0. Written by identityd-setup alone, read by all. */
#define BPFMAP_PORTS_MAX 32

struct bpfmap_settings {
	__u32 version;  /* BPFMAP_ABI_VERSION */
	__u32 n_ports;  /* 0: every listener in the cgroup */
	__u32 clusters; /* of the mark codec: 255 or 511 */
	__u32 pad;
	__u16 ports[BPFMAP_PORTS_MAX]; /* host order: only connections accepted on these */
};

/* control: one entry, index 0. The agent's; the programs only read it. */
enum bpfmap_part {
	BPFMAP_PART_CONNECT, /* where a marked socket may connect and send to */
	BPFMAP_PART_PACKETS, /* the same, for each packet of a marked socket */
	BPFMAP_PART_REVOKED, /* packets of revoked and expired flows are dropped */
	BPFMAP_PART_KILL,    /* and their connections ended */
	BPFMAP_PARTS,
};

enum bpfmap_mode {
	BPFMAP_MODE_OFF,
	BPFMAP_MODE_AUDIT, /* judged, counted and reported, and let through */
	BPFMAP_MODE_ENFORCE,
};

struct bpfmap_control {
	__u32 epoch; /* of endpoints and policy; 0: there is none, nothing is restricted */
	__u8 mode[BPFMAP_PARTS]; /* enum bpfmap_mode */
	__u64 break_glass_until; /* CLOCK_BOOTTIME, ns: until then everything is only audited */
	__u32 events_per_second; /* 0: no events */
	__u8 deny_unmarked;      /* sockets without an identity reach no restricted destination */
	__u8 pad[3];
};

/* cells: one entry, index 0. Written by the programs alone, atomically. */
struct bpfmap_cells {
	__u64 due;           /* earliest expiry that kills, CLOCK_BOOTTIME ns; BPFMAP_NEVER: none */
	__u64 events_second; /* second of events_n */
	__u64 events_n;      /* events in that second */
	__u32 generation;    /* of the looks that find dead entries */
	__u32 pad;
};
#define BPFMAP_NEVER (~0ULL)

/* counters: a per-CPU array, indexed by this. */
enum bpfmap_counter {
	BPFMAP_COUNT_FLOWS_OPENED,
	BPFMAP_COUNT_FLOWS_CLOSED,
	BPFMAP_COUNT_FLOWS_FULL,   /* a connection came while the map had no room */
	BPFMAP_COUNT_FLOWS_SEEDED, /* it was there before the program */
	BPFMAP_COUNT_FLOWS_DEAD,   /* the entry's socket was gone, and it was removed */
	BPFMAP_COUNT_DENIED,       /* connects and sends refused */
	BPFMAP_COUNT_DROPPED,      /* packets */
	BPFMAP_COUNT_KILLED,       /* connections */
	BPFMAP_COUNT_AUDITED,      /* what enforce would have stopped */
	BPFMAP_COUNT_EVENTS_LOST,  /* too many a second, or the ring was full */
	BPFMAP_COUNT_STATS_FULL,   /* packets whose identity found no room in stats */
	BPFMAP_COUNTERS,
};

/* stats: packets and bytes, by identity and what became of them; per-CPU hash. */
enum bpfmap_verdict {
	BPFMAP_PASSED,
	BPFMAP_AUDITED, /* passed, and enforce would have stopped it */
	BPFMAP_STOPPED,
	BPFMAP_VERDICTS,
};

enum bpfmap_direction {
	BPFMAP_INGRESS, /* in stats: to HAProxy; in policy: into the service */
	BPFMAP_EGRESS,
};

struct bpfmap_stat_key {
	__u32 identity; /* 0: nobody */
	__u8 verdict;   /* enum bpfmap_verdict */
	__u8 direction;
	__u8 pad[2];
};

struct bpfmap_stat {
	__u64 packets;
	__u64 bytes;
};

/*
 * endpoints: which service stands behind a destination. LPM; epoch, family,
 * protocol and port are matched whole (BPFMAP_ENDPOINT_BITS), then the
 * address by its longest prefix. Port 0 is every port, and a port of its own
 * wins. What is not in it is never restricted.
 */
struct bpfmap_endpoint_key {
	__u32 prefixlen; /* BPFMAP_ENDPOINT_BITS + bits of the address */
	__u32 epoch;
	__u8 family;
	__u8 protocol; /* IPPROTO_TCP, IPPROTO_UDP */
	__u8 port[2];  /* network order */
	__u8 addr[16];
};
#define BPFMAP_ENDPOINT_BITS 64

struct bpfmap_endpoint {
	__u32 service;
	__u32 pad;
};

/*
 * policy: LPM on the port, everything before it matched whole. Ranges are
 * prefixes that do not overlap with another verdict (bpfmap/policy.h makes
 * them so). The identity's own entry and the one of identity 0 (any) are both
 * looked at: a deny in either is a deny, else an allow in either an allow,
 * else a deny, since an endpoint's service is restricted.
 */
struct bpfmap_policy_key {
	__u32 prefixlen; /* BPFMAP_POLICY_BITS + 0..16 bits of the port */
	__u32 epoch;
	__u32 service;
	__u32 identity; /* 0: any that has one */
	__u8 direction; /* enum bpfmap_direction */
	__u8 protocol;
	__u8 port[2]; /* network order */
};
#define BPFMAP_POLICY_BITS 112

#define BPFMAP_POLICY_ALLOW 1
#define BPFMAP_POLICY_DENY  2

/* events: a ring buffer. */
enum bpfmap_event_kind {
	BPFMAP_EVENT_DENY, /* a connect or send */
	BPFMAP_EVENT_DROP, /* a packet */
	BPFMAP_EVENT_KILL, /* a connection */
	BPFMAP_EVENT_KINDS,
};

enum bpfmap_cause {
	BPFMAP_CAUSE_NONE,
	BPFMAP_CAUSE_REVOKED,
	BPFMAP_CAUSE_EXPIRED,
	BPFMAP_CAUSE_DENIED,   /* a rule says so */
	BPFMAP_CAUSE_NO_RULE,  /* no rule allows it */
	BPFMAP_CAUSE_UNMARKED, /* no identity, and deny_unmarked */
	BPFMAP_CAUSES,
};

struct bpfmap_event {
	__u64 time; /* CLOCK_BOOTTIME, ns */
	__u64 cookie;
	__u64 subject;
	__u32 identity;
	__u32 service; /* 0: none */
	struct bpfmap_flow_key flow;
	__u8 kind;
	__u8 cause;
	__u8 audited; /* it was let through */
	__u8 protocol;
	__u32 pad;
};
#define BPFMAP_EVENTS_BYTES (256 * 1024)

/*
 * update: the pinned program that changes one flow atomically; run by
 * BPF_PROG_TEST_RUN, for which no capability is needed (Linux 5.19).
 */
enum bpfmap_op {
	BPFMAP_OP_BIND,   /* identity, subject, expires, token, issued, flags: KILL or 0 */
	BPFMAP_OP_REVOKE, /* cookie: REVOKED, if it is still this socket's */
	BPFMAP_OP_FORGET, /* cookie: remove it, if no look found its socket twice */
	BPFMAP_OP_LOOK,   /* begin a look: the next generation */
	BPFMAP_OP_UNDUE,  /* forget due; whoever walks the sockets notes it anew */
	BPFMAP_OPS,
};

enum bpfmap_result {
	BPFMAP_RESULT_DONE,
	BPFMAP_RESULT_SAME,
	BPFMAP_RESULT_SHARED,
	BPFMAP_RESULT_ABSENT,
	BPFMAP_RESULT_FULL, /* absent, since the map was full */
};

struct bpfmap_update {
	struct bpfmap_flow_key key;
	__u32 op;
	__u32 result;
	__u64 cookie;
	__u64 expires;
	__u64 subject;
	__u64 netns;
	__u64 token[BPFMAP_TOKEN_FIELDS];
	__s64 issued;
	__u32 identity;
	__u32 flags;
};

#ifndef __bpf__
static_assert(sizeof(struct bpfmap_flow_key) == 40, "flow key");
static_assert(offsetof(struct bpfmap_flow_key, remote_port) == 32, "flow key ports");
static_assert(sizeof(struct bpfmap_flow) == 96, "flow value");
static_assert(offsetof(struct bpfmap_flow, cookie) == 0, "flow cookie");
static_assert(offsetof(struct bpfmap_flow, identity) == 80, "flow identity");
static_assert(sizeof(struct bpfmap_settings) == 16 + 2 * BPFMAP_PORTS_MAX, "settings");
static_assert(sizeof(struct bpfmap_control) == 24, "control");
static_assert(offsetof(struct bpfmap_control, break_glass_until) == 8, "control's clock");
static_assert(sizeof(struct bpfmap_cells) == 32, "cells");
static_assert(sizeof(struct bpfmap_stat_key) == 8, "stat key");
static_assert(sizeof(struct bpfmap_stat) == 16, "stat value");
static_assert(sizeof(struct bpfmap_endpoint_key) == 28, "endpoint key");
static_assert(offsetof(struct bpfmap_endpoint_key, addr) == 4 + BPFMAP_ENDPOINT_BITS / 8,
	"endpoint key's address");
static_assert(sizeof(struct bpfmap_endpoint) == 8, "endpoint value");
static_assert(sizeof(struct bpfmap_policy_key) == 20, "policy key");
static_assert(offsetof(struct bpfmap_policy_key, port) == 4 + BPFMAP_POLICY_BITS / 8,
	"policy key's port");
static_assert(sizeof(struct bpfmap_event) == 80, "event");
static_assert(offsetof(struct bpfmap_event, kind) == 72, "event kind");
static_assert(sizeof(struct bpfmap_update) == 136, "update");
#endif

#endif
