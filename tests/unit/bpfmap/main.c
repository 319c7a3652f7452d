#include "tests/unit/bpfmap/kernel.h"

Suite *suite_flow(void);
Suite *suite_bpfmap(void);
Suite *suite_flows_bpf(void);
Suite *suite_link(void);
Suite *suite_load(void);
Suite *suite_pin(void);
Suite *suite_unload(void);

int main(void)
{
	SRunner *runner = srunner_create(suite_flow());
	int with_kernel = kernel_start();
	int failed;

	if (with_kernel > 0) {
		srunner_add_suite(runner, suite_pin());
		srunner_add_suite(runner, suite_link());
		srunner_add_suite(runner, suite_load());
		srunner_add_suite(runner, suite_unload());
		srunner_add_suite(runner, suite_flows_bpf());
		srunner_add_suite(runner, suite_bpfmap());
	}
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	kernel_done();
	return failed || with_kernel < 0;
}
