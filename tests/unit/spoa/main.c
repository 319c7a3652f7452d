#include "tests/unit/spoa/suites.h"

#include "spoa/log.h"

#include <signal.h>

int main(void)
{
	SRunner *runner = srunner_create(suite_create("spoa"));
	int failed;

	/* Log lines are looked at by the tests of the log alone. */
	spoa_log_level((enum base_log_level) - 1);
	signal(SIGPIPE, SIG_IGN);
#define X(name) srunner_add_suite(runner, suite_##name());
	SPOA_SUITES(X)
#undef X
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
