#include "spoa/enforce.h"

#include <errno.h>

static const enum spoa_counter OUTCOME[] = {
	[BPFMAP_BOUND] = SPOA_COUNT_FLOW_BOUND,
	[BPFMAP_UNCHANGED] = SPOA_COUNT_FLOW_UNCHANGED,
	[BPFMAP_SHARED] = SPOA_COUNT_FLOW_SHARED,
	[BPFMAP_UNBOUND] = SPOA_COUNT_FLOW_UNBOUND,
};

static void unbound(struct spoa_decision *decision)
{
	if (decision->require_binding)
		spoa_decision_fail(decision, BASE_REASON_UNBOUND);
}

static void write_failed(int error, struct spoa_metrics *metrics, struct spoa_decision *decision)
{
	bool full = error == -E2BIG || error == -ENOSPC;

	spoa_metrics_add(metrics, full ? SPOA_COUNT_FLOW_FULL : SPOA_COUNT_FLOW_FAILED, 1);
	spoa_decision_fail(decision, full ? BASE_REASON_MAP_FULL : BASE_REASON_MAP_UNAVAILABLE);
}

static void bind_flow(struct bpfmap *map, const struct spoa_request *request,
	struct spoa_metrics *metrics, struct spoa_decision *decision)
{
	struct bpfmap_flow_key key;
	enum bpfmap_bound bound = BPFMAP_UNBOUND;
	int rc = bpfmap_flow_key(request->src.bytes, request->src.len, request->sport,
		request->dst.bytes, request->dst.len, request->dport, &key);

	/* A client on a unix socket has no addresses: nothing in the kernel to find. */
	if (rc == 0)
		rc = bpfmap_flow_bind(map, &key, &decision->binding, &bound);
	else
		rc = 0;
	if (rc) {
		write_failed(rc, metrics, decision);
		return;
	}
	spoa_metrics_add(metrics, OUTCOME[bound], 1);
	if (bound == BPFMAP_UNBOUND || bound == BPFMAP_SHARED)
		unbound(decision);
}

void spoa_enforce(const struct spoa_snapshot *snapshot, const struct spoa_request *request,
	bool peer_may_bind, struct spoa_metrics *metrics, struct spoa_decision *decision)
{
	if (decision->verdict != SPOA_ALLOW)
		return;
	switch (snapshot->enforcement) {
	case SPOA_ENFORCEMENT_LOST:
		write_failed(-ENOENT, metrics, decision);
		return;
	case SPOA_ENFORCEMENT_ON:
		if (peer_may_bind) {
			bind_flow(snapshot->maps->map, request, metrics, decision);
			return;
		}
		spoa_metrics_add(metrics, SPOA_COUNT_FLOW_UNTRUSTED, 1);
		break;
	case SPOA_ENFORCEMENT_NONE:
		spoa_metrics_add(metrics, SPOA_COUNT_NOT_ENFORCED, 1);
		break;
	case SPOA_ENFORCEMENT_OFF:
		break;
	}
	unbound(decision);
}
