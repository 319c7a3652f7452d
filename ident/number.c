#include "ident/number.h"

static const char *const PROVENANCE_NAMES[] = {
	[IDENT_LOCAL] = "local",
	[IDENT_ETCD] = "etcd",
	[IDENT_CRD] = "crd",
	[IDENT_FIXED] = "fixed",
	[IDENT_RESERVED] = "reserved",
};
_Static_assert(ARRAY_SIZE(PROVENANCE_NAMES) == IDENT_PROVENANCES, "a name for every provenance");

/* Whose numbers does Cilium itself vouch for? */
static const bool CONFIRMED[] = {
	[IDENT_LOCAL] = false,
	[IDENT_ETCD] = true,
	[IDENT_CRD] = true,
	[IDENT_FIXED] = false,
	[IDENT_RESERVED] = false,
};
_Static_assert(ARRAY_SIZE(CONFIRMED) == IDENT_PROVENANCES, "an answer for every provenance");

static const struct {
	uint32_t last;
	const char *name;
	bool fixable, allocated; /* by the operator; by Cilium, one meaning in all its clusters */
} RANGES[] = {
	[IDENT_RANGE_UNKNOWN] = {0, "unknown", false, false},
	[IDENT_RANGE_RESERVED] = {99, "reserved", false, false},
	[IDENT_RANGE_WELL_KNOWN] = {127, "well-known", false, false},
	[IDENT_RANGE_USER] = {255, "user-reserved", true, false},
	[IDENT_RANGE_CLUSTER] = {IDENT_CLUSTER_MAX, "cluster", true, true},
	[IDENT_RANGE_MESH] = {IDENT_GLOBAL_MAX, "mesh", true, true},
	[IDENT_RANGE_LOCAL] = {0x01FFFFFF, "local-scope", false, false},
	[IDENT_RANGE_REMOTE_NODE] = {0x02FFFFFF, "remote-node", false, false},
	[IDENT_RANGE_NONE] = {UINT32_MAX, "none", false, false},
};
_Static_assert(ARRAY_SIZE(RANGES) == IDENT_RANGES, "a row for every range");

enum ident_range ident_range_of(uint32_t id)
{
	size_t range = 0;

	while (id > RANGES[range].last)
		range++;
	return (enum ident_range)range;
}

const char *ident_range_name(enum ident_range range)
{
	return RANGES[range].name;
}

const char *ident_provenance_name(enum ident_provenance from)
{
	return PROVENANCE_NAMES[from];
}

bool ident_number_may_fix(uint32_t id)
{
	return RANGES[ident_range_of(id)].fixable;
}

bool ident_number_markable(struct ident_number number, struct ident_markable *ret)
{
	if (!CONFIRMED[number.from] || !number.realised ||
		!RANGES[ident_range_of(number.id)].allocated)
		return false;
	*ret = (struct ident_markable){number.id};
	return true;
}
