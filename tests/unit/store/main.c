#include "tests/unit/store/scratch.h"
#include "tests/unit/store/suites.h"

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	SRunner *runner = srunner_create(store_suite());
	int failed;

	/* What a test prints must not be printed again by the children it forks. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (scratch_fail_install())
		return EXIT_FAILURE;
	srunner_add_suite(runner, sql_suite());
	srunner_add_suite(runner, schema_suite());
	srunner_add_suite(runner, shared_suite());
	srunner_add_suite(runner, identities_suite());
	srunner_add_suite(runner, keep_suite());
	srunner_add_suite(runner, keys_suite());
	srunner_add_suite(runner, revocations_suite());
	srunner_add_suite(runner, kill_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
