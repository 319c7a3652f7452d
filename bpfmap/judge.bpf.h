/*
 * The judgements, apart from where they are asked: what ends a flow, and what
 * a destination means for an identity. Tests run these same functions in a
 * program of a type that BPF_PROG_TEST_RUN knows.
 */
#ifndef BPFMAP_JUDGE_BPF_H
#define BPFMAP_JUDGE_BPF_H

#include "bpfmap/mark.h"
#include "bpfmap/maps.bpf.h"

struct destination {
	__u8 family;
	__u8 protocol;
	__u16 port; /* network order */
	__u8 addr[16];
};

/* An IPv4 address in an IPv6 one: ::ffff:a.b.c.d (RFC 4291 2.5.5.2). */
static __always_inline int is_ipv4_mapped(const __u32 words[4])
{
	return words[0] == 0 && words[1] == 0 && words[2] == bpf_htonl(0xffff);
}

static __always_inline void put_ipv4(struct destination *to, __u32 addr)
{
	to->family = BPFMAP_FAMILY_IPV4;
	__builtin_memset(to->addr, 0, sizeof(to->addr));
	__builtin_memcpy(to->addr, &addr, sizeof(addr));
}

/* A mapped address is judged as the IPv4 address that it is. */
static __always_inline void put_ipv6(struct destination *to, const __u32 words[4])
{
	if (is_ipv4_mapped(words)) {
		put_ipv4(to, words[3]);
		return;
	}
	to->family = BPFMAP_FAMILY_IPV6;
	__builtin_memcpy(to->addr, words, sizeof(to->addr));
}

struct judgement {
	__u32 identity;
	__u32 service;
	__u32 cause; /* enum bpfmap_cause; NONE: nothing against it */
};

/* The mode of a part. While the glass is broken nothing is more than audited. */
static __always_inline __u32 mode_of(const struct bpfmap_control *c, __u32 part)
{
	__u32 mode = c->mode[part];

	if (mode == BPFMAP_MODE_ENFORCE && c->break_glass_until &&
		bpf_ktime_get_boot_ns() < c->break_glass_until)
		return BPFMAP_MODE_AUDIT;
	return mode;
}

/* What ends this flow now. A wall clock that steps does not matter here. */
static __always_inline __u32 flow_end(const struct bpfmap_flow *flow)
{
	if (flow->flags & BPFMAP_FLOW_REVOKED)
		return BPFMAP_CAUSE_REVOKED;
	if (!(flow->flags & BPFMAP_FLOW_KILL) || (flow->flags & BPFMAP_FLOW_SHARED))
		return BPFMAP_CAUSE_NONE;
	if (flow->expires && bpf_ktime_get_boot_ns() >= flow->expires)
		return BPFMAP_CAUSE_EXPIRED;
	return BPFMAP_CAUSE_NONE;
}

/* Whatever is under the pair of another socket is not this one's. */
static __always_inline int is_of(const struct bpfmap_flow *flow, __u64 cookie)
{
	return !flow->cookie || flow->cookie == cookie;
}

static __always_inline __u32 find_service(__u32 epoch, const struct destination *to)
{
	struct bpfmap_endpoint_key key = {
		.prefixlen = BPFMAP_ENDPOINT_BITS + 128,
		.epoch = epoch,
		.family = to->family,
		.protocol = to->protocol,
	};
	const struct bpfmap_endpoint *found;

	__builtin_memcpy(key.addr, to->addr, sizeof(key.addr));
	__builtin_memcpy(key.port, &to->port, sizeof(key.port));
	found = bpf_map_lookup_elem(&endpoints, &key);
	if (!found) {
		__builtin_memset(key.port, 0, sizeof(key.port));
		found = bpf_map_lookup_elem(&endpoints, &key);
	}
	return found ? found->service : 0;
}

static __always_inline __u32 find_rule(struct bpfmap_policy_key *key, __u32 identity)
{
	const __u32 *found;

	key->identity = identity;
	found = bpf_map_lookup_elem(&policy, key);
	return found ? *found : 0;
}

