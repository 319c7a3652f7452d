/* POST /api/v1/role-test: which role would it be, and why not the others? */
#ifndef SPOA_ROLE_TEST_H
#define SPOA_ROLE_TEST_H

#include "spoa/http.h"

/* arg is the daemon. 200 with the answer of spoa_explain; 400 for a question that is none. */
spoa_http_handler spoa_role_test;

#endif
