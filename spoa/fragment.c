#include "spoa/fragment.h"

#include "spoa/hold.h"
#include "spoa/notify.h"

#include <stdlib.h>
#include <string.h>

static void forget(struct spoa_conn *conn)
{
	spoa_hold_release_message(conn);
	conn->message_trouble = BASE_REASON_OK;
}

/* This message gets an error; its bytes are of no more use. */
static void give_up(struct spoa_conn *conn, enum base_reason why)
{
	spoa_hold_release_message(conn);
	conn->message_trouble = why;
}

static void keep(struct spoa_conn *conn, const struct spop_frame *frame)
{
	size_t limit = (size_t)conn->worker->snapshot->config->conf->spop.max_message_size;

	if (conn->message_trouble != BASE_REASON_OK)
		return;
	if (conn->message_len > limit || frame->payload.n > limit - conn->message_len)
		give_up(conn, BASE_REASON_MESSAGE_TOO_LARGE);
	else if (spoa_hold_message(conn, frame->payload))
		give_up(conn, BASE_REASON_OVERLOAD);
}

static enum spop_status on_more(struct spoa_conn *conn, struct spoa_session *session,
	const struct spop_frame *frame, struct wr *out)
{
	(void)session;
	(void)out;
	keep(conn, frame);
	return SPOP_STATUS_NORMAL;
}

static enum spop_status on_last(struct spoa_conn *conn, struct spoa_session *session,
	const struct spop_frame *frame, struct wr *out)
{
	enum spop_status status = SPOP_STATUS_NORMAL;
	struct spop_frame whole = *frame;

	keep(conn, frame);
	whole.type = SPOP_NOTIFY;
	whole.payload = (struct span){.p = (char *)conn->message, .n = conn->message_len};
	spoa_metrics_add(&conn->worker->metrics, SPOA_COUNT_FRAGMENTED, 1);
	if (conn->message_trouble == BASE_REASON_OK)
		status = spoa_notify(conn, session, &whole, out);
	else
		spoa_notify_refuse(conn, &whole, conn->message_trouble, out);
	forget(conn);
	return status;
}

/* HAProxy has given it up, so nobody waits for an ACK (SPOE.txt 3.2, ABORT). */
static enum spop_status on_cancel(struct spoa_conn *conn, struct spoa_session *session,
	const struct spop_frame *frame, struct wr *out)
{
	(void)session;
	(void)frame;
	(void)out;
	forget(conn);
	return SPOP_STATUS_NORMAL;
}

enum spop_status spoa_fragment(void *arg, struct spoa_session *session,
	const struct spop_frame *frame, enum spop_part part, struct wr *out)
{
	static enum spop_status (*const handle[SPOP_PARTS])(struct spoa_conn *,
		struct spoa_session *, const struct spop_frame *, struct wr *) = {
		[SPOP_FIRST] = on_more,
		[SPOP_MIDDLE] = on_more,
		[SPOP_LAST] = on_last,
		[SPOP_CANCEL] = on_cancel,
	};

	return handle[part](arg, session, frame, out);
}
