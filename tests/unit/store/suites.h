#ifndef TESTS_UNIT_STORE_SUITES_H
#define TESTS_UNIT_STORE_SUITES_H

#include <check.h>

Suite *identities_suite(void);
Suite *keep_suite(void);
Suite *keys_suite(void);
Suite *kill_suite(void);
Suite *revocations_suite(void);
Suite *schema_suite(void);
Suite *shared_suite(void);
Suite *sql_suite(void);
Suite *store_suite(void);

#endif
