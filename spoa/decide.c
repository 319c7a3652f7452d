#include "spoa/decide.h"

#include "spoa/challenge.h"
#include "spoa/stages.h"

/* Each concern once, in this order; the first that objects decides. */
static spoa_stage_fn *const STAGES[] = {
	spoa_stage_late,
	spoa_stage_credential,
	spoa_stage_authenticate,
	spoa_stage_current,
	spoa_stage_revoked,
	spoa_stage_proof,
	spoa_stage_introspected,
	spoa_stage_workload,
	spoa_stage_identity,
	spoa_stage_policy,
	spoa_stage_assertion,
};

bool spoa_decide(const struct spoa_snapshot *snapshot, struct spoa_state *state,
	const struct spoa_request *request, uint64_t received_at, const struct base_now *now,
	struct spoa_need *ret_need, struct spoa_decision *ret_decision)
{
	enum spoa_step step = SPOA_NEXT;
	struct spoa_case c = {
		.snapshot = snapshot,
		.state = state,
		.request = request,
		.now = now,
		.received_at = received_at,
		/* Whatever a stage forgets to say is no ALLOW. */
		.decision = spoa_decision_of(BASE_REASON_INTERNAL),
	};

	for (size_t i = 0; i < ARRAY_SIZE(STAGES) && step == SPOA_NEXT; i++)
		step = STAGES[i](&c);
	if (step == SPOA_NEEDS) {
		*ret_need = c.need;
		return false;
	}
	if (step == SPOA_NEXT)
		spoa_decision_settle(&c.decision, BASE_REASON_OK);
	else
		c.decision.resource = spoa_challenge_resource(snapshot->config->conf, request);
	*ret_decision = c.decision;
	return true;
}
