/* One suite per source file of policy/ that the questions in tests/policy do not reach alone. */
#ifndef TESTS_UNIT_POLICY_SUITES_H
#define TESTS_UNIT_POLICY_SUITES_H

#include <check.h>

Suite *index_suite(void);
Suite *judge_suite(void);
Suite *kernel_suite(void);
Suite *load_suite(void);
Suite *object_suite(void);
Suite *path_suite(void);
Suite *pattern_suite(void);

#endif
