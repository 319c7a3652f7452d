/*
 * The metrics: one table, of what is counted (by enum, each thread in its own
 * set, so nothing is shared on the request path; a scrape adds them up) and of
 * what is asked for at a scrape. No label has a value that a stranger chose.
 */
#ifndef SPOA_METRICS_H
#define SPOA_METRICS_H

#include "base/reason.h"
#include "spoa/histogram.h"
#include "spop/status.h"

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
	X(HELLOS, "identityd_spop_frames_total", "type=\"hello\"", "Frames of HAProxy that were understood, by type; ACKs are identityd_decisions_total") \
	X(NOTIFIES, "identityd_spop_frames_total", "type=\"notify\"", "") \
	X(DISCONNECTS, "identityd_spop_frames_total", "type=\"disconnect\"", "") \
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
	X(WORKLOAD_MATCH, "identityd_workload_tokens_total", "result=\"match\"", "Service accounts' tokens compared with the workload at the source address, by result") \
	X(WORKLOAD_MISMATCH, "identityd_workload_tokens_total", "result=\"mismatch\"", "") \
	X(WORKLOAD_UNKNOWN, "identityd_workload_tokens_total", "result=\"unknown\"", "") \
	X(POLICY_AUDITED, "identityd_policy_audited_total", "", "Requests allowed only because the policy that denies them is in audit mode") \
	X(FLOWS_REVOKED, "identityd_flows_revoked_total", "", "Client connections whose token was revoked while they were open") \
	X(KILL_SCANS, "identityd_kernel_kill_scans_total", "", "Passes over all sockets to end revoked and expired connections") \
	X(KERNEL_EVENTS, "identityd_kernel_events_total", "", "Refusals, drops and kills that the kernel reported") \
	X(KEY_FETCHES, "identityd_key_fetches_total", "outcome=\"ok\"", "Fetches of providers' keys, by outcome") \
	X(KEY_FETCHES_FAILED, "identityd_key_fetches_total", "outcome=\"failed\"", "") \
	X(INTROSPECTED_ACTIVE, "identityd_introspections_total", "outcome=\"active\"", "Answers of providers about tokens, by outcome") \
	X(INTROSPECTED_INACTIVE, "identityd_introspections_total", "outcome=\"inactive\"", "") \
	X(INTROSPECTED_FAILED, "identityd_introspections_total", "outcome=\"failed\"", "") \
	X(IDENTITIES_NEW, "identityd_identities_made_total", "outcome=\"ok\"", "Identities that came up with a caller, by outcome") \
	X(IDENTITIES_FAILED, "identityd_identities_made_total", "outcome=\"failed\"", "") \
	X(UNFIT_CLAIMS, "identityd_unfit_claims_total", "", "Requests whose caller has not a role because a claim cannot be a label") \
	X(RELOADS, "identityd_reloads_total", "outcome=\"ok\"", "Reloads of the configuration, by outcome") \
	X(RELOADS_FAILED, "identityd_reloads_total", "outcome=\"failed\"", "") \
	X(LOGOUTS, "identityd_logouts_total", "outcome=\"ok\"", "Back-channel logouts, by outcome") \
	X(LOGOUTS_REFUSED, "identityd_logouts_total", "outcome=\"refused\"", "") \
	X(LOG_LINES_LOST, "identityd_log_lines_suppressed_total", "", "Log lines left out because there were too many a second")

