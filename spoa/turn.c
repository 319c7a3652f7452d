#include "spoa/turn.h"

#include "spoa/conn.h"

/* Those who come back in their turn are behind the ones counted here: next time. */
static void on_turn(struct ev_loop *loop, ev_idle *idle, int events)
{
	struct spoa_worker *worker = idle->data;
	struct spoa_conn *conn;

	(void)loop;
	(void)events;
	for (size_t n = worker->n_again; n && (conn = TAILQ_FIRST(&worker->again)); n--) {
		spoa_turn_forget(conn);
		spoa_conn_continue(conn);
	}
}

void spoa_turn_init(struct spoa_worker *worker)
{
	TAILQ_INIT(&worker->again);
	worker->n_again = 0;
	ev_idle_init(&worker->turn, on_turn);
	/*
	 * An idle watcher of the highest priority runs once in every turn of the
	 * loop, and the loop does not sleep while there is one.
	 */
	ev_set_priority(&worker->turn, EV_MAXPRI);
	worker->turn.data = worker;
}

void spoa_turn_again(struct spoa_conn *conn)
{
	struct spoa_worker *worker = conn->worker;

	if (conn->is_again)
		return;
	conn->is_again = true;
	TAILQ_INSERT_TAIL(&worker->again, conn, in_again);
	if (!worker->n_again++)
		ev_idle_start(worker->loop, &worker->turn);
}

void spoa_turn_forget(struct spoa_conn *conn)
{
	struct spoa_worker *worker = conn->worker;

	if (!conn->is_again)
		return;
	conn->is_again = false;
	TAILQ_REMOVE(&worker->again, conn, in_again);
	if (!--worker->n_again)
		ev_idle_stop(worker->loop, &worker->turn);
}
