#include "spoa/hold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

size_t spoa_hold_limit(const struct spoa_worker *worker)
{
	return (size_t)worker->snapshot->config->conf->spop.max_buffered / worker->n_workers;
}

/* How much more the worker has. A reload may have left less than is in use. */
static size_t left(const struct spoa_worker *worker)
{
	size_t limit = spoa_hold_limit(worker);

	return limit > worker->held ? limit - worker->held : 0;
}

/*
 * Buffers of these sizes from now on? A frame's worth of input is every
 * connection's own; what is more comes out of the worker's share for all.
 */
static int charge(struct spoa_conn *conn, size_t in_size, size_t out_size, size_t message_size)
{
	size_t own = SPOA_SESSION_ROOM(conn->session.max_frame);
	size_t wanted = out_size + message_size + (in_size > own ? in_size - own : 0);
	struct spoa_worker *worker = conn->worker;
	size_t limit = (size_t)worker->snapshot->config->conf->spop.max_buffered_per_connection;

	if (wanted > conn->charged && (wanted > limit || wanted - conn->charged > left(worker)))
		return -ENOBUFS;
	worker->held = worker->held - conn->charged + wanted;
	conn->charged = wanted;
	return 0;
}

/* The connection cannot go on without this much; it has to go. */
static int charge_or_close(struct spoa_conn *conn, size_t in_size, size_t out_size)
{
	int rc = charge(conn, in_size, out_size, conn->message_size);

	if (rc)
		conn->closed_as = SPOA_COUNT_CLOSED_RESOURCES;
	return rc;
}

static void release_input(struct spoa_conn *conn)
{
	free(TAKE_PTR(conn->in_held));
	conn->in_size = conn->in_len = 0;
	(void)!charge(conn, 0, conn->out_size, conn->message_size); /* less is always granted */
}

void spoa_hold_release_output(struct spoa_conn *conn)
{
	free(TAKE_PTR(conn->out_held));
	conn->out_size = 0;
	(void)!charge(conn, conn->in_size, 0, conn->message_size);
}

void spoa_hold_release_message(struct spoa_conn *conn)
{
	free(TAKE_PTR(conn->message));
	conn->message_size = conn->message_len = 0;
	(void)!charge(conn, conn->in_size, conn->out_size, 0);
}

int spoa_hold_message(struct spoa_conn *conn, struct span more)
{
	size_t size = conn->message_len + more.n;

	if (size > conn->message_size) {
		unsigned char *grown;

		if (charge(conn, conn->in_size, conn->out_size, size))
			return -ENOBUFS;
		grown = realloc(conn->message, size);
		if (!grown) {
			(void)!charge(conn, conn->in_size, conn->out_size, conn->message_size);
			return -ENOMEM;
		}
		conn->message = grown;
		conn->message_size = size;
	}
	if (more.n)
		memcpy(conn->message + conn->message_len, more.p, more.n);
	conn->message_len = size;
	return 0;
}

int spoa_hold_input(struct spoa_conn *conn, const struct rd *rest)
{
	size_t n = (size_t)(rest->end - rest->p);

	if (n > conn->in_size) {
		unsigned char *grown;

		if (charge_or_close(conn, n, conn->out_size))
			return -ENOBUFS;
		grown = realloc(conn->in_held, n);
		if (!grown)
			return -ENOMEM;
		conn->in_held = grown;
		conn->in_size = n;
	}
	if (n)
		memcpy(conn->in_held, rest->p, n);
	conn->in_len = n;
	/* More than a frame was held only because answers could not go out. */
	if (!n && conn->in_size > SPOA_SESSION_ROOM(conn->session.max_frame))
		release_input(conn);
	return 0;
}

int spoa_hold_output(struct spoa_conn *conn, const unsigned char *p, size_t n)
{
	size_t size = conn->out_len + n;

	if (size > conn->out_size) {
		unsigned char *grown;

		if (charge_or_close(conn, conn->in_size, size))
			return -ENOBUFS;
		grown = realloc(conn->out_held, size);
		if (!grown)
			return -ENOMEM;
		conn->out_held = grown;
		conn->out_size = size;
	}
	memcpy(conn->out_held + conn->out_len, p, n);
	conn->out_len = size;
	return 0;
}

void spoa_hold_done(struct spoa_conn *conn)
{
	conn->worker->held -= conn->charged;
	free(conn->in_held);
	free(conn->out_held);
	free(conn->message);
}
