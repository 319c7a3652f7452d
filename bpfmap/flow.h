/*
 * What binding an identity does to a flow entry: pure, so that every case can
 * be tested without a kernel.
 */
#ifndef BPFMAP_FLOW_H
#define BPFMAP_FLOW_H

#include "bpfmap/bpfmap.h"

/*
 * Decides what the entry becomes. *ret_next is what to write when the answer
 * is BOUND or SHARED and it differs from now (see bpfmap_flow_same); the
 * cookie and REVOKED always stay: who was revoked on this connection does not
 * come back by asking again. SHARED stays until the connection closes.
 */
enum bpfmap_bound bpfmap_flow_merge(const struct bpfmap_flow *now,
	const struct bpfmap_binding *binding, struct bpfmap_flow *ret_next);

bool bpfmap_flow_same(const struct bpfmap_flow *a, const struct bpfmap_flow *b);

#endif
