/*
 * The judgements with a random key for each run, so that the kernel's caches
 * help no more than real traffic would let them. The number of keys stands
 * behind an Ethernet and an IPv4 header.
 */
#include "bpfmap/judge.bpf.h"

char program_license[] SEC("license") = "Apache-2.0";

#define AT 34

static __always_inline int random_key(struct __sk_buff *skb, struct bpfmap_flow_key *key)
{
	__u32 n = 1, i;

	if (bpf_skb_load_bytes(skb, AT, &n, sizeof(n)) || !n)
		return 0;
	i = bpf_get_prandom_u32() % n;
	__builtin_memset(key, 0, sizeof(*key));
	__builtin_memcpy(key->remote_addr, &i, sizeof(i));
	key->remote_port = i;
	key->local_port = 443;
	key->family = BPFMAP_FAMILY_IPV4;
	return 1;
}

SEC("tc")
int bench_nothing(struct __sk_buff *skb)
{
	struct bpfmap_flow_key key;

	return random_key(skb, &key) && key.remote_port == 1;
}

SEC("tc")
int bench_lookup(struct __sk_buff *skb)
{
	struct bpfmap_flow_key key;

	return random_key(skb, &key) && bpf_map_lookup_elem(&flows, &key);
}

SEC("tc")
int bench_client(struct __sk_buff *skb)
{
	struct bpfmap_flow_key key;

	return random_key(skb, &key) && judge_client(&key, 5, BPFMAP_INGRESS, skb->len);
}

/* Identity 300 to one of 256 services at 10.x.0.0/16, port 443. */
static __always_inline void random_destination(struct destination *to)
{
	__u32 i = bpf_get_prandom_u32();

	__builtin_memset(to, 0, sizeof(*to));
	to->family = BPFMAP_FAMILY_IPV4;
	to->protocol = IPPROTO_TCP;
	to->port = bpf_htons(443);
	to->addr[0] = 10;
	to->addr[1] = i;
	to->addr[2] = i >> 8;
}

SEC("tc")
int bench_destination(struct __sk_buff *skb)
{
	struct destination to;

	random_destination(&to);
	return to.addr[1] == 1 && skb->len;
}

SEC("tc")
int bench_marked(struct __sk_buff *skb)
{
	struct destination to;

	random_destination(&to);
	return judge_marked(300 << 16 | BPFMAP_MARK_MAGIC, &to, NULL, 5, BPFMAP_EGRESS, skb->len);
}

SEC("tc")
int bench_connect(struct __sk_buff *skb)
{
	struct destination to;

	random_destination(&to);
	return skb->len && judge_connect(300 << 16 | BPFMAP_MARK_MAGIC, &to, 5);
}
