#include "spoa/idle.h"

static double limit(const struct spoa_conn *conn)
{
	return (double)conn->worker->snapshot->config->conf->spop.idle_timeout / 1000.;
}

/* The timer runs on through what is heard, and looks at the end how long ago it was. */
static void on_idle(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct spoa_conn *conn = timer->data;
	double silent = (double)(base_clock_mono_ns() - conn->heard) / (double)NS_PER_S;
	double left = limit(conn) - silent;

	(void)events;
	if (left > 0 || conn->session.waiting) {
		ev_timer_set(timer, left > 0 ? left : limit(conn), 0.);
		ev_timer_start(loop, timer);
		return;
	}
	conn->closed_as = SPOA_COUNT_CLOSED_IDLE;
	spoa_conn_leave(conn);
}

void spoa_idle_init(struct spoa_conn *conn)
{
	ev_timer_init(&conn->idle, on_idle, limit(conn), 0.);
	conn->idle.data = conn;
	spoa_idle_heard(conn, base_clock_mono_ns());
	if (limit(conn) > 0)
		ev_timer_start(conn->worker->loop, &conn->idle);
}

void spoa_idle_done(struct spoa_conn *conn)
{
	ev_timer_stop(conn->worker->loop, &conn->idle);
}

void spoa_idle_heard(struct spoa_conn *conn, uint64_t now_ns)
{
	conn->heard = now_ns;
}
