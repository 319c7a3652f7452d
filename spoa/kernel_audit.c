/* What the programs report, as lines of the audit log. */
#include "spoa/kernel_audit.h"

#include "audit/audit.h"
#include "policy/index.h"

#include <stdio.h>
#include <string.h>

static const enum audit_kind KINDS[] = {
	[BPFMAP_EVENT_DENY] = AUDIT_REFUSE,
	[BPFMAP_EVENT_DROP] = AUDIT_DROP,
	[BPFMAP_EVENT_KILL] = AUDIT_KILL,
};
_Static_assert(ARRAY_SIZE(KINDS) == BPFMAP_EVENT_KINDS, "one for each");

static struct audit_address address_of(const struct bpfmap_flow_key *flow, const uint8_t *bytes)
{
	static const uint8_t none[16];
	struct audit_address to = {.len = flow->family == BPFMAP_FAMILY_IPV4 ? 4 : 16};

	if (!memcmp(bytes, none, to.len))
		return (struct audit_address){0};
	memcpy(to.bytes, bytes, to.len);
	return to;
}

/* From HAProxy to a service, or from a client to HAProxy, who is local in both. */
static void tell_connection(struct audit_entry *entry, const struct bpfmap_event *event)
{
	const struct bpfmap_flow_key *flow = &event->flow;
	struct audit_address remote = address_of(flow, flow->remote_addr);
	struct audit_address local = address_of(flow, flow->local_addr);

	entry->egress = event->cause >= BPFMAP_CAUSE_DENIED;
	entry->src = entry->egress ? local : remote;
	entry->dst = entry->egress ? remote : local;
	entry->sport = entry->egress ? flow->local_port : flow->remote_port;
	entry->dport = entry->egress ? flow->remote_port : flow->local_port;
	entry->protocol = event->protocol;
	entry->cookie = event->cookie;
}

/* The numbers in the maps are those of the policies that are there. */
static void tell_service(
	struct audit_entry *entry, const struct spoa_kernel_policy *in_kernel, uint32_t number)
{
	const struct spoa_policies *policies = in_kernel->policies;

	if (!number || !in_kernel->written || !policies || !policies->index ||
		number > policy_index_services(policies->index))
		return;
	entry->text[AUDIT_TEXT_ROUTE] =
		span_of(policy_index_service_name(policies->index, number - 1));
	entry->text[AUDIT_TEXT_DST_LABELS] = policy_index_labels(policies->index, number - 1);
}

/* Events have the time since the machine started. */
static int64_t wall_of(uint64_t boot_ns, const struct base_now *now)
{
	return now->wall_ns - (int64_t)(now->boot_ns - boot_ns);
}

void spoa_kernel_audit_event(const struct spoa_audit *audit,
	const struct spoa_kernel_policy *in_kernel, const struct bpfmap_event *event,
	const struct base_now *now)
{
	struct audit_entry entry = {.wall_ns = wall_of(event->time, now),
		.verdict = event->audited ? AUDIT_AUDIT : AUDIT_DROPPED,
		.identity = event->identity};

	if (!audit || !audit->log || event->kind >= BPFMAP_EVENT_KINDS)
		return;
	entry.kind = KINDS[event->kind];
	entry.text[AUDIT_TEXT_REASON] = span_of(bpfmap_cause_name(event->cause));
	entry.text[AUDIT_TEXT_LABELS] = spoa_kernel_policy_labels(in_kernel, event->identity);
	tell_connection(&entry, event);
	tell_service(&entry, in_kernel, event->service);
	audit_put(audit->log, audit->main_ring, &entry);
}

void spoa_kernel_audit_lost(const struct spoa_audit *audit, uint64_t n, const struct base_now *now)
{
	const struct audit_entry entry = {.kind = AUDIT_LOST, .wall_ns = now->wall_ns, .count = n};

	if (audit && audit->log)
		audit_put(audit->log, audit->main_ring, &entry);
}

static void put_modes(char *text, size_t size, const struct bpfmap_control *control)
{
	size_t n = 0;

	for (enum bpfmap_part part = 0; part < BPFMAP_PARTS && n < size; part++)
		n += (size_t)snprintf(text + n, size - n, "%s %s, ", bpfmap_part_name(part),
			bpfmap_mode_name(control->mode[part]));
	if (n < size)
		snprintf(text + n, size - n, "unmarked %s, %u events a second",
			control->deny_unmarked ? "denied" : "allowed", control->events_per_second);
}

void spoa_kernel_audit_modes(const struct spoa_audit *audit, const struct bpfmap_control *before,
	const struct bpfmap_control *after)
{
	char was[200], is[200], text[420];

	if (!audit)
		return;
	put_modes(was, sizeof(was), before);
	put_modes(is, sizeof(is), after);
	snprintf(text, sizeof(text), "now %s; before %s", is, was);
	spoa_audit_note(audit, "kernel_modes", text);
}

void spoa_kernel_audit_glass(const struct spoa_audit *audit, int64_t seconds, const char *why)
{
	char text[700];

	if (!audit)
		return;
	if (seconds)
		snprintf(text, sizeof(text), "broken: the kernel only audits for %lld seconds: %s",
			(long long)seconds, why);
	else
		snprintf(text, sizeof(text), "mended: the kernel enforces again: %s", why);
	spoa_audit_note(audit, "break_glass", text);
}

void spoa_kernel_audit_kill(const struct spoa_audit *audit, int64_t identity, unsigned n)
{
	char text[100];

	if (!audit)
		return;
	if (identity)
		snprintf(text, sizeof(text), "%u connections of identity %lld", n,
			(long long)identity);
	else
		snprintf(text, sizeof(text), "%u connections of one client", n);
	spoa_audit_note(audit, "operator_kill", text);
}
