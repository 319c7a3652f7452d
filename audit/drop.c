#include "audit/drop.h"

#include "base/mem.h"

static const struct audit_drop DROPS[] = {
	{"rule_denies", 181, "POLICY_DENY"}, /* first: also for words that are not here */
	{"no_rule_allows", 133, "POLICY_DENIED"},
	{"policy_denied", 133, "POLICY_DENIED"},
	{"unmarked", 133, "POLICY_DENIED"},
	{"revoked", 189, "AUTH_REQUIRED"},
	{"expired", 189, "AUTH_REQUIRED"},
};

const struct audit_drop *audit_drop_find(struct span word)
{
	for (size_t i = 0; i < ARRAY_SIZE(DROPS); i++)
		if (span_is(word, DROPS[i].word))
			return &DROPS[i];
	return &DROPS[0];
}
