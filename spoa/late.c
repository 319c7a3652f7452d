/*
 * Does anybody still wait for the answer? Where HAProxy says when it asked, a
 * request that is older than spop.deadline is refused unseen: HAProxy has
 * given it up, or will before the answer is there, and has asked another
 * agent. That happens when this process was frozen (a stopped container, a
 * suspended machine, SIGSTOP) or has more to do than it can: what lies in the
 * sockets then may be about connections that are long gone, and an identity
 * must not be written for whoever has their address now.
 *
 * TOO_LATE.
 */
#include "spoa/stages.h"

enum spoa_step spoa_stage_late(struct spoa_case *c)
{
	int64_t limit = c->snapshot->config->conf->spop.deadline * 1000;
	int64_t now = c->now->wall_ns / 1000;

	/* A time to come is another clock's or one that was put back: it says nothing. */
	if (!c->request->sent || c->request->sent > now || now - c->request->sent <= limit)
		return SPOA_NEXT;
	return spoa_refuse(c, BASE_REASON_TOO_LATE);
}
