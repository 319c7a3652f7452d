#include "tests/unit/net/suites.h"

#include <signal.h>
#include <stdlib.h>

int main(void)
{
	SRunner *runner = srunner_create(suite_outcome());
	int failed;

	/* Proxies in the environment must not matter; every test runs with them. */
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	unsetenv("no_proxy");
	unsetenv("NO_PROXY");
	signal(SIGPIPE, SIG_IGN); /* the server's TLS writes */
	srunner_add_suite(runner, suite_transfer());
	srunner_add_suite(runner, suite_net());
	srunner_add_suite(runner, suite_unix());
	srunner_add_suite(runner, suite_header());
	srunner_add_suite(runner, suite_vet());
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
