/*
 * The stages of a decision, in the order in which spoa/decide.c runs them.
 * Each is in the file of its name, and says there what it refuses and why.
 */
#ifndef SPOA_STAGES_H
#define SPOA_STAGES_H

#include "spoa/case.h"

/* spoa/late.c: does anybody still wait for the answer? */
spoa_stage_fn spoa_stage_late;

/* spoa/credential.c: is there something to look at? */
spoa_stage_fn spoa_stage_credential;

/*
 * spoa/authenticate.c: who does it name? Sets caller. What depends on the
 * credential alone is found out once and remembered: signature, claims, role.
 */
spoa_stage_fn spoa_stage_authenticate;

/* spoa/current.c: times and audience, every time. */
spoa_stage_fn spoa_stage_current;

/* spoa/proof.c: does it hold what the token is bound to? Every time. */
spoa_stage_fn spoa_stage_proof;

/* spoa/revoked.c: every time. */
spoa_stage_fn spoa_stage_revoked;
/* spoa/introspected.c: the word of a provider that is always asked, every time. */
spoa_stage_fn spoa_stage_introspected;

/* spoa/workload.c: does a service account's token come from its own workload? Every time. */
spoa_stage_fn spoa_stage_workload;

/* spoa/identity.c: the role's identity, route, and what the kernel is to know. */
spoa_stage_fn spoa_stage_identity;

/* spoa/policy.c: may this identity make this request of this service? */
spoa_stage_fn spoa_stage_policy;

/* spoa/assertion.c: what the backend is told, signed; remembered for each token. */
spoa_stage_fn spoa_stage_assertion;

#endif
