/*
 * The kernel's lines in the audit log: each drop, refused connect and kill
 * that the programs report, how many reports were lost, and what an operator
 * did to the kernel's part. Main thread; audit may be NULL, or write nothing.
 */
#ifndef SPOA_KERNEL_AUDIT_H
#define SPOA_KERNEL_AUDIT_H

#include "bpfmap/control.h"
#include "bpfmap/events.h"
#include "spoa/audit.h"
#include "spoa/kernel_policy.h"

/* Labels and service are those that the policies in the kernel know. */
void spoa_kernel_audit_event(const struct spoa_audit *audit,
	const struct spoa_kernel_policy *in_kernel, const struct bpfmap_event *event,
	const struct base_now *now);

/* So many events more that the kernel did not hand over: too many a second, or the ring was full. */
void spoa_kernel_audit_lost(const struct spoa_audit *audit, uint64_t n, const struct base_now *now);

void spoa_kernel_audit_modes(const struct spoa_audit *audit, const struct bpfmap_control *before,
	const struct bpfmap_control *after);
/* seconds 0: mended, or over. */
void spoa_kernel_audit_glass(const struct spoa_audit *audit, int64_t seconds, const char *why);
/* identity 0: the connections from one client's address and port. */
void spoa_kernel_audit_kill(const struct spoa_audit *audit, int64_t identity, unsigned n);

#endif
