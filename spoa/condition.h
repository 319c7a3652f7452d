/*
 * Conditions of the configuration in ident's terms.
 */
#ifndef SPOA_CONDITION_H
#define SPOA_CONDITION_H

#include "base/mem.h"
#include "conf/conf.h"
#include "ident/condition.h"

/*
 * Compiles n conditions, which must outlive the result (calloc, the caller's,
 * ends with spoa_conditions_free). 0 or -ENOMEM.
 */
int spoa_conditions_compile(
	const struct conf_condition *from, size_t n, struct ident_condition **ret) must_check;
void spoa_conditions_free(struct ident_condition *conditions, size_t n);

#endif
