/*
 * The agent's side of the pinned maps: open, check, bind an identity to a
 * flow. Needs no capability, only read and write permission on the pins.
 */
#ifndef BPFMAP_BPFMAP_H
#define BPFMAP_BPFMAP_H

#include "base/mem.h"
#include "bpfmap/abi.h"
#include "bpfmap/program.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpfmap;

#define BPFMAP_WHY 256

/*
 * Opens the pins below dir and checks type, key and value size and the ABI
 * version. 0, or -errno with a sentence in why: -ENOENT no pin, -EACCES,
 * -EPROTO another layout (both printed in why).
 */
int bpfmap_open(const char *dir, struct bpfmap **ret, char why[BPFMAP_WHY]) must_check;
void bpfmap_close(struct bpfmap *map);

enum bpfmap_bound {
	BPFMAP_BOUND,     /* the entry now carries this identity */
	BPFMAP_UNCHANGED, /* it already did */
	BPFMAP_SHARED, /* another subject uses the connection too: identity 0, judged per request */
	BPFMAP_UNBOUND, /* the kernel knows no such connection */
};

struct bpfmap_binding {
	uint32_t identity;                   /* not 0 */
	uint64_t subject;                    /* not 0 */
	uint64_t expires;                    /* CLOCK_BOOTTIME ns, 0: never */
	bool kill;                           /* BPFMAP_FLOW_KILL */
	uint64_t token[BPFMAP_TOKEN_FIELDS]; /* as in struct bpfmap_flow */
	int64_t issued;
};

/*
 * Writes the identity into the entry of this connection; only what changed is
 * written, and only into an entry that the kernel made. The write has
 * returned when this does. 0 and *ret_bound; -EINVAL for an identity or a
 * subject that is 0; -E2BIG when the connection came while the map was full;
 * or -errno of the system call.
 *
 * Safe from several threads and several processes: the change itself is made
 * by a program in the kernel. A pair that closes and is used again meanwhile
 * gets nothing of it.
 */
int bpfmap_flow_bind(struct bpfmap *map, const struct bpfmap_flow_key *key,
	const struct bpfmap_binding *binding, enum bpfmap_bound *ret_bound) must_check;

/* One entry. 0, -ENOENT, or -errno. */
int bpfmap_flow_get(struct bpfmap *map, const struct bpfmap_flow_key *key,
	struct bpfmap_flow *ret_flow) must_check;

struct bpfmap_status {
	uint32_t max_flows;
	uint64_t counters[BPFMAP_COUNTERS]; /* summed over CPUs */
	/*
	 * Programs that are pinned and, on a cgroup, hold it: bits 1 << enum
	 * bpfmap_program. A removed cgroup counts until its last socket closes:
	 * only then the kernel lets go of it, and without rights no more can be
	 * known.
	 */
	uint32_t programs;
	bool attached; /* the required ones are among them */
};
/* 0 or -errno: -EMFILE, -ENFILE, -ENOMEM say that it could not be found out now. */
int bpfmap_status(struct bpfmap *map, struct bpfmap_status *ret) must_check;

/* Open flows by the counters. */
uint64_t bpfmap_status_flows(const struct bpfmap_status *status);

/*
 * Key of a connection from addresses of 4 or 16 bytes; IPv4-mapped IPv6
 * becomes IPv4. 0, or -EINVAL when the families do not match.
 */
int bpfmap_flow_key(const uint8_t *remote, size_t remote_len, uint16_t remote_port,
	const uint8_t *local, size_t local_len, uint16_t local_port,
	struct bpfmap_flow_key *ret_key) must_check;

DEFINE_CLEANUP(bpfmap, struct bpfmap *, bpfmap_close)

#endif
