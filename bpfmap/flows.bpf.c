/*
 * The kernel's half of the flows map: an entry appears when a client's
 * connection is established and goes when it closes. Who the client is, the
 * agent writes into it later.
 *
 * A socket is asked about by the cgroup of whoever created its listener.
 */
#include "bpfmap/abi.h"

char program_license[] SEC("license") = "Apache-2.0";

/* identityd-setup sets max_entries. HASH, preallocated: no allocation in softirq. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct bpfmap_flow_key);
	__type(value, struct bpfmap_flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, BPFMAP_OVERFLOW_ENTRIES);
	__type(key, struct bpfmap_flow_key);
	__type(value, __u32);
} overflow SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bpfmap_settings);
} settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BPFMAP_STATS);
	__type(key, __u32);
	__type(value, __u64);
} stats SEC(".maps");

static __always_inline void count(__u32 stat)
{
	__u64 *value = bpf_map_lookup_elem(&stats, &stat);

	if (value)
		*value += 1;
}

static __always_inline int wanted(__u32 port)
{
	__u32 zero = 0;
	const struct bpfmap_settings *s = bpf_map_lookup_elem(&settings, &zero);

	/* Settings of another layout say nothing about ports. */
	if (!s || s->version != BPFMAP_ABI_VERSION)
		return 0;
	if (s->n_ports == 0)
		return 1;
	for (__u32 i = 0; i < BPFMAP_PORTS_MAX; i++) {
		if (i < s->n_ports && s->ports[i] == port)
			return 1;
	}
	return 0;
}

static __always_inline void put_ipv4(__u8 *to, __u32 addr)
{
	__builtin_memcpy(to, &addr, 4);
}

/* Word by word: the verifier refuses wider reads of the context, and clang would merge these. */
static __always_inline void put_ipv6(__u8 *to, const volatile __u32 *from)
{
	const __u32 words[4] = {from[0], from[1], from[2], from[3]};

	__builtin_memcpy(to, words, 16);
}

/* An IPv4 client of a v4v6 listener is ::ffff:a.b.c.d (RFC 4291 2.5.5.2). */
static __always_inline int is_mapped(const volatile __u32 *addr)
{
	return addr[0] == 0 && addr[1] == 0 && addr[2] == bpf_htonl(0xffff);
}

/*
 * The ports differ in the context: local_port is a number, remote_port is in
 * network order in the upper half of its 32 bits (linux/bpf.h, bpf_sock_ops).
 */
static __always_inline int key_of(struct bpf_sock_ops *ops, struct bpfmap_flow_key *key)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->remote_port = bpf_ntohl(ops->remote_port);
	key->local_port = ops->local_port;
	if (ops->family == AF_INET || (ops->family == AF_INET6 && is_mapped(ops->remote_ip6))) {
		key->family = BPFMAP_FAMILY_IPV4;
		put_ipv4(key->remote_addr, ops->remote_ip4);
		put_ipv4(key->local_addr, ops->local_ip4);
		return 1;
	}
	if (ops->family != AF_INET6)
		return 0;
	key->family = BPFMAP_FAMILY_IPV6;
	put_ipv6(key->remote_addr, ops->remote_ip6);
	put_ipv6(key->local_addr, ops->local_ip6);
	return 1;
}

/*
 * BPF_ANY: whatever an earlier connection left under the same pair is not
 * this one's. Without the callback nobody would ever delete the entry, so it
 * comes first.
 */
static __always_inline void opened(struct bpf_sock_ops *ops)
{
	struct bpfmap_flow_key key;
	struct bpfmap_flow flow = {};
	const __u32 one = 1;

	if (!wanted(ops->local_port) || !key_of(ops, &key))
		return;
	if (bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG))
		return;
	flow.cookie = bpf_get_socket_cookie(ops);
	if (bpf_map_update_elem(&flows, &key, &flow, BPF_ANY)) {
		bpf_map_update_elem(&overflow, &key, &one, BPF_ANY);
		count(BPFMAP_STAT_FLOWS_FULL);
	} else {
		count(BPFMAP_STAT_FLOWS_OPENED);
	}
}

/*
 * The ports are not asked again: they may have changed since. The cookie
 * tells whether the entry is this socket's: on the way to TIME_WAIT the next
 * connection of the same pair may be here before the close of the last.
 */
static __always_inline void closed(struct bpf_sock_ops *ops)
{
	struct bpfmap_flow_key key;
	const struct bpfmap_flow *flow;

	if (!key_of(ops, &key))
		return;
	flow = bpf_map_lookup_elem(&flows, &key);
	if (!flow)
		bpf_map_delete_elem(&overflow, &key);
	if (!flow || flow->cookie != bpf_get_socket_cookie(ops))
		return;
	if (!bpf_map_delete_elem(&flows, &key))
		count(BPFMAP_STAT_FLOWS_CLOSED);
}

SEC("sockops")
int identityd_sock_ops(struct bpf_sock_ops *ops)
{
	if (ops->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		opened(ops);
	else if (ops->op == BPF_SOCK_OPS_STATE_CB && ops->args[1] == BPF_TCP_CLOSE)
		closed(ops);
	return 1;
}