static __always_inline __u32 judge_rules(
	__u32 epoch, __u32 service, __u32 identity, const struct destination *to)
{
	struct bpfmap_policy_key key = {
		.prefixlen = BPFMAP_POLICY_BITS + 16,
		.epoch = epoch,
		.service = service,
		.direction = BPFMAP_INGRESS,
		.protocol = to->protocol,
	};
	__u32 own, any;

	__builtin_memcpy(key.port, &to->port, sizeof(key.port));
	own = find_rule(&key, identity);
	any = find_rule(&key, 0);
	if (own == BPFMAP_POLICY_DENY || any == BPFMAP_POLICY_DENY)
		return BPFMAP_CAUSE_DENIED;
	if (own == BPFMAP_POLICY_ALLOW || any == BPFMAP_POLICY_ALLOW)
		return BPFMAP_CAUSE_NONE;
	return BPFMAP_CAUSE_NO_RULE;
}

/* May a socket with this mark reach this destination? A destination of no service is free. */
static __always_inline void judge_destination(const struct bpfmap_control *c, __u32 mark,
	const struct destination *to, struct judgement *j)
{
	const struct bpfmap_settings *s = get_settings();
	const __u32 epoch = c->epoch;

	j->cause = BPFMAP_CAUSE_NONE;
	j->service = 0;
	j->identity = s ? bpfmap_mark_decode(mark, s->clusters) : 0;
	if (!epoch || !(j->identity || c->deny_unmarked))
		return;
	j->service = find_service(epoch, to);
	if (!j->service)
		return;
	j->cause = j->identity ? judge_rules(epoch, j->service, j->identity, to)
			       : BPFMAP_CAUSE_UNMARKED;
}

static __always_inline void account(__u32 identity, __u32 verdict, __u32 direction, __u64 bytes)
{
	const struct bpfmap_stat_key key = {
		.identity = identity, .verdict = verdict, .direction = direction};
	struct bpfmap_stat *stat = bpf_map_lookup_elem(&stats, &key);

	if (stat) { /* of this CPU alone */
		stat->packets += 1;
		stat->bytes += bytes;
		return;
	}
	const struct bpfmap_stat first = {.packets = 1, .bytes = bytes};
	if (bpf_map_update_elem(&stats, &key, &first, BPF_NOEXIST))
		count(BPFMAP_COUNT_STATS_FULL);
}

/* One more event this second? Two CPUs at the turn of a second may let a few more through. */
static __always_inline int may_tell(__u64 now)
{
	const struct bpfmap_control *c = get_control();
	struct bpfmap_cells *cell = get_cells();
	const __u64 second = now / NS_PER_S;

	if (!c || !cell || !c->events_per_second)
		return 0;
	if (cell->events_second != second) {
		cell->events_second = second;
		cell->events_n = 0;
	}
	return __sync_fetch_and_add(&cell->events_n, 1) < c->events_per_second;
}

/* An event to fill and submit; NULL: lost, and counted. */
static __always_inline struct bpfmap_event *begin_event(void)
{
	struct bpfmap_event *event = NULL;
	__u64 now = bpf_ktime_get_boot_ns();

	if (may_tell(now))
		event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		count(BPFMAP_COUNT_EVENTS_LOST);
		return NULL;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->time = now;
	return event;
}

/* The end of a flow is told once, however many packets follow. */
static __always_inline void tell_flow(const struct bpfmap_flow_key *key, struct bpfmap_flow *flow,
	__u32 kind, __u32 cause, __u32 audited)
{
	struct bpfmap_event *event;

	if (__sync_fetch_and_or(&flow->flags, BPFMAP_FLOW_TOLD) & BPFMAP_FLOW_TOLD)
		return;
	event = begin_event();
	if (!event)
		return;
	event->cookie = flow->cookie;
	event->subject = flow->subject;
	event->identity = flow->identity;
	event->flow = *key;
	event->kind = kind;
	event->cause = cause;
	event->audited = audited;
	event->protocol = IPPROTO_TCP;
	bpf_ringbuf_submit(event, 0);
}

