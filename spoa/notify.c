#include "spoa/notify.h"

#include "spoa/answer.h"
#include "spoa/enforce.h"
#include "spoa/park.h"

#include <errno.h>

static const enum base_log_level LEVEL[] = {
	[SPOA_ALLOW] = BASE_LOG_DEBUG,
	[SPOA_DENY] = BASE_LOG_INFO,
	[SPOA_ERROR] = BASE_LOG_WARNING,
};

static const enum spoa_counter BOUND[] = {
	[SPOA_BOUND_MATCH] = SPOA_COUNT_WORKLOAD_MATCH,
	[SPOA_BOUND_MISMATCH] = SPOA_COUNT_WORKLOAD_MISMATCH,
	[SPOA_BOUND_UNKNOWN] = SPOA_COUNT_WORKLOAD_UNKNOWN,
};

static void log_caller(struct base_log *log, const struct spoa_snapshot *snapshot,
	const struct spoa_caller *caller)
{
	if (!caller)
		return;
	base_log_text(log, "iss", spoa_caller_iss(caller, snapshot->config));
	base_log_text(log, "sub", spoa_caller_text(caller, SPOA_TEXT_SUB));
	base_log_text(log, "kid", spoa_snapshot_kid(snapshot, caller->provider, caller->key));
}

static void log_decision(struct spoa_conn *conn, const struct spoa_request *request,
	const struct spoa_decision *decision, const struct base_now *now)
{
	struct spoa_worker *worker = conn->worker;
	const struct conf *conf = worker->snapshot->config->conf;
	uint64_t limit = (uint64_t)conf->log.decisions_per_second;
	bool audited = spoa_decision_is_audited(decision);
	bool worth = decision->verdict != SPOA_ALLOW || audited;
	enum base_log_level level = audited ? BASE_LOG_INFO : LEVEL[decision->verdict];
	struct base_log log;
	uint64_t lost;

	if (limit) /* each worker's share, and never none */
		limit = (limit + worker->n_workers - 1) / worker->n_workers;
	if (worth && !spoa_log_allowed(&worker->decision_lines, limit, now->mono_ns, &lost)) {
		spoa_metrics_add(&worker->metrics, SPOA_COUNT_LOG_LINES_LOST, 1);
		return;
	}
	if (!spoa_log_open(&log, level, "decision"))
		return;
	base_log_str(&log, "verdict", audited ? "audit" : spoa_verdict_name(decision->verdict));
	base_log_str(&log, "reason", base_reason_word(decision->reason));
	if (decision->why)
		base_log_str(&log, "why", decision->why);
	base_log_text(&log, "reqid", request->reqid);
	base_log_text(&log, "service", request->service);
	base_log_text(&log, "method", request->method);
	base_log_text(&log, "host", request->host);
	base_log_text(&log, "path", request->path);
	base_log_text(&log, "policy", decision->policy);
	if (decision->bound == SPOA_BOUND_MISMATCH || decision->bound == SPOA_BOUND_UNKNOWN)
		base_log_text(&log, "token_workload",
			spoa_caller_text(decision->caller, SPOA_TEXT_WORKLOAD));
	base_log_text(&log, "workload", decision->workload);
	log_caller(&log, worker->snapshot, decision->caller);
	if (decision->observed)
		base_log_bool(&log, "observed", true);
	if (decision->role) {
		base_log_text(&log, "role", decision->names);
		base_log_int(&log, "identity", decision->identity->number.id);
	}
	base_log_str(&log, "peer", conn->peer);
	if (worth && lost)
		base_log_int(&log, "suppressed", (int64_t)lost);
	spoa_log_close(&log);
}

/* Nothing is refused while the operator only watches; the request goes where it asked to go. */
static void observe(const struct spoa_snapshot *snapshot, const struct spoa_request *request,
	struct spoa_decision *decision)
{
	decision->observed = snapshot->observe;
	if (decision->observed && !decision->route.n)
		decision->route = request->service;
}

