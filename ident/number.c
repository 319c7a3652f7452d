#include "ident/number.h"

#include "base/mem.h"

static const char *const PROVENANCE_NAMES[] = {
	[IDENT_LOCAL] = "local",
	[IDENT_ETCD] = "etcd",
	[IDENT_CRD] = "crd",
	[IDENT_FIXED] = "fixed",
};
_Static_assert(ARRAY_SIZE(PROVENANCE_NAMES) == IDENT_PROVENANCES, "a name for every provenance");

/* Whose numbers does Cilium itself vouch for? */
static const bool CONFIRMED[] = {
	[IDENT_LOCAL] = false,
	[IDENT_ETCD] = true,
	[IDENT_CRD] = true,
	[IDENT_FIXED] = false,
};
_Static_assert(ARRAY_SIZE(CONFIRMED) == IDENT_PROVENANCES, "an answer for every provenance");

const char *ident_provenance_name(enum ident_provenance from)
{
	return PROVENANCE_NAMES[from];
}

bool ident_number_may_fix(uint32_t id)
{
	return id >= IDENT_USER_MIN && id <= IDENT_GLOBAL_MAX;
}

bool ident_number_may_mark(struct ident_number number)
{
	return CONFIRMED[number.from] && number.id >= IDENT_ALLOCATED_MIN &&
	       number.id <= IDENT_GLOBAL_MAX;
}
