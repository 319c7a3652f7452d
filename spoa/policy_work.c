#include "spoa/policy_work.h"

struct spoa_policy_work *spoa_policy_work_new(void)
{
	cleanup(free) struct spoa_policy_work *work = calloc(1, sizeof(*work));

	if (!work)
		return NULL;
	work->scratch = policy_scratch_new();
	return work->scratch ? TAKE_PTR(work) : NULL;
}

void spoa_policy_work_free(struct spoa_policy_work *work)
{
	if (work)
		policy_scratch_free(work->scratch);
	free(work);
}