/* Writes the one ACK that the frame gets; one that does not fit becomes an error that does. */
static void write_answer(struct spoa_conn *conn, uint64_t stream_id, uint64_t frame_id,
	const struct spoa_request *request, struct spoa_decision *decision, struct wr *out)
{
	const struct spoa_config *config = conn->worker->snapshot->config;
	uint32_t max_frame = conn->session.max_frame;

	observe(conn->worker->snapshot, request, decision);
	decision->unmarkable = conn->cannot_mark;
	if (spoa_answer(out, stream_id, frame_id, max_frame, config, decision) == 0)
		return;
	spoa_decision_fail(decision, BASE_REASON_ANSWER_TOO_LONG);
	observe(conn->worker->snapshot, request, decision);
	if (spoa_answer(out, stream_id, frame_id, max_frame, config, decision) &&
		spoa_answer_short(out, stream_id, frame_id, max_frame, decision))
		spoa_session_disconnect(&conn->session, SPOP_STATUS_RESOURCES, out);
}

static unsigned slot_of(const struct spoa_snapshot *snapshot, const struct spoa_caller *caller)
{
	return caller ? snapshot->config->providers[caller->provider].slot : 0;
}

/* A role that the caller would have but for a claim that cannot be a label: it must be seen. */
static void tell_unfit(struct spoa_conn *conn, const struct spoa_request *request,
	const struct spoa_caller *caller, const struct base_now *now)
{
	struct spoa_worker *worker = conn->worker;
	const struct ident_role *role;
	struct base_log log;
	uint64_t lost;

	if (!caller || !caller->unfit)
		return;
	spoa_metrics_add(&worker->metrics, SPOA_COUNT_UNFIT_CLAIMS, 1);
	if (!spoa_log_allowed(&worker->unfit_lines, 1, now->mono_ns, &lost) ||
		!spoa_log_open(&log, BASE_LOG_WARNING, "claim_unfit"))
		return;
	role = &worker->snapshot->config->roles[caller->unfit - 1];
	base_log_str(&log, "role", role->name);
	base_log_str(&log, "why",
		"a claim cannot be a label's value, so the role does not fit; "
		"identityctl role test says which");
	base_log_text(&log, "reqid", request->reqid);
	log_caller(&log, worker->snapshot, caller);
	if (lost)
		base_log_int(&log, "suppressed", (int64_t)lost);
	spoa_log_close(&log);
}

/* The answer is written: counts it, logs it, has it in the audit log. */
static void finish(struct spoa_conn *conn, const struct spoa_request *request,
	struct spoa_decision *decision, const struct base_now *now)
{
	struct spoa_worker *worker = conn->worker;

	spoa_metrics_decision(
		&worker->metrics, slot_of(worker->snapshot, decision->caller), decision->reason);
	worker->n_answers++;
	if (decision->audited)
		spoa_metrics_add(&worker->metrics, SPOA_COUNT_POLICY_AUDITED, 1);
	if (decision->bound != SPOA_BOUND_NONE)
		spoa_metrics_add(&worker->metrics, BOUND[decision->bound], 1);
	if (decision->caller)
		spoa_metrics_add(&worker->metrics,
			decision->remembered ? SPOA_COUNT_TOKENS_REMEMBERED
					     : SPOA_COUNT_TOKENS_VERIFIED,
			1);
	tell_unfit(conn, request, decision->caller, now);
	log_decision(conn, request, decision, now);
	spoa_audit_decision(worker->owner.audit, worker->owner.number, &worker->n_allowed,
		worker->snapshot, request, decision, now);
}

/*
 * The answer is written before the kernel is told, so that an answer that
 * cannot be given changes nothing there; and nothing of it is sent before the
 * map write has returned, which may yet turn it into an error.
 */
