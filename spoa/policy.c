/*
 * May this identity make this request of this service? Asked on the final
 * route, of the policies that the snapshot holds.
 *
 * POLICY_DENIED; SERVICE_UNKNOWN: the route is none of services, so that no
 * policy is known to apply; PATH_AMBIGUOUS: rules look at the path, and a
 * backend could read it in another way; POLICY_ERROR: a pattern was too much
 * work; REQUEST_MALFORMED: rules look at headers, and there are none.
 */
#include "policy/path.h"
#include "spoa/policy_work.h"
#include "spoa/stages.h"

#include <errno.h>

#include "spop/data.h"

struct question {
	const struct policy_index *index;
	uint32_t caller;
	size_t service;
	struct spoa_policy_work *work;
};

/* req.hdrs_bin: names and values, each with its length, up to an empty pair. */
static int read_headers(struct span bytes, struct spoa_policy_work *work, size_t *ret_n)
{
	struct rd r = rd_span(bytes);
	size_t n = 0;

	while (!r.bad && rd_left(&r)) {
		struct span name = rd_bytes(&r, spop_varint_parse(&r));
		struct span value = rd_bytes(&r, spop_varint_parse(&r));

		if (r.bad || !name.n)
			break;
		if (n == SPOA_POLICY_HEADERS)
			return -E2BIG;
		work->headers[n++] = (struct policy_header_field){name, value};
	}
	*ret_n = n;
	return r.bad ? -EINVAL : 0;
}

/* What HTTP rules look at. OK, or why there is nothing to look at. */
static enum base_reason read_request(const struct spoa_request *from, bool with_headers,
	struct spoa_policy_work *work, struct policy_request *to)
{
	const char *why;
	int err = policy_path_normal(
		from->path, from->query.n > 0, from->query, work->path, &to->path, &why);

	if (err)
		return err == -E2BIG ? BASE_REASON_POLICY_ERROR : BASE_REASON_PATH_AMBIGUOUS;
	to->method = from->method;
	to->host = from->host;
	to->headers = work->headers;
	to->n_headers = 0;
	if (!with_headers)
		return BASE_REASON_OK;
	if (!from->headers.n)
		return BASE_REASON_REQUEST_MALFORMED;
	err = read_headers(from->headers, work, &to->n_headers);
	return err == -E2BIG ? BASE_REASON_POLICY_ERROR
	       : err         ? BASE_REASON_REQUEST_MALFORMED
			     : BASE_REASON_OK;
}

static enum base_reason reason_of(const struct policy_answer *answer)
{
	static const enum base_reason REASONS[] = {
		[POLICY_ALLOW] = BASE_REASON_OK,
		[POLICY_DENY] = BASE_REASON_POLICY_DENIED,
		[POLICY_ERROR] = BASE_REASON_POLICY_ERROR,
	};

	return REASONS[answer->verdict];
}

static enum base_reason judge(
	const struct question *q, const struct spoa_request *from, struct policy_answer *answer)
{
	struct policy_request request;
	enum base_reason reason;

	policy_index_judge(q->index, q->caller, q->service, NULL, q->work->scratch, answer);
	if (answer->verdict != POLICY_ALLOW || !policy_index_asks(q->index, q->caller, q->service))
		return reason_of(answer);
	reason = read_request(from, policy_index_asks_headers(q->index, q->caller, q->service),
		q->work, &request);
	if (reason != BASE_REASON_OK)
		return reason;
	policy_index_judge(q->index, q->caller, q->service, &request, q->work->scratch, answer);
	return reason_of(answer);
}

enum spoa_step spoa_stage_policy(struct spoa_case *c)
{
	const struct spoa_policies *policies = c->snapshot->policies;
	const struct spoa_identity *identity = c->decision.identity;
	struct spoa_policy_work *work = c->state->policy;
	struct policy_answer answer = {.cause = {UINT32_MAX, UINT32_MAX, UINT32_MAX}};
	struct question q = {.work = work};
	enum base_reason reason;
	int service;

	if (!policies || !policies->index)
		return SPOA_NEXT;
	q.index = policies->index;
	service = policy_index_find(q.index, c->decision.route);
	if (service < 0)
		return spoa_refuse(c, BASE_REASON_SERVICE_UNKNOWN);
	q.service = (size_t)service;
	c->decision.service_labels = policy_index_labels(q.index, q.service);
	c->decision.service_port = policy_index_port(q.index, q.service);
	q.caller = identity->role < 0 ? identity->policy_caller : policies->callers[identity->role];
	reason = judge(&q, c->request, &answer);
	if (reason == BASE_REASON_PATH_AMBIGUOUS &&
		c->snapshot->config->conf->policy.mode == CONF_POLICY_AUDIT) {
		answer.audited = true;
		reason = BASE_REASON_OK;
	}
	c->decision.audited = answer.audited;
	c->decision.policy.p = work->cause;
	c->decision.policy.n = policy_cause_text(
		policy_index_set(q.index), &answer, work->cause, sizeof(work->cause));
	return spoa_unless_ok(c, reason);
}
