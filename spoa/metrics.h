/*
 * The counters: one table, incremented by enum. Every thread has its own set,
 * so nothing is shared on the request path; a scrape adds them up.
 */
#ifndef SPOA_METRICS_H
#define SPOA_METRICS_H

#include "base/reason.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* X(enum suffix, metric, label or "", help). Rows of one metric stand together. */
/* clang-format off */
#define SPOA_COUNTERS(X) \
	X(CONNECTIONS, "identityd_spop_connections_total", "", "SPOP connections taken on") \
	X(CONNECTIONS_REFUSED, "identityd_spop_connections_refused_total", "why=\"full\"", "SPOP connections turned away, by why") \
	X(CONNECTIONS_NOT_ALLOWED, "identityd_spop_connections_refused_total", "why=\"not_allowed\"", "") \
	X(HEALTHCHECKS, "identityd_spop_healthchecks_total", "", "HELLO frames of health checks answered") \
	X(NOTIFIES, "identityd_spop_notifies_total", "", "NOTIFY frames received") \
	X(FRAGMENTED, "identityd_spop_fragmented_total", "", "NOTIFYs that came in fragments") \
	X(PARKED, "identityd_spop_parked_total", "", "NOTIFY frames that waited for keys") \
	X(TOKENS_VERIFIED, "identityd_tokens_total", "from=\"verification\"", "Valid tokens, by how that was known") \
	X(TOKENS_REMEMBERED, "identityd_tokens_total", "from=\"cache\"", "") \
	X(CLOSED_PEER, "identityd_spop_closed_total", "by=\"peer\"", "SPOP connections ended, by who ended them and why") \
	X(CLOSED_ERROR, "identityd_spop_closed_total", "by=\"agent\",why=\"bad_frame\"", "") \
	X(CLOSED_TLS, "identityd_spop_closed_total", "by=\"agent\",why=\"tls\"", "") \
	X(CLOSED_TIMEOUT, "identityd_spop_closed_total", "by=\"agent\",why=\"timeout\"", "") \
	X(CLOSED_STALE, "identityd_spop_closed_total", "by=\"agent\",why=\"stood_still\"", "") \
	X(CLOSED_IDLE, "identityd_spop_closed_total", "by=\"agent\",why=\"idle\"", "") \
	X(CLOSED_RESOURCES, "identityd_spop_closed_total", "by=\"agent\",why=\"resources\"", "") \
	X(CLOSED_DRAIN, "identityd_spop_closed_total", "by=\"agent\",why=\"drain\"", "") \
	X(STALLS, "identityd_stalls_total", "", "Times that a worker found it had stood still for longer than spop.max_stall") \
	X(FLOW_BOUND, "identityd_flow_bindings_total", "outcome=\"bound\"", "Identities written to the kernel's flow map, by outcome") \
	X(FLOW_UNCHANGED, "identityd_flow_bindings_total", "outcome=\"unchanged\"", "") \
	X(FLOW_SHARED, "identityd_flow_bindings_total", "outcome=\"shared\"", "") \
	X(FLOW_UNBOUND, "identityd_flow_bindings_total", "outcome=\"unbound\"", "") \
	X(FLOW_UNTRUSTED, "identityd_flow_bindings_total", "outcome=\"untrusted_peer\"", "") \
	X(FLOW_FULL, "identityd_flow_bindings_total", "outcome=\"map_full\"", "") \
	X(FLOW_FAILED, "identityd_flow_bindings_total", "outcome=\"failed\"", "") \
	X(NOT_ENFORCED, "identityd_decisions_not_enforced_total", "", "Requests allowed while no kernel map was there to enforce them") \
	X(POLICY_AUDITED, "identityd_policy_audited_total", "", "Requests allowed only because the policy that denies them is in audit mode") \
	X(FLOWS_REVOKED, "identityd_flows_revoked_total", "", "Client connections whose token was revoked while they were open") \
	X(KILL_SCANS, "identityd_kernel_kill_scans_total", "", "Passes over all sockets to end revoked and expired connections") \
	X(KERNEL_EVENTS, "identityd_kernel_events_total", "", "Refusals, drops and kills that the kernel reported") \
	X(KEY_FETCHES, "identityd_key_fetches_total", "outcome=\"ok\"", "Fetches of providers' keys, by outcome") \
	X(KEY_FETCHES_FAILED, "identityd_key_fetches_total", "outcome=\"failed\"", "") \
	X(INTROSPECTED_ACTIVE, "identityd_introspections_total", "outcome=\"active\"", "Answers of providers about tokens, by outcome") \
	X(INTROSPECTED_INACTIVE, "identityd_introspections_total", "outcome=\"inactive\"", "") \
	X(INTROSPECTED_FAILED, "identityd_introspections_total", "outcome=\"failed\"", "") \
	X(RELOADS, "identityd_reloads_total", "outcome=\"ok\"", "Reloads of the configuration, by outcome") \
	X(RELOADS_FAILED, "identityd_reloads_total", "outcome=\"failed\"", "") \
	X(LOGOUTS, "identityd_logouts_total", "outcome=\"ok\"", "Back-channel logouts, by outcome") \
	X(LOGOUTS_REFUSED, "identityd_logouts_total", "outcome=\"refused\"", "") \
	X(LOG_LINES_LOST, "identityd_log_lines_suppressed_total", "", "Log lines left out because there were too many a second")
/* clang-format on */

enum spoa_counter {
#define X(suffix, metric, label, help) SPOA_COUNT_##suffix,
	SPOA_COUNTERS(X)
#undef X
		SPOA_COUNTERS_N,
};

struct spoa_metrics {
	atomic_uint_fast64_t counters[SPOA_COUNTERS_N];
	atomic_uint_fast64_t decisions[BASE_REASON_COUNT];
};

/* Only the thread that owns the set raises its counters, so this needs no locked instruction. */
static inline void spoa_metrics_raise(atomic_uint_fast64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
		memory_order_relaxed);
}

static inline void spoa_metrics_add(struct spoa_metrics *m, enum spoa_counter c, uint64_t n)
{
	spoa_metrics_raise(&m->counters[c], n);
}

static inline void spoa_metrics_decision(struct spoa_metrics *m, enum base_reason reason)
{
	spoa_metrics_raise(&m->decisions[reason], 1);
}

/* Sum of one counter over n sets. */
uint64_t spoa_metrics_sum(struct spoa_metrics *const *sets, size_t n, enum spoa_counter c);
uint64_t spoa_metrics_decisions(struct spoa_metrics *const *sets, size_t n, enum base_reason r);

/* The table in Prometheus text format 0.0.4. */
void spoa_metrics_write(FILE *to, struct spoa_metrics *const *sets, size_t n);

/* One gauge with HELP and TYPE, for values that are not counted but asked for. */
void spoa_metrics_gauge(FILE *to, const char *name, const char *help, double value);

#endif