static void answer(struct spoa_conn *conn, uint64_t stream_id, uint64_t frame_id,
	const struct spoa_request *request, struct spoa_decision *decision,
	const struct base_now *now, struct wr *out)
{
	struct spoa_worker *worker = conn->worker;
	size_t before = wr_len(out);
	enum spoa_verdict verdict;

	write_answer(conn, stream_id, frame_id, request, decision, out);
	verdict = decision->verdict;
	spoa_enforce(worker->snapshot, request, conn->may_bind, &worker->metrics, decision);
	if (decision->verdict != verdict) {
		wr_rewind(out, before);
		write_answer(conn, stream_id, frame_id, request, decision, out);
	}
	finish(conn, request, decision, now);
}

/* A clock is read in 20 to 40 ns, so only one of so many decisions is timed. */
#define TIMED 16

static bool decide(struct spoa_worker *worker, const struct spoa_request *request,
	uint64_t received_at, struct spoa_need *ret_need, struct spoa_decision *ret_decision)
{
	bool timed = worker->n_decides++ % TIMED == 0;
	uint64_t before = timed ? base_clock_mono_ns() : 0;
	bool done = spoa_decide(worker->snapshot, &worker->state, request, received_at,
		&worker->now, ret_need, ret_decision);

	if (timed)
		spoa_histogram_observe(&worker->metrics.decide, base_clock_mono_ns() - before, 1);
	return done;
}

int spoa_notify_settle(struct spoa_conn *conn, uint64_t stream_id, uint64_t frame_id,
	struct span payload, uint64_t received_at, struct wr *out, struct spoa_need *ret_need)
{
	struct spoa_worker *worker = conn->worker;
	struct spoa_request request = {0};
	struct spoa_decision decision;
	const struct base_now *now = &worker->now;
	int rc = spoa_request_parse(payload, &request);

	if (rc == -EBADMSG)
		return rc;
	if (conn->is_tcp)
		request.sent = 0;
	request.vouched = conn->may_bind;
	if (rc)
		decision = spoa_decision_of(BASE_REASON_REQUEST_MALFORMED);
	else if (!decide(worker, &request, received_at, ret_need, &decision))
		return -EAGAIN;
	answer(conn, stream_id, frame_id, &request, &decision, now, out);
	return 0;
}

void spoa_notify_fail(struct spoa_conn *conn, uint64_t stream_id, uint64_t frame_id,
	struct span payload, enum base_reason reason, struct wr *out)
{
	struct spoa_decision decision = spoa_decision_of(reason);
	struct spoa_request request = {0};

	if (spoa_request_parse(payload, &request))
		request = (struct spoa_request){0};
	answer(conn, stream_id, frame_id, &request, &decision, &conn->worker->now, out);
}

void spoa_notify_sent(struct spoa_worker *worker, uint64_t since)
{
	uint64_t n = worker->n_answers, now;

	if (!n)
		return;
	worker->n_answers = 0;
	now = base_clock_mono_ns();
	/* Within one turn received_at runs ahead of the clock, by a nanosecond each. */
	spoa_histogram_observe(&worker->metrics.frame, now > since ? now - since : 0, n);
}

void spoa_notify_refuse(struct spoa_conn *conn, const struct spop_frame *frame,
	enum base_reason reason, struct wr *out)
{
	spoa_metrics_add(&conn->worker->metrics, SPOA_COUNT_NOTIFIES, 1);
	spoa_notify_fail(conn, frame->stream_id, frame->frame_id, (struct span){0}, reason, out);
}

enum spop_status spoa_notify(
	void *arg, struct spoa_session *session, const struct spop_frame *frame, struct wr *out)
{
	struct spoa_conn *conn = arg;
	/* No two NOTIFYs of a worker have the same: without a reqid it names this one. */
	uint64_t received_at = ++conn->worker->now.mono_ns;
	struct spoa_need need;
	int rc;

	(void)session;
	spoa_metrics_add(&conn->worker->metrics, SPOA_COUNT_NOTIFIES, 1);
	rc = spoa_notify_settle(
		conn, frame->stream_id, frame->frame_id, frame->payload, received_at, out, &need);
	if (rc == -EBADMSG)
		return SPOP_STATUS_INVALID;
	return rc == -EAGAIN ? spoa_park(conn, frame, received_at, need, out) : SPOP_STATUS_NORMAL;
}
