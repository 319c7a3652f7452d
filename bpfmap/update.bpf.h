/*
 * Changing one flow so that nobody in between is lost: the agents are several
 * threads of several processes, and the pair of addresses may be used again
 * at any moment. User space has no compare-and-swap on a map; here it is.
 */
#ifndef BPFMAP_UPDATE_BPF_H
#define BPFMAP_UPDATE_BPF_H

#include "bpfmap/maps.bpf.h"

/* SHARED stays until the connection closes, so it is set before anything else goes. */
static __always_inline __u32 share(struct bpfmap_flow *flow)
{
	__sync_fetch_and_or(&flow->flags, BPFMAP_FLOW_SHARED);
	__sync_fetch_and_and(&flow->flags, ~BPFMAP_FLOW_KILL);
	flow->identity = 0;
	flow->expires = 0;
	flow->issued = 0;
	for (int i = 0; i < BPFMAP_TOKEN_FIELDS; i++)
		flow->token[i] = 0;
	flow->subject = 0;
	return BPFMAP_RESULT_SHARED;
}

static __always_inline int is_same(const struct bpfmap_flow *flow, const struct bpfmap_update *u)
{
	for (int i = 0; i < BPFMAP_TOKEN_FIELDS; i++) {
		if (flow->token[i] != u->token[i])
			return 0;
	}
	return flow->issued == u->issued && flow->identity == u->identity &&
	       flow->expires == u->expires &&
	       (flow->flags & BPFMAP_FLOW_KILL) == (u->flags & BPFMAP_FLOW_KILL);
}

/* expires before KILL: no moment with a KILL of an earlier time. */
static __always_inline void write_binding(struct bpfmap_flow *flow, const struct bpfmap_update *u)
{
	if (!(u->flags & BPFMAP_FLOW_KILL))
		__sync_fetch_and_and(&flow->flags, ~BPFMAP_FLOW_KILL);
	flow->expires = u->expires;
	flow->issued = u->issued;
	for (int i = 0; i < BPFMAP_TOKEN_FIELDS; i++)
		flow->token[i] = u->token[i];
	flow->identity = u->identity;
	if (u->flags & BPFMAP_FLOW_KILL)
		__sync_fetch_and_or(&flow->flags, BPFMAP_FLOW_KILL);
}

static __always_inline __u32 bind(struct bpfmap_flow *flow, const struct bpfmap_update *u)
{
	const __u64 cookie = *(volatile __u64 *)&flow->cookie;
	__u32 result = BPFMAP_RESULT_SAME;
	__u64 had;

	if (flow->flags & BPFMAP_FLOW_SHARED)
		return BPFMAP_RESULT_SHARED;
	had = __sync_val_compare_and_swap(&flow->subject, 0, u->subject);
	if (had && had != u->subject)
		return share(flow);
	if (!had || !is_same(flow, u)) {
		write_binding(flow, u);
		result = BPFMAP_RESULT_DONE;
	}
	if ((u->flags & BPFMAP_FLOW_KILL) && u->expires)
		note_due(u->expires);
	/* Somebody else shared it in between: what we wrote must not stay. */
	if (*(volatile __u32 *)&flow->flags & BPFMAP_FLOW_SHARED)
		return share(flow);
	/* The connection closed, and the next one has the entry: nobody's, then. */
	if (*(volatile __u64 *)&flow->cookie != cookie) {
		share(flow);
		return BPFMAP_RESULT_ABSENT;
	}
	return result;
}

/* A shared connection has no subject that could be revoked. */
static __always_inline __u32 revoke(struct bpfmap_flow *flow, const struct bpfmap_update *u)
{
	if (flow->cookie != u->cookie || (flow->flags & BPFMAP_FLOW_SHARED))
		return BPFMAP_RESULT_ABSENT;
	if (__sync_fetch_and_or(&flow->flags, BPFMAP_FLOW_REVOKED) & BPFMAP_FLOW_REVOKED)
		return BPFMAP_RESULT_SAME;
	return BPFMAP_RESULT_DONE;
}

/* Not found by two looks in a row; an entry that was made since has the newest generation. */
static __always_inline __u32 forget(
	struct bpfmap_flow *flow, const struct bpfmap_flow_key *key, const struct bpfmap_update *u)
{
	const struct bpfmap_cells *c = get_cells();

	if (!c || flow->cookie != u->cookie || flow->netns != u->netns)
		return BPFMAP_RESULT_ABSENT;
	if (c->generation - flow->seen < 2)
		return BPFMAP_RESULT_SAME;
	if (bpf_map_delete_elem(&flows, key))
		return BPFMAP_RESULT_ABSENT;
	count(BPFMAP_COUNT_FLOWS_CLOSED);
	count(BPFMAP_COUNT_FLOWS_DEAD);
	return BPFMAP_RESULT_DONE;
}

static __always_inline __u32 update_cells(const struct bpfmap_update *u)
{
	struct bpfmap_cells *c = get_cells();

	if (!c)
		return BPFMAP_RESULT_ABSENT;
	if (u->op == BPFMAP_OP_LOOK)
		__sync_fetch_and_add(&c->generation, 1);
	else
		c->due = 0;
	return BPFMAP_RESULT_DONE;
}

static __always_inline __u32 update_flow(const struct bpfmap_update *u)
{
	const struct bpfmap_flow_key key = u->key;
	struct bpfmap_flow *flow = bpf_map_lookup_elem(&flows, &key);

	if (!flow)
		return bpf_map_lookup_elem(&overflow, &key) ? BPFMAP_RESULT_FULL
							    : BPFMAP_RESULT_ABSENT;
	if (u->op == BPFMAP_OP_BIND)
		return bind(flow, u);
	if (u->op == BPFMAP_OP_REVOKE)
		return revoke(flow, u);
	return forget(flow, &key, u);
}

static __always_inline void update(struct bpfmap_update *u)
{
	if (u->op == BPFMAP_OP_LOOK || u->op == BPFMAP_OP_UNDUE)
		u->result = update_cells(u);
	else
		u->result = update_flow(u);
}

#endif
