/*
 * What Cilium's agents look for besides numbers: which addresses have which
 * number (PREFIX/state/ip/v1, cilium.md 2.2), and, where the etcd is a cluster
 * of our own, that cluster's configuration and a heartbeat each minute (2.3).
 * All but the heartbeat is under our lease, so it ends with us.
 *
 * Agents with the same name for the cluster share its configuration: it is
 * under the lease of one of them, and when that ends another puts it again
 * within ETCD_MESH_REFRESH_S.
 */
#ifndef ETCD_MESH_H
#define ETCD_MESH_H

#include "etcd/client.h"
#include "etcd/layout.h"
#include "etcd/lease.h"
#include "ident/number.h"

#include <netinet/in.h>

#define ETCD_MESH_REFRESH_S   60
#define ETCD_MESH_HEARTBEAT_S 60
#define ETCD_ADDRESSES_MAX    1024

struct etcd_mesh;

struct etcd_address {
	char text[INET6_ADDRSTRLEN];
	struct ident_markable number;
};

/*
 * The text of an address as Go's net.IP prints it, which Cilium compares with:
 * family AF_INET or AF_INET6. 0, or -EINVAL for one that no peer has (IPv4 in
 * IPv6, unspecified).
 */
int etcd_mesh_text(int family, const void *address, char to[INET6_ADDRSTRLEN]) must_check;

/* The value of an address's key, byte for byte as Cilium writes it. */
#define ETCD_MESH_IP_MAX 160
struct span etcd_mesh_ip(const struct etcd_address *address, char to[ETCD_MESH_IP_MAX]);
/* The value of the cluster's configuration. */
#define ETCD_MESH_CONFIG_MAX 96
struct span etcd_mesh_config(const struct etcd_cluster *cluster, char to[ETCD_MESH_CONFIG_MAX]);

/* own: the etcd is this cluster's alone. Borrows all. NULL without memory. */
struct etcd_mesh *etcd_mesh_new(struct etcd_client *client, const struct etcd_cluster *cluster,
	struct etcd_lease *lease, bool own) must_check;
void etcd_mesh_free(struct etcd_mesh *mesh);

/* These are the addresses from now on, at most ETCD_ADDRESSES_MAX; others of ours go. */
void etcd_mesh_addresses(struct etcd_mesh *mesh, const struct etcd_address *list, size_t n);

/* Does what is due; when to call again (CLOCK_MONOTONIC, ns). */
uint64_t etcd_mesh_tick(struct etcd_mesh *mesh, uint64_t now_ns, int64_t wall_s);

/* Addresses that are in etcd, and how many there are to be. */
size_t etcd_mesh_published(const struct etcd_mesh *mesh, size_t *ret_wanted);

DEFINE_CLEANUP(etcd_mesh, struct etcd_mesh *, etcd_mesh_free)

#endif
