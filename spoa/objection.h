/*
 * Why a condition does not hold, in words for the operator.
 */
#ifndef SPOA_OBJECTION_H
#define SPOA_OBJECTION_H

#include "base/mem.h"
#include "ident/condition.h"
#include "token/verify.h"

/*
 * "claim groups any [admins]: it is ["users"]" (malloc, the caller's; NULL
 * without memory). What was found is cut, and is the caller's text.
 */
char *spoa_objection(const struct ident_condition *condition, enum ident_answer answer,
	const struct token_claims *claims, const struct ident_request *request) must_check;

#endif
