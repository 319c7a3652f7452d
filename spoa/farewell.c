#include "spoa/farewell.h"

#include <stdio.h>

/* Lines a second about peers that we hung up on, for each worker. */
#define CLOSE_LINES 5

static uint64_t mono_now(void)
{
	struct base_now now;

	base_clock_now(&now);
	return now.mono_ns;
}

/*
 * Which log line an end deserves: the peer's mistakes are worth one, and so is
 * its complaint about us. HAProxy's ordinary goodbyes are not: the end of the
 * connection, with or without a reset, and DISCONNECT with 0, 1 or 2.
 */
void spoa_farewell_log(const struct spoa_conn *conn)
{
	enum spop_status status = conn->session.status;
	struct base_log log;
	uint64_t lost = 0;
	bool mistake = conn->session.state == SPOA_SESSION_CLOSED &&
		       status > (conn->session.by_peer ? SPOP_STATUS_TIMEOUT : SPOP_STATUS_NORMAL);

	if (mistake &&
		!spoa_log_allowed(&conn->worker->close_lines, CLOSE_LINES, mono_now(), &lost)) {
		spoa_metrics_add(&conn->worker->metrics, SPOA_COUNT_LOG_LINES_LOST, 1);
		return;
	}
	if (!spoa_log_open(&log, mistake ? BASE_LOG_WARNING : BASE_LOG_DEBUG, "disconnect"))
		return;
	base_log_str(&log, "peer", conn->peer);
	base_log_int(&log, "status", (int64_t)status);
	base_log_str(&log, "why", spop_status_text((unsigned)status));
	base_log_bool(&log, "by_peer", conn->session.by_peer);
	base_log_int(&log, "unanswered", (int64_t)conn->session.waiting);
	if (lost)
		base_log_int(&log, "suppressed", (int64_t)lost);
	spoa_log_close(&log);
}

void spoa_farewell_log_tls(const struct spoa_conn *conn)
{
	struct base_log log;
	uint64_t lost;
	char why[160];

	if (!spoa_log_allowed(&conn->worker->close_lines, CLOSE_LINES, mono_now(), &lost)) {
		spoa_metrics_add(&conn->worker->metrics, SPOA_COUNT_LOG_LINES_LOST, 1);
		return;
	}
	if (!spoa_log_open(&log, BASE_LOG_WARNING, "tls_failed"))
		return;
	spoa_stream_why(&conn->stream, why, sizeof(why));
	base_log_str(&log, "peer", conn->peer);
	base_log_str(&log, "why", why);
	if (lost)
		base_log_int(&log, "suppressed", (int64_t)lost);
	spoa_log_close(&log);
}
