#include "spoa/refusal.h"

#include "spoa/hold.h"

#define REFUSAL_SECONDS 0.5
#define REFUSAL_SHARE   4

static void on_refusal(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct spoa_conn *conn = timer->data;

	(void)events;
	conn->refusing = false;
	conn->worker->n_refusing--;
	ev_io_start(loop, &conn->writable);
}

bool spoa_refusal_may_wait(const struct spoa_worker *worker)
{
	size_t limit = (size_t)worker->snapshot->config->conf->spop.max_connections;

	return worker->n_refusing < limit / REFUSAL_SHARE / worker->n_workers;
}

int spoa_refusal_send_late(struct spoa_conn *conn, const struct wr *out)
{
	struct ev_loop *loop = conn->worker->loop;
	int rc = spoa_hold_output(conn, out->start, wr_len(out));

	if (rc)
		return rc;
	conn->refusing = true;
	conn->worker->n_refusing++;
	ev_io_stop(loop, &conn->readable);
	ev_timer_stop(loop, &conn->patience);
	ev_set_cb(&conn->patience, on_refusal);
	ev_timer_set(&conn->patience, REFUSAL_SECONDS, 0.);
	ev_timer_start(loop, &conn->patience);
	return 0;
}
