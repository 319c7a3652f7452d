#include "tests/unit/bpfmap/kernel.h"

Suite *suite_flow(void);
Suite *suite_bpfmap(void);
Suite *suite_edge_bpf(void);
Suite *suite_equivalence(void);
Suite *suite_identity(void);
Suite *suite_ipcache(void);
Suite *suite_link(void);
Suite *suite_load(void);
Suite *suite_pin(void);
Suite *suite_unload(void);
Suite *suite_update(void);
Suite *suite_policy(void);
Suite *suite_mark(void);
Suite *suite_plan(void);
Suite *suite_compile(void);

int main(void)
{
	SRunner *runner = srunner_create(suite_flow());
	int with_kernel = kernel_start();
	int failed;

	srunner_add_suite(runner, suite_mark());
	srunner_add_suite(runner, suite_compile());
	if (with_kernel > 0) {
		srunner_add_suite(runner, suite_pin());
		srunner_add_suite(runner, suite_link());
		srunner_add_suite(runner, suite_load());
		srunner_add_suite(runner, suite_unload());
		srunner_add_suite(runner, suite_edge_bpf());
		srunner_add_suite(runner, suite_bpfmap());
		srunner_add_suite(runner, suite_update());
		srunner_add_suite(runner, suite_plan());
		srunner_add_suite(runner, suite_policy());
		srunner_add_suite(runner, suite_identity());
		srunner_add_suite(runner, suite_ipcache());
		srunner_add_suite(runner, suite_equivalence());
	}
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	kernel_done();
	return failed || with_kernel < 0;
}
