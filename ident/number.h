/*
 * Numeric security identities: their ranges, and where a number came from
 * (cilium: pkg/identity/numericidentity.go; docs/DESIGN.md, Identity).
 */
#ifndef IDENT_NUMBER_H
#define IDENT_NUMBER_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

#define IDENT_UNKNOWN       0
#define IDENT_USER_MIN      128 /* fixed numbers of the operator */
#define IDENT_USER_MAX      255
#define IDENT_ALLOCATED_MIN 256
#define IDENT_CLUSTER_MAX   65535
#define IDENT_GLOBAL_MAX    0xFFFFFF

/* What Cilium takes a number for, by its value alone. */
enum ident_range {
	IDENT_RANGE_UNKNOWN,     /* 0: nobody; in its policy maps a wildcard */
	IDENT_RANGE_RESERVED,    /* 1 to 99: host, world, health ... */
	IDENT_RANGE_WELL_KNOWN,  /* 100 to 127: kube-dns and others */
	IDENT_RANGE_USER,        /* 128 to 255: the operator's */
	IDENT_RANGE_CLUSTER,     /* 256 to 65535: allocated, cluster 0 */
	IDENT_RANGE_MESH,        /* up to 0xFFFFFF: allocated, of the cluster in bits 16 to 23 */
	IDENT_RANGE_LOCAL,       /* 0x01......: another thing on every node */
	IDENT_RANGE_REMOTE_NODE, /* 0x02......: the same for nodes */
	IDENT_RANGE_NONE,        /* no range of Cilium */
};
#define IDENT_RANGES (IDENT_RANGE_NONE + 1)

enum ident_range ident_range_of(uint32_t id);
const char *ident_range_name(enum ident_range range);

enum ident_provenance {
	IDENT_LOCAL,    /* allocated here, means nothing to Cilium */
	IDENT_ETCD,     /* confirmed in Cilium's kvstore */
	IDENT_CRD,      /* confirmed as a CiliumIdentity */
	IDENT_FIXED,    /* written in the configuration */
	IDENT_RESERVED, /* Cilium's own: found for an address, never given out */
};
#define IDENT_PROVENANCES (IDENT_RESERVED + 1)

struct ident_number {
	uint32_t id;
	enum ident_provenance from;
	/* etcd, crd: published, and for so long that whoever enforces it knows it (cilium.md 9.6) */
	bool realised;
};

const char *ident_provenance_name(enum ident_provenance from);

/* May the operator fix a role to this number? 128..255 or 256..0xFFFFFF. */
bool ident_number_may_fix(uint32_t id);

/*
 * A number that may become a packet mark, or be published to Cilium. Only
 * ident_number_markable makes one, so who takes this type cannot be given a
 * number of local scope or one that Cilium's store has not confirmed.
 */
struct ident_markable {
	uint32_t id;
};

/*
 * May it be marked now? Only etcd's and crd's numbers, in the ranges CLUSTER and
 * MESH, and only while they are realised; else *ret is untouched.
 */
bool ident_number_markable(struct ident_number number, struct ident_markable *ret) must_check;

#endif
