/* The suites of this room's unit program, one per source file. */
#ifndef TESTS_UNIT_ETCD_SUITES_H
#define TESTS_UNIT_ETCD_SUITES_H

#include <check.h>

Suite *suite_base64(void);
Suite *suite_request(void);
Suite *suite_reply(void);
Suite *suite_layout(void);
Suite *suite_phase(void);
Suite *suite_registry(void);
Suite *suite_allocate(void);

/* Of the program that has a real etcd; entry.c and told.c are in numbers and allocate. */
Suite *suite_numbers(void);
Suite *suite_notes(void);
Suite *suite_mesh(void);

#endif
