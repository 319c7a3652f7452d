/* The part of an explanation about the workload at the caller's address. */
#ifndef SPOA_EXPLAIN_WORKLOAD_H
#define SPOA_EXPLAIN_WORKLOAD_H

#include "base/mem.h"
#include "ident/condition.h"
#include "spoa/snapshot.h"
#include "spoa/workload_of.h"
#include "token/claims.h"

#include <jansson.h>

/*
 * Who is at the source of the question: whoever the daemon knows there, or,
 * with "workload", one with these canonical labels. NULL, or what is wrong
 * with the question.
 */
const char *spoa_explain_workload(const struct spoa_snapshot *snapshot, const json_t *question,
	const struct ident_request *request, struct spoa_workload *ret);

/*
 * Adds "workload": {"where", "labels", "number"} and, for a token that names
 * one, "token" and "bound". OK, or why the token is refused.
 */
enum base_reason spoa_explain_bound(const struct spoa_config *config,
	const struct spoa_workload *workload, const struct token_claims *claims,
	json_t *answer) must_check;

#endif
