#include "suites.h"

#include <stdlib.h>

int main(void)
{
	SRunner *runner = srunner_create(suite_yaml());
	int failed;

	srunner_add_suite(runner, suite_bind());
	srunner_add_suite(runner, suite_check());
	srunner_add_suite(runner, suite_check_reach());
	srunner_add_suite(runner, suite_check_workload());
	srunner_add_suite(runner, suite_check_etcd());
	srunner_add_suite(runner, suite_describe());
	srunner_add_suite(runner, suite_field());
	srunner_add_suite(runner, suite_keys());
	srunner_add_suite(runner, suite_load());
	srunner_add_suite(runner, suite_near());
	srunner_add_suite(runner, suite_place());
	srunner_add_suite(runner, suite_profile());
	srunner_add_suite(runner, suite_reload());
	srunner_add_suite(runner, suite_scalar());
	srunner_add_suite(runner, suite_spoe());
	srunner_add_suite(runner, suite_text());
	srunner_add_suite(runner, suite_url());
	srunner_add_suite(runner, suite_value());
	srunner_add_suite(runner, suite_why());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
