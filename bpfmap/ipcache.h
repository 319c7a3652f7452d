/*
 * Cilium's ipcache: which identity an address has, as Cilium on this node knows
 * it. Opened for reading and never written: the map is Cilium's.
 *
 * Source: cilium bpf/lib/eps.h. Key of 24 bytes in all versions: prefix length
 * (32 bits, and the address's), u16 cluster, u8 0, u8 family 1 or 2, 16 bytes of
 * address in network order. "cilium_ipcache" (up to 1.17) has values of 12
 * bytes, "cilium_ipcache_v2" (1.18) of 24; the identity is the first u32.
 *
 * Cilium's agent removes the pin at each start and makes a new map: a
 * descriptor from before goes on working and is wrong. Ask bpfmap_ipcache_same.
 */
#ifndef BPFMAP_IPCACHE_H
#define BPFMAP_IPCACHE_H

#include "base/mem.h"
#include "bpfmap/bpfmap.h"

#include <stdbool.h>
#include <stdint.h>

#define BPFMAP_IPCACHE_V2 "cilium_ipcache_v2"
#define BPFMAP_IPCACHE_V1 "cilium_ipcache"

struct bpfmap_ipcache;

/*
 * Opens the pin of the newer name in dir, else that of the older. 0, or -errno
 * with a sentence in why: -ENOENT neither is there, -EACCES, -EPROTO another
 * layout.
 */
int bpfmap_ipcache_open(
	const char *dir, struct bpfmap_ipcache **ret, char why[BPFMAP_WHY]) must_check;
void bpfmap_ipcache_close(struct bpfmap_ipcache *ipcache);

/* Is what is pinned in dir still what is open? Also false when a newer name has appeared. */
bool bpfmap_ipcache_same(const struct bpfmap_ipcache *ipcache);

/* 1 or 2: whose layout. */
unsigned bpfmap_ipcache_version(const struct bpfmap_ipcache *ipcache);

/*
 * The identity of the longest prefix that has this address, IPv4 as
 * ::ffff:a.b.c.d. One system call; from any thread. 0, -ENOENT no prefix has
 * it, or -errno.
 */
int bpfmap_ipcache_find(const struct bpfmap_ipcache *ipcache, const uint8_t address[16],
	uint32_t *ret_identity) must_check;

/*
 * Does the path lead to a map of either layout? For whoever gives others the
 * right to read it. 0, -ENOENT, -EPROTO or -errno, with why.
 */
int bpfmap_ipcache_check(const char *path, unsigned version, char why[BPFMAP_WHY]) must_check;

DEFINE_CLEANUP(bpfmap_ipcache, struct bpfmap_ipcache *, bpfmap_ipcache_close)

#endif
