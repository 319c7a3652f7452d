#ifndef TESTS_UNIT_IDENT_SUITES_H
#define TESTS_UNIT_IDENT_SUITES_H

#include <check.h>

Suite *condition_suite(void);
Suite *directory_suite(void);
Suite *labels_suite(void);
Suite *number_suite(void);
Suite *role_suite(void);
Suite *template_suite(void);

#endif
