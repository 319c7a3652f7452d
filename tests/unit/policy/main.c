#include "tests/unit/policy/suites.h"

#include <stdlib.h>

int main(void)
{
	SRunner *runner = srunner_create(index_suite());
	int failed;

	srunner_add_suite(runner, judge_suite());
	srunner_add_suite(runner, kernel_suite());
	srunner_add_suite(runner, load_suite());
	srunner_add_suite(runner, object_suite());
	srunner_add_suite(runner, path_suite());
	srunner_add_suite(runner, pattern_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
