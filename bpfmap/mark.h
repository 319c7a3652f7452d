/*
 * An identity inside a packet mark, as Cilium writes it for its egress proxy:
 * IIIIIIII IIIIIIII KKKKMMMM CCCCCCCC. Pure, for kernel and user space.
 *
 * Source: cilium bpf/lib/common.h (MARK_MAGIC_*), bpf/lib/identity.h
 * (get_identity, set_identity_mark). A number's upper bits are its cluster:
 * 8 with max-connected-clusters 255, 9 with 511; with 511 the ninth stands in
 * the mark's bit 31.
 */
#ifndef BPFMAP_MARK_H
#define BPFMAP_MARK_H

#include <linux/types.h>

#define BPFMAP_MARK_MAGIC 0x0B00U
#define BPFMAP_MARK_MASK  0x0F00U /* the bits that say whose mark it is */

#define BPFMAP_MARK_MIN 256U      /* below: reserved identities */
#define BPFMAP_MARK_MAX 0xFFFFFFU /* above: numbers with a scope, which mean other things */

/* clusters: 255 or 511. The bits of a number that are not its cluster. */
static inline __u32 bpfmap_mark_local_bits(__u32 clusters)
{
	return clusters == 511 ? 15 : 16;
}

/* The mark, or 0 for a number that must not be marked. */
static inline __u32 bpfmap_mark_encode(__u32 identity, __u32 clusters)
{
	const __u32 bits = bpfmap_mark_local_bits(clusters);
	const __u32 local = identity & ((1U << bits) - 1);
	const __u32 cluster = identity >> bits;

	if (identity < BPFMAP_MARK_MIN || identity > BPFMAP_MARK_MAX)
		return 0;
	return BPFMAP_MARK_MAGIC | local << 16 | (cluster & 0xff) | (cluster >> 8) << 31;
}

/* The identity, or 0: another's mark, or no number that may be marked. */
static inline __u32 bpfmap_mark_decode(__u32 mark, __u32 clusters)
{
	const __u32 bits = bpfmap_mark_local_bits(clusters);
	const __u32 local = (mark >> 16) & ((1U << bits) - 1);
	const __u32 cluster = (mark & 0xff) | (bits == 15 ? mark >> 31 << 8 : 0);
	const __u32 identity = cluster << bits | local;

	if ((mark & BPFMAP_MARK_MASK) != BPFMAP_MARK_MAGIC || identity < BPFMAP_MARK_MIN)
		return 0;
	return identity;
}

#endif
