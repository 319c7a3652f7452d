/* The suites of this room's unit program, one per source file. */
#ifndef TESTS_UNIT_CTL_SUITES_H
#define TESTS_UNIT_CTL_SUITES_H

#include <check.h>

Suite *suite_args(void);
Suite *suite_claims(void);
Suite *suite_out(void);
Suite *suite_status_render(void);

/* These run the program. */
Suite *suite_fetch(void);
Suite *suite_kernel(void);
Suite *suite_list(void);
Suite *suite_main(void);
Suite *suite_map(void);
Suite *suite_metrics(void);
Suite *suite_revoke(void);
Suite *suite_samples(void);
Suite *suite_status(void);
Suite *suite_token(void);
Suite *suite_trace(void);

#endif
