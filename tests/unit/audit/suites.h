#ifndef TESTS_UNIT_AUDIT_SUITES_H
#define TESTS_UNIT_AUDIT_SUITES_H

#include <check.h>

Suite *audit_suite(void);
Suite *file_suite(void);
Suite *flow_suite(void);
Suite *ring_suite(void);

/* A folder of the test's own, removed with what is in it when the test ends; lives until then. */
const char *scratch(void);
/* What a file below it holds, NUL-terminated; to be freed. NULL: there is none. */
char *slurp(const char *name);

#endif
