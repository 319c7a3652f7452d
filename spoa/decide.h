/*
 * The decision: (snapshot, state, request, now) to a verdict with its reason,
 * the identity, and what the kernel must know before HAProxy hears of it.
 * No loop, no descriptor, no global: tests, fuzzers and the benchmark drive
 * it in memory.
 */
#ifndef SPOA_DECIDE_H
#define SPOA_DECIDE_H

#include "spoa/case.h"

/*
 * Decides, unless something must be had first: then false, *ret_need says
 * what, *ret_decision is untouched, and the caller asks again with a newer
 * snapshot. received_at is when the NOTIFY came, CLOCK_MONOTONIC ns: keys that
 * were fetched after it are current enough to call a key id unknown.
 * Otherwise true and *ret_decision, which borrows from snapshot, request and
 * state, from the latter until the next call.
 */
bool spoa_decide(const struct spoa_snapshot *snapshot, struct spoa_state *state,
	const struct spoa_request *request, uint64_t received_at, const struct base_now *now,
	struct spoa_need *ret_need, struct spoa_decision *ret_decision) must_check;

#endif
