#include "tests/unit/ident/suites.h"

#include <stdlib.h>

int main(void)
{
	SRunner *runner = srunner_create(labels_suite());
	int failed;

	srunner_add_suite(runner, condition_suite());
	srunner_add_suite(runner, directory_suite());
	srunner_add_suite(runner, number_suite());
	srunner_add_suite(runner, role_suite());
	srunner_add_suite(runner, template_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