/* X(enum suffix, type, metric, help): what has values of its own at a scrape. */
#define SPOA_FAMILIES(X) \
	X(DECISIONS, "counter", "identityd_decisions_total", "Requests answered, by verdict, reason and the provider of the caller (empty: not known)") \
	X(DECIDE, "histogram", "identityd_decide_seconds", "Time to decide, of one in 16 decisions") \
	X(FRAME, "histogram", "identityd_frame_seconds", "From the bytes of a NOTIFY being there to its ACK being sent, waiting for keys included") \
	X(SPOP_ERRORS, "counter", "identityd_spop_errors_total", "SPOP connections that ended with an error, by status code (SPOE.txt 3.5) and by whose") \
	X(BUILD, "gauge", "identityd_build_info", "1; the labels say what is running") \
	X(UPTIME, "gauge", "identityd_uptime_seconds", "Since the start") \
	X(READY, "gauge", "identityd_ready", "1 while /readyz says so") \
	X(WORKERS, "gauge", "identityd_workers", "Threads that answer requests") \
	X(CONNECTIONS, "gauge", "identityd_spop_connections", "SPOP connections open") \
	X(WAITING, "gauge", "identityd_spop_waiting", "NOTIFYs waiting for keys") \
	X(CACHE_ENTRIES, "gauge", "identityd_token_cache_entries", "Verified tokens remembered") \
	X(CACHE_BYTES, "gauge", "identityd_token_cache_bytes", "Memory that they take") \
	X(CACHE_MAX, "gauge", "identityd_token_cache_max_bytes", "Memory that they may take (cache.tokens)") \
	X(ENFORCED, "gauge", "identityd_enforced", "1 while identities are written to the kernel, 0 while nothing is enforced") \
	X(FLOWS, "gauge", "identityd_flows", "Client connections in the flow map") \
	X(FLOWS_MAX, "gauge", "identityd_flows_max", "Capacity of the flow map") \
	X(FLOWS_REFUSED, "counter", "identityd_flows_refused_total", "Client connections that the full flow map had no room for") \
	X(FLOWS_DEAD, "counter", "identityd_flows_dead_total", "Entries removed because their connection was gone") \
	X(MAP_ENTRIES, "gauge", "identityd_map_entries", "Entries of a kernel map, counted anew every 10 seconds at most") \
	X(MAP_MAX, "gauge", "identityd_map_max_entries", "Entries that there is room for in it") \
	X(STOPS, "counter", "identityd_kernel_stops_total", "What the kernel refused, dropped and ended") \
	X(AUDITED, "counter", "identityd_kernel_audited_total", "What enforcing would have stopped") \
	X(EVENTS_LOST, "counter", "identityd_kernel_events_lost_total", "Events that were too many, or found the ring buffer full") \
	X(STATS_FULL, "counter", "identityd_kernel_stats_full_total", "Packets whose identity found no room to be counted") \
	X(PACKETS, "counter", "identityd_kernel_packets_total", "Packets of client connections and of marked sockets, by identity") \
	X(BYTES, "counter", "identityd_kernel_bytes_total", "Bytes of those packets") \
	X(GLASS, "gauge", "identityd_break_glass_seconds", "For how long the kernel still only audits; 0: it enforces") \
	X(OBSERVE, "gauge", "identityd_observe", "1 while every request is allowed, whatever the verdict") \
	X(UNMARKED, "gauge", "identityd_haproxy_without_marks", "Processes asking that have no right to set packet marks, while there are some to set") \
	X(PROVIDER_STATE, "gauge", "identityd_provider_state", "1 for the state that the provider's keys are in") \
	X(PROVIDER_KEYS, "gauge", "identityd_provider_keys", "Keys of the provider that are in use") \
	X(PROVIDER_AGE, "gauge", "identityd_provider_key_age_seconds", "Since the provider last said what its keys are") \
	X(ETCD_UP, "gauge", "identityd_etcd_up", "1 while etcd answers, our lease lives and its numbers are known") \
	X(ETCD_CALLS, "counter", "identityd_etcd_calls_total", "Calls to etcd, watches included") \
	X(ETCD_FAILURES, "counter", "identityd_etcd_failures_total", "Calls that etcd did not answer as it should, by why") \
	X(ETCD_SKIPPED, "counter", "identityd_etcd_skipped_total", "Keys in etcd that say nothing to us: malformed, or of another range") \
	X(ETCD_NUMBERS, "gauge", "identityd_etcd_numbers", "Numbers of this cluster that etcd has, and those that we want and that may be marked") \
	X(ETCD_ALLOCATED, "counter", "identityd_etcd_allocated_total", "Numbers that this agent made") \
	X(ETCD_DOUBTS, "counter", "identityd_etcd_doubts_total", "Times that a number could not be vouched for any more, and that it was replaced by another") \
	X(ETCD_REVOCATIONS, "gauge", "identityd_etcd_revocations_waiting", "Revocations that other agents do not know yet") \
	X(WITHOUT_KEYS, "gauge", "identityd_providers_without_keys", "Providers whose keys are not known") \
	X(IDENTITIES, "gauge", "identityd_identities", "Identities that have a number: of roles, and those that came up with callers") \
	X(IDENTITIES_LENT, "gauge", "identityd_identities_from_claims", "Those that came up with callers") \
	X(IDENTITIES_MAX, "gauge", "identityd_identities_from_claims_max", "How many of these there may be (identity.max)") \
	X(REVOCATIONS, "gauge", "identityd_revocations", "Revocations in force") \
	X(REVOCATIONS_MAX, "gauge", "identityd_revocations_max", "How many there may be") \
	X(PROOFS, "gauge", "identityd_dpop_proofs", "DPoP proofs that are remembered") \
	X(GENERATION, "gauge", "identityd_config_generation", "Configurations loaded since the start") \
	X(RELOAD_GOOD, "gauge", "identityd_config_last_reload_good", "0 while the files are not what serves, because the last reload refused them") \
	X(POLICIES, "gauge", "identityd_policies", "Policies in force") \
	X(POLICY_KERNEL, "gauge", "identityd_kernel_policy_current", "1 while the kernel has the policies that requests are judged by") \
	X(STORE_ERRORS, "counter", "identityd_store_errors_total", "What the store could not read or write") \
	X(AUDIT_LINES, "counter", "identityd_audit_lines_total", "Lines of the audit log written since the start") \
	X(AUDIT_LOST, "counter", "identityd_audit_lost_total", "Entries that are missing in the audit log") \
	X(AUDIT_WRITABLE, "gauge", "identityd_audit_writable", "0 while the audit log cannot be written") \
	X(CPU, "counter", "process_cpu_seconds_total", "CPU time of the process, user and system") \
	X(STARTED, "gauge", "process_start_time_seconds", "When the process started, since 1970") \
	X(RESIDENT, "gauge", "process_resident_memory_bytes", "Memory of the process") \
	X(FDS, "gauge", "process_open_fds", "Open descriptors") \
	X(FDS_MAX, "gauge", "process_max_fds", "How many there may be")
