/*
 * Numeric security identities: their ranges, and where a number came from
 * (cilium: pkg/identity/numericidentity.go; docs/DESIGN.md, Identity).
 */
#ifndef IDENT_NUMBER_H
#define IDENT_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#define IDENT_UNKNOWN       0
#define IDENT_USER_MIN      128 /* fixed numbers of the operator */
#define IDENT_USER_MAX      255
#define IDENT_ALLOCATED_MIN 256
#define IDENT_CLUSTER_MAX   65535
#define IDENT_GLOBAL_MAX    0xFFFFFF

enum ident_provenance {
	IDENT_LOCAL, /* allocated here, means nothing to Cilium */
	IDENT_ETCD,  /* confirmed in Cilium's kvstore */
	IDENT_CRD,   /* confirmed as a CiliumIdentity */
	IDENT_FIXED, /* written in the configuration */
};
#define IDENT_PROVENANCES (IDENT_FIXED + 1)

struct ident_number {
	uint32_t id;
	enum ident_provenance from;
};

const char *ident_provenance_name(enum ident_provenance from);

/* May the operator fix a role to this number? 128..255 or 256..0xFFFFFF. */
bool ident_number_may_fix(uint32_t id);

/* May it become a packet mark, or be published to Cilium? Only etcd and crd, 256..0xFFFFFF. */
bool ident_number_may_mark(struct ident_number number);

#endif
