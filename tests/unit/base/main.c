#include "tests/unit/base/suites.h"

#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>

long fail_at = -1;

static bool fails(void)
{
	if (fail_at < 0)
		return false;
	if (!fail_at)
		return true;
	fail_at--;
	return false;
}

/* Linked with --wrap. */
#define WRAP(type, name, arguments, ...)                                                           \
	type __real_##name arguments;                                                              \
	type __wrap_##name arguments;                                                              \
	type __wrap_##name arguments                                                               \
	{                                                                                          \
		return fails() ? NULL : __real_##name(__VA_ARGS__);                                \
	}

WRAP(void *, calloc, (size_t n, size_t size), n, size)
WRAP(void *, reallocarray, (void *p, size_t n, size_t size), p, n, size)
WRAP(char *, strdup, (const char *text), text)

int main(void)
{
	Suite *(*const suites[])(void) = {cidr_suite, clock_suite, diag_suite, doc_suite,
		json_suite, log_suite, reason_suite, siphash_suite, span_suite, utf8_suite,
		wr_suite};
	SRunner *runner = srunner_create(rd_suite());
	int failed;

	for (size_t i = 0; i < ARRAY_SIZE(suites); i++)
		srunner_add_suite(runner, suites[i]());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
