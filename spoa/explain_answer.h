/* What an explanation says, when the question is understood. */
#ifndef SPOA_EXPLAIN_ANSWER_H
#define SPOA_EXPLAIN_ANSWER_H

#include "base/clock.h"
#include "base/mem.h"
#include "base/reason.h"
#include "ident/condition.h"
#include "spoa/cert.h"
#include "spoa/snapshot.h"
#include "spoa/workload_of.h"
#include "token/claims.h"

#include <jansson.h>
#include <stdbool.h>

/* What the question says, and what was found out about it. */
struct spoa_asked {
	const struct spoa_snapshot *snapshot;
	const json_t *question;
	const struct base_now *now;
	struct token_claims claims; /* owned, or borrowed from cert */
	bool known;                 /* there is a caller */
	const struct spoa_cert *cert;
	struct spoa_certs *certs;
	struct ident_request request;
	struct spoa_workload workload; /* at the source */
};

/*
 * The answer as spoa_explain has it (one reference, the caller's): reason is
 * what became of the credential; with OK the requirements of the provider, the
 * workload and the roles are asked in turn.
 */
json_t *spoa_explain_answer(const struct spoa_asked *a, enum base_reason reason) must_check;

#endif
