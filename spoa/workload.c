/*
 * Does a service account's token come from its own workload? What the token
 * says about namespace, account and pod is compared with what is known about
 * the source address. A stolen token is of no use elsewhere in the cluster.
 *
 * WORKLOAD_MISMATCH; WORKLOAD_UNKNOWN where the configuration wants to know;
 * WORKLOAD_UNAVAILABLE: it could be known, and Cilium's map is not to be had.
 */
#include "spoa/stages.h"
#include "spoa/workload_of.h"
#include "token/workload.h"

#define NAMESPACE "k8s:io.kubernetes.pod.namespace"
#define ACCOUNT   "k8s:io.cilium.k8s.policy.serviceaccount"
#define POD       "k8s:statefulset.kubernetes.io/pod-name"

/* Both are known, and they are not the same. */
static bool contradicts(struct span said, struct span known)
{
	return said.n && known.p && !span_eq(said, known);
}

enum spoa_bound spoa_workload_compare(struct span token, const struct spoa_workload *workload)
{
	struct span said[3], pod = workload->pod ? span_of(workload->pod) : (struct span){0};
	struct span namespace = spoa_workload_label(workload->labels, NAMESPACE);

	if (workload->where != SPOA_WHERE_KNOWN)
		return SPOA_BOUND_UNKNOWN;
	token_workload_split(token, said);
	if (!pod.p)
		pod = spoa_workload_label(workload->labels, POD);
	if (contradicts(said[0], namespace) ||
		contradicts(said[1], spoa_workload_label(workload->labels, ACCOUNT)) ||
		contradicts(said[2], pod))
		return SPOA_BOUND_MISMATCH;
	/* Without the namespace nothing of it was confirmed. */
	return said[0].n && namespace.p ? SPOA_BOUND_MATCH : SPOA_BOUND_UNKNOWN;
}

enum base_reason spoa_workload_judge(const struct conf *conf, enum spoa_bound bound)
{
	switch (bound) {
	case SPOA_BOUND_MISMATCH:
		return conf->workloads.mismatch == CONF_MISMATCH_AUDIT
			       ? BASE_REASON_OK
			       : BASE_REASON_WORKLOAD_MISMATCH;
	case SPOA_BOUND_UNKNOWN:
		return conf->workloads.unknown == CONF_UNKNOWN_DENY ? BASE_REASON_WORKLOAD_UNKNOWN
								    : BASE_REASON_OK;
	default:
		return BASE_REASON_OK;
	}
}

enum spoa_step spoa_stage_workload(struct spoa_case *c)
{
	struct span token = spoa_caller_text(c->caller, SPOA_TEXT_WORKLOAD);
	const struct spoa_workload *workload;
	enum base_reason reason;

	if (!token.n || !c->snapshot->config->workloads.n_ranges)
		return SPOA_NEXT;
	workload = spoa_workload_of(c);
	if (workload->where == SPOA_WHERE_UNAVAILABLE)
		return spoa_refuse(c, BASE_REASON_WORKLOAD_UNAVAILABLE);
	c->decision.bound = spoa_workload_compare(token, workload);
	c->decision.workload = workload->labels;
	reason = spoa_workload_judge(c->snapshot->config->conf, c->decision.bound);
	if (c->decision.bound == SPOA_BOUND_MISMATCH)
		c->decision.why = "the address is another workload's";
	else if (reason != BASE_REASON_OK)
		c->decision.why = spoa_where_name(workload->where);
	return spoa_unless_ok(c, reason);
}
