/*
 * The judgements of bpfmap/judge.bpf.h in a program type that
 * BPF_PROG_TEST_RUN knows. The packet's first bytes are no packet but say what
 * to judge: struct harness_case, behind an Ethernet and an IPv4 header.
 */
#include "bpfmap/judge.bpf.h"
#include "tests/unit/bpfmap/harness.h"

char program_license[] SEC("license") = "Apache-2.0";

#define AT 34 /* Ethernet 14, IPv4 20 */

SEC("tc")
int harness(struct __sk_buff *skb)
{
	struct harness_case c;
	struct destination to;
	__u32 words[4];

	if (bpf_skb_load_bytes(skb, AT, &c, sizeof(c)))
		return HARNESS_BROKEN;
	to.family = c.family;
	to.protocol = c.protocol;
	__builtin_memcpy(&to.port, c.port, sizeof(to.port));
	__builtin_memcpy(to.addr, c.addr, sizeof(to.addr));
	__builtin_memcpy(words, c.addr, sizeof(words));
	if (c.what == HARNESS_ADDRESS4)
		put_ipv4(&to, words[0]);
	if (c.what == HARNESS_ADDRESS6)
		put_ipv6(&to, words);
	if (c.what == HARNESS_CONNECT || c.what == HARNESS_ADDRESS4 || c.what == HARNESS_ADDRESS6)
		return judge_connect(c.mark, &to, c.cookie);
	if (c.what == HARNESS_MARKED)
		return judge_marked(c.mark, &to, &c.flow, c.cookie, BPFMAP_EGRESS, skb->len);
	return judge_client(&c.flow, c.cookie, BPFMAP_INGRESS, skb->len);
}