/* clang-format on */

enum spoa_family {
#define X(suffix, type, metric, help) SPOA_FAMILY_##suffix,
	SPOA_FAMILIES(X)
#undef X
		SPOA_FAMILIES_N,
};

enum spoa_counter {
#define X(suffix, metric, label, help) SPOA_COUNT_##suffix,
	SPOA_COUNTERS(X)
#undef X
		SPOA_COUNTERS_N,
};

/*
 * Decisions are counted by provider. A name has a row of its own as long as
 * the process runs (spoa/slots.h); nobody's is the first, and what has found
 * no room shares the last.
 */
#define SPOA_SLOTS      66
#define SPOA_SLOT_OTHER (SPOA_SLOTS - 1)

#define SPOA_SPOP_ERRORS (SPOP_STATUS_RESOURCES + 2) /* the last one: every other number */

struct spoa_metrics {
	atomic_uint_fast64_t counters[SPOA_COUNTERS_N];
	atomic_uint_fast64_t decisions[SPOA_SLOTS][BASE_REASON_COUNT];
	atomic_uint_fast64_t spop_errors[2][SPOA_SPOP_ERRORS]; /* ours, HAProxy's */
	struct spoa_histogram decide, frame;
};

static inline void spoa_metrics_add(struct spoa_metrics *m, enum spoa_counter c, uint64_t n)
{
	spoa_histogram_raise(&m->counters[c], n);
}

static inline void spoa_metrics_decision(
	struct spoa_metrics *m, unsigned slot, enum base_reason reason)
{
	spoa_histogram_raise(&m->decisions[slot][reason], 1);
}

/* A connection ended with this status; NORMAL is none. */
void spoa_metrics_spop_error(struct spoa_metrics *m, bool by_peer, unsigned status);

/* Sum of one counter over n sets; of one reason over all providers, too. */
uint64_t spoa_metrics_sum(struct spoa_metrics *const *sets, size_t n, enum spoa_counter c);
uint64_t spoa_metrics_decisions(struct spoa_metrics *const *sets, size_t n, enum base_reason r);

/*
 * All that is counted, in Prometheus text format 0.0.4. names: of the slots
 * from the second on.
 */
void spoa_metrics_write(
	FILE *to, struct spoa_metrics *const *sets, size_t n, char *const *names, size_t n_names);

/* The two lines in front of a family; then its values. labels: "a=\"b\"", or NULL. */
void spoa_metrics_head(FILE *to, enum spoa_family family);
void spoa_metrics_value(FILE *to, enum spoa_family family, const char *labels, double value);
/* A family of one value. */
void spoa_metrics_one(FILE *to, enum spoa_family family, double value);

/* The whole table: name, type and meaning, a tab between them. */
void spoa_metrics_table(FILE *to);

#endif
