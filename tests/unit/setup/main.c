#include "tests/unit/bpfmap/kernel.h"

#include <stdio.h>

Suite *suite_bpffs(void);
Suite *suite_ipcache(void);
Suite *suite_main(void);
Suite *suite_probe(void);
Suite *suite_setup(void);

int main(void)
{
	SRunner *runner = srunner_create(suite_create("setup"));
	int with_kernel = kernel_start();
	int failed;

	if (with_kernel > 0) {
		srunner_add_suite(runner, suite_bpffs());
		srunner_add_suite(runner, suite_ipcache());
		srunner_add_suite(runner, suite_probe());
		srunner_add_suite(runner, suite_setup());
#ifdef WITH_PROGRAM
		srunner_add_suite(runner, suite_main());
#else
		printf("SKIPPED: the program identityd-setup: this build has no conf room\n");
#endif
	}
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	kernel_done();
	return failed || with_kernel < 0;
}
