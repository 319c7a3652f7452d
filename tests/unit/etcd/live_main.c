#include "tests/unit/etcd/suites.h"

int main(void)
{
	SRunner *runner = srunner_create(suite_numbers());
	int failed;

	srunner_add_suite(runner, suite_notes());
	srunner_add_suite(runner, suite_mesh());
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
