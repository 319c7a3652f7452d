/*
 * From a decision to the kernel: the map write that an ALLOW needs, before
 * HAProxy hears of it (promise 3).
 */
#ifndef SPOA_ENFORCE_H
#define SPOA_ENFORCE_H

#include "spoa/decide.h"
#include "spoa/metrics.h"

#include <stdbool.h>

/*
 * Binds the identity of an ALLOW to the client's connection. Turns the
 * decision into an error where it could not be written, or where the role
 * demands a bound connection and this one is not. Other decisions change
 * nothing in the kernel.
 * peer_may_bind: the SPOP peer is one whose word is enough for a map write
 * (unix socket; TCP alone says nothing about who sends).
 */
void spoa_enforce(const struct spoa_snapshot *snapshot, const struct spoa_request *request,
	bool peer_may_bind, struct spoa_metrics *metrics, struct spoa_decision *decision);

#endif
