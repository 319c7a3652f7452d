#include "tests/unit/ctl/suites.h"

#include "base/mem.h"

static Suite *(*const SUITES[])(void) = {
	suite_args,
	suite_claims,
	suite_out,
	suite_status_render,
#ifdef IDENTITYCTL
	suite_fetch,
	suite_kernel,
	suite_list,
	suite_main,
	suite_map,
	suite_metrics,
	suite_revoke,
	suite_samples,
	suite_status,
	suite_token,
	suite_trace,
#endif
};

int main(void)
{
	SRunner *runner = srunner_create(SUITES[0]());
	int failed;

	for (size_t i = 1; i < ARRAY_SIZE(SUITES); i++)
		srunner_add_suite(runner, SUITES[i]());
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
