/*
 * Policies into the kernel's maps: which identity may connect to which service
 * behind HAProxy, whole sets at a time.
 */
#ifndef SPOA_KERNEL_POLICY_H
#define SPOA_KERNEL_POLICY_H

#include "bpfmap/bpfmap.h"
#include "spoa/policies.h"
#include "spoa/snapshot.h"

/*
 * Puts the policies in force: L3 and L4, for the roles and services of their
 * configuration. Without policies nothing is restricted. 0, or -errno with a
 * sentence in why; the old set is in force then, whole.
 */
int spoa_kernel_policy_write(struct bpfmap *map, const struct spoa_config *config,
	const struct spoa_policies *policies, char why[BPFMAP_WHY]) must_check;

/* Which policies were written to which maps; references. All zero: none. */
struct spoa_kernel_policy {
	struct spoa_policies *policies;
	struct spoa_maps *maps;
};

/*
 * Writes them unless they are there already: before a snapshot with them is
 * published, so that what it allows is in the kernel by then. A failure is
 * logged, and tried again when either changes; user space denies all the same.
 */
void spoa_kernel_policy_use(struct spoa_kernel_policy *now, const struct spoa_config *config,
	struct spoa_policies *policies, struct spoa_maps *maps);
void spoa_kernel_policy_done(struct spoa_kernel_policy *now);

#endif
