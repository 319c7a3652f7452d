/*
 * The programs on HAProxy's cgroup. A socket is asked about by the cgroup of
 * whoever created it, or its listener. All judgements are in judge.bpf.h.
 */
#include "bpfmap/judge.bpf.h"
#include "bpfmap/update.bpf.h"

char program_license[] SEC("license") = "Apache-2.0";

/* Word by word: the verifier refuses wider reads of a context, and clang would merge these. */
static __always_inline void read_words(__u32 to[4], const volatile __u32 *from)
{
	for (int i = 0; i < 4; i++)
		to[i] = from[i];
}

static __always_inline void copy_words(__u8 *to, const volatile __u32 *from)
{
	__u32 words[4];

	read_words(words, from);
	__builtin_memcpy(to, words, sizeof(words));
}

static __always_inline int is_ipv4(__u32 family, const volatile __u32 *remote_ip6)
{
	__u32 words[4];

	if (family != AF_INET6)
		return family == AF_INET;
	read_words(words, remote_ip6);
	return is_ipv4_mapped(words);
}

static __always_inline void copy_word(__u8 *to, __u32 word)
{
	__builtin_memcpy(to, &word, sizeof(word));
}

/*
 * The ports differ in the context: local_port is a number, remote_port is in
 * network order in the upper half of its 32 bits (linux/bpf.h, bpf_sock_ops).
 */
static __always_inline int key_of_ops(struct bpf_sock_ops *ops, struct bpfmap_flow_key *key)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->remote_port = bpf_ntohl(ops->remote_port);
	key->local_port = ops->local_port;
	if (is_ipv4(ops->family, ops->remote_ip6)) {
		key->family = BPFMAP_FAMILY_IPV4;
		copy_word(key->remote_addr, ops->remote_ip4);
		copy_word(key->local_addr, ops->local_ip4);
		return 1;
	}
	if (ops->family != AF_INET6)
		return 0;
	key->family = BPFMAP_FAMILY_IPV6;
	copy_words(key->remote_addr, ops->remote_ip6);
	copy_words(key->local_addr, ops->local_ip6);
	return 1;
}

/*
 * BPF_ANY: whatever an earlier connection left under the same pair is not
 * this one's. Without the callback nobody would ever delete the entry, so it
 * comes first.
 */
static __always_inline void opened(struct bpf_sock_ops *ops)
{
	const struct bpfmap_cells *c = get_cells();
	struct bpfmap_flow flow = {};
	struct bpfmap_flow_key key;
	const __u32 one = 1;

	if (!wanted(ops->local_port) || !key_of_ops(ops, &key))
		return;
	if (bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG))
		return;
	flow.cookie = bpf_get_socket_cookie(ops);
	flow.netns = bpf_get_netns_cookie(ops);
	flow.seen = c ? c->generation : 0;
	if (bpf_map_update_elem(&flows, &key, &flow, BPF_ANY)) {
		bpf_map_update_elem(&overflow, &key, &one, BPF_ANY);
		count(BPFMAP_COUNT_FLOWS_FULL);
	} else {
		count(BPFMAP_COUNT_FLOWS_OPENED);
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

	if (!key_of_ops(ops, &key))
		return;
	flow = bpf_map_lookup_elem(&flows, &key);
	if (!flow)
		bpf_map_delete_elem(&overflow, &key);
	if (!flow || flow->cookie != bpf_get_socket_cookie(ops))
		return;
	if (!bpf_map_delete_elem(&flows, &key))
		count(BPFMAP_COUNT_FLOWS_CLOSED);
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

static __always_inline int judge_addr4(struct bpf_sock_addr *ctx)
{
	struct destination to = {.protocol = ctx->protocol, .port = ctx->user_port};
	struct bpf_sock *sk = ctx->sk;

	put_ipv4(&to, ctx->user_ip4);
	return judge_connect(sk ? sk->mark : 0, &to, bpf_get_socket_cookie(ctx));
}

static __always_inline int judge_addr6(struct bpf_sock_addr *ctx)
{
	struct destination to = {.protocol = ctx->protocol, .port = ctx->user_port};
	struct bpf_sock *sk = ctx->sk;
	__u32 words[4];

	read_words(words, ctx->user_ip6);
	put_ipv6(&to, words);
	return judge_connect(sk ? sk->mark : 0, &to, bpf_get_socket_cookie(ctx));
}

SEC("cgroup/connect4")
int identityd_connect4(struct bpf_sock_addr *ctx)
{
	return judge_addr4(ctx);
}

SEC("cgroup/connect6")
int identityd_connect6(struct bpf_sock_addr *ctx)
{
	return judge_addr6(ctx);
}

/* Unconnected UDP passes here, not at connect. */
SEC("cgroup/sendmsg4")
int identityd_sendmsg4(struct bpf_sock_addr *ctx)
{
	return judge_addr4(ctx);
}

SEC("cgroup/sendmsg6")
int identityd_sendmsg6(struct bpf_sock_addr *ctx)
{
	return judge_addr6(ctx);
}

/* Of the socket, never of the packet: headers, options and fragments do not matter. */
static __always_inline int key_of_sock(struct bpf_sock *sk, struct bpfmap_flow_key *key)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->remote_port = bpf_ntohs(sk->dst_port);
	key->local_port = sk->src_port;
	if (is_ipv4(sk->family, sk->dst_ip6)) {
		key->family = BPFMAP_FAMILY_IPV4;
		copy_word(key->remote_addr, sk->dst_ip4);
		copy_word(key->local_addr, sk->src_ip4);
		return 1;
	}
	if (sk->family != AF_INET6)
		return 0;
	key->family = BPFMAP_FAMILY_IPV6;
	copy_words(key->remote_addr, sk->dst_ip6);
	copy_words(key->local_addr, sk->src_ip6);
	return 1;
}

static __always_inline int packet(struct __sk_buff *skb, __u32 direction)
{
	struct bpf_sock *sk = skb->sk;
	struct bpfmap_flow_key key;
	__u64 cookie;

	/* Handshakes and TIME_WAIT have no full socket yet, or no more. */
	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (!sk || !key_of_sock(sk, &key))
		return 1;
	cookie = bpf_get_socket_cookie(skb);
	if ((sk->mark & BPFMAP_MARK_MASK) == BPFMAP_MARK_MAGIC) {
		struct destination to = {
			.family = key.family,
			.protocol = sk->protocol,
			.port = sk->dst_port,
		};

		__builtin_memcpy(to.addr, key.remote_addr, sizeof(to.addr));
		return judge_marked(sk->mark, &to, &key, cookie, direction, skb->len);
	}
	return judge_client(&key, cookie, direction, skb->len);
}

SEC("cgroup_skb/ingress")
int identityd_ingress(struct __sk_buff *skb)
{
	return packet(skb, BPFMAP_INGRESS);
}

SEC("cgroup_skb/egress")
int identityd_egress(struct __sk_buff *skb)
{
	return packet(skb, BPFMAP_EGRESS);
}

SEC("syscall")
int identityd_update(struct bpfmap_update *ctx)
{
	update(ctx);
	return 0;
}
