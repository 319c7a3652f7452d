/*
 * Which role would it be, and why not the others? For `identityctl role test`:
 * a question in JSON against the configuration and the keys that serve.
 */
#ifndef SPOA_EXPLAIN_H
#define SPOA_EXPLAIN_H

#include "base/clock.h"
#include "base/mem.h"
#include "spoa/snapshot.h"

#include <jansson.h>

#define SPOA_EXPLAIN_BYTES (64 * 1024) /* of a question */

/*
 * The question is an object with one of
 *   token            verified as in a request
 *   claims           with provider: taken as if a token of it had them, its
 *                    times, audience and issuer aside
 *   cert             alone: the certificate is the credential
 * and any of
 *   cert             PEM; as if HAProxy had verified it
 *   source, proxied  the caller's address, and whoever is known to be there; without a
 *                    credential that is all
 *   workload         canonical labels of the one at the address, instead
 * The answer (one reference, the caller's): {"reason", "role"} as a decision
 * has them, "caller" as far as it is known, "roles": for each
 * {"role", "answer": "holds", "fails" or "unknown", "why"}, where "labels" are
 * those of one that holds; and with a role "labels" and "identity", or
 * "identity_why" when there is none for these labels yet. NULL: no memory. A
 * question that is none is answered with {"error"}.
 */
json_t *spoa_explain(const struct spoa_snapshot *snapshot, const json_t *question,
	const struct base_now *now) must_check;

#endif