/* What a socket may not reach: the destination stands as the remote side; own is the local one. */
static __always_inline void tell_destination(const struct destination *to,
	const struct bpfmap_flow_key *own, const struct judgement *j, __u64 cookie, __u32 kind,
	__u32 audited)
{
	struct bpfmap_event *event = begin_event();

	if (!event)
		return;
	event->cookie = cookie;
	event->identity = j->identity;
	event->service = j->service;
	event->flow.family = to->family;
	event->flow.remote_port = bpf_ntohs(to->port);
	__builtin_memcpy(event->flow.remote_addr, to->addr, sizeof(to->addr));
	if (own) {
		event->flow.local_port = own->local_port;
		__builtin_memcpy(event->flow.local_addr, own->local_addr, sizeof(own->local_addr));
	}
	event->kind = kind;
	event->cause = j->cause;
	event->audited = audited;
	event->protocol = to->protocol;
	bpf_ringbuf_submit(event, 0);
}

/* A connect or a send: 1 lets it through, 0 is EPERM for the caller. */
static __always_inline int judge_connect(__u32 mark, const struct destination *to, __u64 cookie)
{
	const struct bpfmap_control *c = get_control();
	struct judgement j;
	__u32 mode;

	mode = c ? mode_of(c, BPFMAP_PART_CONNECT) : BPFMAP_MODE_OFF;
	if (mode == BPFMAP_MODE_OFF)
		return 1;
	judge_destination(c, mark, to, &j);
	if (j.cause == BPFMAP_CAUSE_NONE)
		return 1;
	count(mode == BPFMAP_MODE_AUDIT ? BPFMAP_COUNT_AUDITED : BPFMAP_COUNT_DENIED);
	tell_destination(to, NULL, &j, cookie, BPFMAP_EVENT_DENY, mode == BPFMAP_MODE_AUDIT);
	return mode == BPFMAP_MODE_AUDIT;
}

/* A packet of a socket with our mark: counted by its identity. */
static __always_inline int judge_marked(__u32 mark, const struct destination *to,
	const struct bpfmap_flow_key *own, __u64 cookie, __u32 direction, __u32 bytes)
{
	const struct bpfmap_control *c = get_control();
	struct judgement j;
	__u32 verdict = BPFMAP_PASSED;
	__u32 mode;

	if (!c)
		return 1;
	mode = mode_of(c, BPFMAP_PART_PACKETS);
	judge_destination(c, mark, to, &j);
	if (!j.identity)
		return 1;
	if (j.cause != BPFMAP_CAUSE_NONE && mode != BPFMAP_MODE_OFF) {
		verdict = mode == BPFMAP_MODE_AUDIT ? BPFMAP_AUDITED : BPFMAP_STOPPED;
		count(mode == BPFMAP_MODE_AUDIT ? BPFMAP_COUNT_AUDITED : BPFMAP_COUNT_DROPPED);
		tell_destination(to, own, &j, cookie, BPFMAP_EVENT_DROP, mode == BPFMAP_MODE_AUDIT);
	}
	account(j.identity, verdict, direction, bytes);
	return verdict != BPFMAP_STOPPED;
}

/* A packet of a client's connection. Who is not in the map passes uncounted. */
static __always_inline int judge_client(
	const struct bpfmap_flow_key *key, __u64 cookie, __u32 direction, __u32 bytes)
{
	struct bpfmap_flow *flow = bpf_map_lookup_elem(&flows, key);
	__u32 verdict = BPFMAP_PASSED;
	const struct bpfmap_control *c;
	__u32 cause, mode;

	if (!flow || !is_of(flow, cookie))
		return 1;
	cause = flow_end(flow);
	if (cause != BPFMAP_CAUSE_NONE && !(flow->flags & BPFMAP_FLOW_DYING)) {
		c = get_control();
		mode = c ? mode_of(c, BPFMAP_PART_REVOKED) : BPFMAP_MODE_OFF;
		if (mode != BPFMAP_MODE_OFF) {
			verdict = mode == BPFMAP_MODE_AUDIT ? BPFMAP_AUDITED : BPFMAP_STOPPED;
			count(mode == BPFMAP_MODE_AUDIT ? BPFMAP_COUNT_AUDITED
							: BPFMAP_COUNT_DROPPED);
			tell_flow(key, flow, BPFMAP_EVENT_DROP, cause, mode == BPFMAP_MODE_AUDIT);
		}
	}
	account(flow->identity, verdict, direction, bytes);
	return verdict != BPFMAP_STOPPED;
}

#endif
