/*
 * The programs that walk over all TCP sockets of the network namespace of
 * whoever reads the pinned iterator: ending connections, finding out which
 * entries have a socket, and finding sockets that have no entry. They need
 * the kernel's BTF; the fields are found by name (CO-RE).
 *
 * Unlike the rest of the project this file and what it includes may also be
 * used under GPL-2.0: the kernel gives bpf_sock_destroy to no other program.
 */
#include "bpfmap/judge.bpf.h"

#include <bpf/bpf_core_read.h>

char program_license[] SEC("license") = "Dual BSD/GPL"; /* bpf_sock_destroy asks for it */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr {
	union {
		__u32 u6_addr32[4];
	} in6_u;
};

struct net {
	__u64 net_cookie;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	__u32 skc_daddr;
	__u32 skc_rcv_saddr;
	__u16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};

#pragma clang attribute pop

extern int bpf_sock_destroy(struct sock_common *sock) __ksym;

static __always_inline void put_words(__u8 *to, const struct in6_addr *from)
{
	const __u32 words[4] = {from->in6_u.u6_addr32[0], from->in6_u.u6_addr32[1],
		from->in6_u.u6_addr32[2], from->in6_u.u6_addr32[3]};

	__builtin_memcpy(to, words, 16);
}

static __always_inline int is_mapped(const struct in6_addr *a)
{
	return a->in6_u.u6_addr32[0] == 0 && a->in6_u.u6_addr32[1] == 0 &&
	       a->in6_u.u6_addr32[2] == bpf_htonl(0xffff);
}

/* Sockets that are a connection: not listeners, half-open ones, or TIME_WAIT. */
static __always_inline int is_connection(const struct sock_common *sk)
{
	__u8 state = sk->skc_state;

	return state != BPF_TCP_LISTEN && state != BPF_TCP_NEW_SYN_RECV &&
	       state != BPF_TCP_TIME_WAIT && state != BPF_TCP_CLOSE;
}

static __always_inline int key_of(const struct sock_common *sk, struct bpfmap_flow_key *key)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->remote_port = bpf_ntohs(sk->skc_dport);
	key->local_port = sk->skc_num;
	if (sk->skc_family == AF_INET ||
		(sk->skc_family == AF_INET6 && is_mapped(&sk->skc_v6_daddr))) {
		const __u32 remote = sk->skc_daddr, local = sk->skc_rcv_saddr;

		key->family = BPFMAP_FAMILY_IPV4;
		__builtin_memcpy(key->remote_addr, &remote, 4);
		__builtin_memcpy(key->local_addr, &local, 4);
		return 1;
	}
	if (sk->skc_family != AF_INET6)
		return 0;
	key->family = BPFMAP_FAMILY_IPV6;
	put_words(key->remote_addr, &sk->skc_v6_daddr);
	put_words(key->local_addr, &sk->skc_v6_rcv_saddr);
	return 1;
}

/*
 * Ends what is revoked or expired; notes when the next one is due. A byte for
 * each connection that it ended: the reader stops it by reading few.
 */
SEC("iter/tcp")
int identityd_kill(struct bpf_iter__tcp *ctx)
{
	const struct bpfmap_control *c = get_control();
	struct sock_common *sk = ctx->sk_common;
	struct bpfmap_flow_key key;
	struct bpfmap_flow *flow;
	const char one = 1;
	__u32 cause, mode;

	if (!c || !sk || !is_connection(sk) || !key_of(sk, &key))
		return 0;
	flow = bpf_map_lookup_elem(&flows, &key);
	if (!flow || !is_of(flow, bpf_get_socket_cookie(sk)))
		return 0;
	mode = mode_of(c, BPFMAP_PART_KILL);
	cause = flow_end(flow);
	if (cause == BPFMAP_CAUSE_NONE) {
		if ((flow->flags & BPFMAP_FLOW_KILL) && flow->expires)
			note_due(flow->expires);
		return 0;
	}
	if (mode == BPFMAP_MODE_OFF)
		return 0;
	/* A drop may have been told before: that the connection is dead is news. */
	if (mode == BPFMAP_MODE_ENFORCE)
		__sync_fetch_and_and(&flow->flags, ~BPFMAP_FLOW_TOLD);
	tell_flow(&key, flow, BPFMAP_EVENT_KILL, cause, mode == BPFMAP_MODE_AUDIT);
	if (mode != BPFMAP_MODE_ENFORCE)
		return 0;
	__sync_fetch_and_or(&flow->flags, BPFMAP_FLOW_DYING);
	if (bpf_sock_destroy(sk)) {
		__sync_fetch_and_and(&flow->flags, ~BPFMAP_FLOW_DYING);
	} else {
		count(BPFMAP_COUNT_KILLED);
		bpf_seq_write(ctx->meta->seq, &one, sizeof(one));
	}
	return 0;
}

/* Which entries have a socket? */
SEC("iter/tcp")
int identityd_look(struct bpf_iter__tcp *ctx)
{
	const struct bpfmap_cells *c = get_cells();
	struct sock_common *sk = ctx->sk_common;
	struct bpfmap_flow_key key;
	struct bpfmap_flow *flow;

	if (!c || !sk || !key_of(sk, &key))
		return 0;
	flow = bpf_map_lookup_elem(&flows, &key);
	if (flow && is_of(flow, bpf_get_socket_cookie(sk)))
		flow->seen = c->generation;
	return 0;
}

#define SOL_TCP                   6
#define TCP_BPF_SOCK_OPS_CB_FLAGS 1008 /* Linux 6.12 */

/*
 * Connections that were there before the program. Where the kernel does not
 * let us ask for the callback at their close, the looks find their end.
 * Without a list of ports nobody knows which sockets are HAProxy's.
 */
SEC("iter/tcp")
int identityd_seed(struct bpf_iter__tcp *ctx)
{
	const struct bpfmap_settings *s = get_settings();
	const struct bpfmap_cells *c = get_cells();
	struct sock_common *sk = ctx->sk_common;
	int flags = BPF_SOCK_OPS_STATE_CB_FLAG;
	struct bpfmap_flow flow = {};
	struct bpfmap_flow_key key;

	if (!s || !c || !sk || !s->n_ports || !is_connection(sk) || !wanted(sk->skc_num))
		return 0;
	if (!key_of(sk, &key) || bpf_map_lookup_elem(&flows, &key))
		return 0;
	flow.cookie = bpf_get_socket_cookie(sk);
	flow.netns = sk->skc_net.net->net_cookie;
	flow.seen = c->generation;
	if (bpf_map_update_elem(&flows, &key, &flow, BPF_NOEXIST))
		return 0;
	count(BPFMAP_COUNT_FLOWS_SEEDED);
	bpf_setsockopt(sk, SOL_TCP, TCP_BPF_SOCK_OPS_CB_FLAGS, &flags, sizeof(flags));
	return 0;
}
