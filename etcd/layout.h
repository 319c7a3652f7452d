/*
 * Where Cilium keeps identities and addresses in etcd, byte for byte
 * (reference: cilium pkg/kvstore/allocator, pkg/identity/key, pkg/ipcache;
 * verified with real Cilium binaries).
 *
 *	PREFIX/state/identities/v1/id/NUMBER             labels; no lease
 *	PREFIX/state/identities/v1/value/LABELS/NODE     number; our lease
 *	PREFIX/state/identities/v1/locks/LABELS/LEASE    lock; a short lease
 *	PREFIX/state/ip/v1/default/ADDRESS               JSON; our lease
 *	PREFIX/cluster-config/NAME                       JSON; our lease
 *	PREFIX/.heartbeat                                time, each minute
 *
 * PREFIX is "cilium". LABELS is the canonical text, final semicolon included;
 * it may hold slashes, NODE may not. LEASE is the lock's lease in hex.
 */
#ifndef ETCD_LAYOUT_H
#define ETCD_LAYOUT_H

#include "base/mem.h"
#include "base/span.h"
#include "ident/labels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ETCD_PREFIX_MAX 64
#define ETCD_NODE_MAX   253
#define ETCD_KEY_MAX    (IDENT_LABELS_TEXT_MAX + ETCD_PREFIX_MAX + ETCD_NODE_MAX + 64)

/* A cluster's numbers: of a cluster without id (0), or of one in a mesh. */
struct etcd_cluster {
	const char *prefix; /* without a slash at its end */
	const char *node;   /* names this agent: no slash */
	unsigned id;        /* 0 to 511 */
	unsigned clusters;  /* 255 or 511: how many bits a number has for it */
	const char *name;
};

/* The first and last number that may be given out (cilium.md 1.1). */
uint32_t etcd_layout_min(const struct etcd_cluster *cluster);
uint32_t etcd_layout_max(const struct etcd_cluster *cluster);
static inline bool etcd_layout_has(const struct etcd_cluster *cluster, uint32_t id)
{
	return id >= etcd_layout_min(cluster) && id <= etcd_layout_max(cluster);
}

/* A cluster's name: at most 32 characters, ^([a-z0-9][-a-z0-9]*)?[a-z0-9]$. */
bool etcd_layout_is_name(const char *name);
bool etcd_layout_is_node(const char *node);

/* Keys, NUL-terminated, as a span of to. */
typedef char etcd_key_buf[ETCD_KEY_MAX + 1];
struct span etcd_layout_identities(const struct etcd_cluster *cluster, etcd_key_buf to);
struct span etcd_layout_ids(const struct etcd_cluster *cluster, etcd_key_buf to);
struct span etcd_layout_id(const struct etcd_cluster *cluster, uint32_t id, etcd_key_buf to);
struct span etcd_layout_value(
	const struct etcd_cluster *cluster, const char *labels, etcd_key_buf to);
/* Of all nodes: a prefix, which ends with a slash. */
struct span etcd_layout_values(
	const struct etcd_cluster *cluster, const char *labels, etcd_key_buf to);
struct span etcd_layout_lock(
	const struct etcd_cluster *cluster, const char *labels, int64_t lease, etcd_key_buf to);
struct span etcd_layout_locks(
	const struct etcd_cluster *cluster, const char *labels, etcd_key_buf to);
struct span etcd_layout_ip(
	const struct etcd_cluster *cluster, const char *address, etcd_key_buf to);
struct span etcd_layout_config(const struct etcd_cluster *cluster, etcd_key_buf to);
struct span etcd_layout_heartbeat(const struct etcd_cluster *cluster, etcd_key_buf to);

/* A number as Cilium writes it: decimal, no sign, no zero in front. 0, or -EINVAL. */
int etcd_layout_number(struct span text, uint32_t *ret_id) must_check;

/*
 * What a key below identities/v1/ is.
 *   0        *ret_id: a number's key, and the number is in the cluster's range
 *   -ERANGE  a number's key of another range
 *   -ENOENT  something else below the prefix: a value, a lock
 *   -EINVAL  nothing that Cilium would write
 */
int etcd_layout_parse_id(
	const struct etcd_cluster *cluster, struct span key, uint32_t *ret_id) must_check;

/*
 * Are these the labels of a number of this cluster? Canonical byte for byte,
 * and, in a mesh, with the label of this cluster. 0; -EINVAL; -E2BIG.
 */
int etcd_layout_labels_check(
	const struct etcd_cluster *cluster, struct span labels, bool mesh) must_check;

#endif
