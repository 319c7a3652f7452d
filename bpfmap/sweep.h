/*
 * What is done to many flows: revoking, ending connections, and finding
 * entries without a socket. For the main thread; other agents may do the same
 * at the same time.
 *
 * To revoke: write down that it is revoked, so that no new request is
 * allowed; then bpfmap_revoke; then bpfmap_kill. A worker that was in the
 * middle of an ALLOW may bind after the revoke: repeat both once, after the
 * workers have seen the revocation.
 */
#ifndef BPFMAP_SWEEP_H
#define BPFMAP_SWEEP_H

#include "bpfmap/bpfmap.h"

/*
 * Calls visit for every entry, with a copy of it; stops when it returns
 * something else than 0 and returns that. Entries that come or go meanwhile
 * may be missed or not. -ENOMEM, or -errno of the system call.
 */
int bpfmap_flows_each(struct bpfmap *map,
	int (*visit)(void *arg, const struct bpfmap_flow_key *key, const struct bpfmap_flow *flow),
	void *arg) must_check;

/* What a token must say; all fields that are not 0 together. */
struct bpfmap_revocation {
	uint64_t token[BPFMAP_TOKEN_FIELDS]; /* hashes, as in struct bpfmap_flow; not all 0 */
	int64_t issued_before;               /* only tokens with an earlier iat, or none; 0: all */
};

/*
 * Sets REVOKED on every flow whose token falls under one of them; a SHARED
 * flow has no token and is left alone. *ret_n says on how many it was set
 * now. One pass over the map, however many revocations. 0, -EINVAL one names
 * nothing, -ENOMEM, or -errno.
 */
int bpfmap_revoke(struct bpfmap *map, const struct bpfmap_revocation *list, size_t n,
	unsigned *ret_n) must_check;

/* The same for every flow of an identity, not 0. */
int bpfmap_revoke_identity(struct bpfmap *map, uint32_t identity, unsigned *ret_n) must_check;

/* And for one connection. *ret_n is 0 when there is none. */
int bpfmap_revoke_flow(
	struct bpfmap *map, const struct bpfmap_flow_key *key, unsigned *ret_n) must_check;

/*
 * Ends the connections of revoked and expired flows in this network
 * namespace, as far as control says so. Needs only the pinned iterator. 0;
 * -ENOENT the kernel or setup has none: packets are dropped, that is all; or
 * -errno.
 */
int bpfmap_kill(struct bpfmap *map) must_check;

/*
 * The same in pieces: begin gives a descriptor, some ends n connections (at
 * least 1) and what else there is in their hash bucket's batch: *ret_n; 1
 * there may be more, 0 all sockets were looked at, or -errno. What comes up
 * or goes meanwhile may make it miss a socket: another pass finds that.
 */
int bpfmap_kill_begin(struct bpfmap *map, int *ret_fd) must_check;
int bpfmap_kill_some(int fd, unsigned n, unsigned *ret_n) must_check;

/* The earliest expiry that kills, CLOCK_BOOTTIME ns; 0: none is known. 0 or -errno. */
int bpfmap_due(struct bpfmap *map, uint64_t *ret_due) must_check;

/* Forgets due: the next pass notes it anew. 0 or -errno. */
int bpfmap_undue(struct bpfmap *map) must_check;

/* bpfmap_undue, then bpfmap_kill. 0, -ENOENT, or -errno. */
int bpfmap_expire(struct bpfmap *map) must_check;

/*
 * Removes entries of this network namespace whose socket two calls in a row
 * did not find. 0, -ENOENT no pinned iterator, or -errno.
 */
int bpfmap_reconcile(struct bpfmap *map, unsigned *ret_n) must_check;

#endif
