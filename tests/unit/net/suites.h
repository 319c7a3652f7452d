/* The suites of this room's unit program, one per source file; queue.c is in net. */
#ifndef TESTS_UNIT_NET_SUITES_H
#define TESTS_UNIT_NET_SUITES_H

#include <check.h>

Suite *suite_outcome(void);
Suite *suite_transfer(void);
Suite *suite_net(void);
Suite *suite_unix(void);
Suite *suite_header(void);
Suite *suite_vet(void);

#endif
