#include "spoa/decision.h"

#include "base/mem.h"

static const char *const VERDICTS[] = {"allow", "deny", "error"};
_Static_assert(ARRAY_SIZE(VERDICTS) == SPOA_VERDICTS, "a word for each");

const char *spoa_verdict_name(enum spoa_verdict verdict)
{
	return VERDICTS[verdict];
}

static enum spoa_verdict verdict_of(enum base_reason reason)
{
	int status = base_reason_status(reason);

	if (status == 200)
		return SPOA_ALLOW;
	return status == 503 ? SPOA_ERROR : SPOA_DENY;
}

struct spoa_decision spoa_decision_of(enum base_reason reason)
{
	return (struct spoa_decision){.reason = reason, .verdict = verdict_of(reason)};
}

void spoa_decision_settle(struct spoa_decision *decision, enum base_reason reason)
{
	decision->reason = reason;
	decision->verdict = verdict_of(reason);
}

void spoa_decision_fail(struct spoa_decision *decision, enum base_reason reason)
{
	struct spoa_decision other = spoa_decision_of(reason);

	other.caller = decision->caller;
	other.remembered = decision->remembered;
	*decision = other;
}
