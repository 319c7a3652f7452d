/*
 * What a worker needs to apply policies to a request, so that nothing is
 * allocated for one.
 */
#ifndef SPOA_POLICY_WORK_H
#define SPOA_POLICY_WORK_H

#include "policy/policy.h"

#define SPOA_POLICY_HEADERS 256 /* fields of a request that rules look at */
#define SPOA_POLICY_CAUSE   256 /* bytes of the variable policy; longer is cut */

struct spoa_policy_work {
	struct policy_scratch *scratch;
	struct policy_header_field headers[SPOA_POLICY_HEADERS];
	char path[POLICY_INPUT_MAX];
	char cause[SPOA_POLICY_CAUSE];
};

/* NULL without memory. */
struct spoa_policy_work *spoa_policy_work_new(void) must_check;
void spoa_policy_work_free(struct spoa_policy_work *work);

#endif
