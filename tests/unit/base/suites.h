#ifndef TESTS_UNIT_BASE_SUITES_H
#define TESTS_UNIT_BASE_SUITES_H

#include <check.h>
#include <limits.h>

Suite *cidr_suite(void);
Suite *clock_suite(void);
Suite *diag_suite(void);
Suite *doc_suite(void);
Suite *json_suite(void);
Suite *log_suite(void);
Suite *rd_suite(void);
Suite *reason_suite(void);
Suite *siphash_suite(void);
Suite *span_suite(void);
Suite *utf8_suite(void);
Suite *wr_suite(void);

/* The allocation number fail_at from now on (from 0), and each after it, fails; -1: none. */
extern long fail_at;

/* For long loops: ck_assert writes to a pipe each time, also when all is well. */
#define HOLDS(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			ck_abort_msg("does not hold: %s", #condition);                             \
	} while (0)

#endif
