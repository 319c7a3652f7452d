#include "tests/unit/etcd/suites.h"

int main(void)
{
	SRunner *runner = srunner_create(suite_base64());
	int failed;

	srunner_add_suite(runner, suite_request());
	srunner_add_suite(runner, suite_reply());
	srunner_add_suite(runner, suite_layout());
	srunner_add_suite(runner, suite_phase());
	srunner_add_suite(runner, suite_registry());
	srunner_add_suite(runner, suite_allocate());
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
