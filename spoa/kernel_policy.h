/*
 * Policies into the kernel's maps: which identity may connect to which service
 * behind HAProxy. Whole sets when policies change; between them one identity
 * that appears or goes, alone. Main thread only.
 */
#ifndef SPOA_KERNEL_POLICY_H
#define SPOA_KERNEL_POLICY_H

#include "bpfmap/bpfmap.h"
#include "spoa/policies.h"
#include "spoa/snapshot.h"

/* An identity that is not of a role with fixed labels. */
struct spoa_kernel_identity {
	uint32_t number;
	const char *labels; /* canonical; of the known: owned */
};

/* What holds now, with references, and what of it is in the kernel. All zero: nothing. */
struct spoa_kernel_policy {
	struct spoa_config *config;
	struct spoa_policies *policies;
	struct spoa_maps *maps; /* NULL: nothing is enforced */
	bool owns;              /* the whole set is ours to write */
	bool written;           /* and it is in force */
	uint64_t again_at;      /* else, CLOCK_MONOTONIC ns: not before */
	int failed;             /* -errno that was logged */
	struct spoa_kernel_identity *known;
	size_t n_known, room_known;
	uint32_t epoch; /* of the set that all known identities are in */
};

/*
 * Configuration, policies and maps (may be NULL) that hold from now on; called
 * before a snapshot with them is published, and once a second. The owner
 * writes the whole set, known identities included, unless it is in force
 * already. Whoever is not the owner writes its known identities into the
 * owner's set. A failure is logged once; the old set is in force then, whole,
 * and it is tried again with a later call (soon, but so that no more than a
 * tenth of the time goes into it). User space denies all the same.
 */
void spoa_kernel_policy_use(struct spoa_kernel_policy *now, struct spoa_config *config,
	struct spoa_policies *policies, struct spoa_maps *maps, bool owns);

/*
 * Identity with these canonical labels (copied) exists from now on: writes its
 * rules, and remembers it for every later set. When the number was another's, its
 * rules go first: one number has one owner. To be called before anybody can
 * decide with it. 0, also when nothing is enforced or it is known; or -errno
 * with a sentence in why, and it must not be used then: -ENOSPC no room,
 * -EAGAIN the set of these policies is not in force, -ENOMEM, another.
 */
int spoa_kernel_policy_appear(struct spoa_kernel_policy *now, uint32_t identity, struct span labels,
	char why[BPFMAP_WHY]) must_check;

/*
 * These labels have this number no longer, and nobody can have its mark as
 * theirs. Nothing happens when it is another's by now. Trouble is logged.
 */
void spoa_kernel_policy_go(struct spoa_kernel_policy *now, uint32_t identity, struct span labels);

/* Canonical labels of a role's or a known identity; borrowed, empty when it is neither. */
struct span spoa_kernel_policy_labels(const struct spoa_kernel_policy *now, uint32_t identity);

void spoa_kernel_policy_done(struct spoa_kernel_policy *now);

/*
 * Internal: the number that a role has by the configuration, or 0: none, or etcd
 * gave its labels another one or the number to others; then the known say it.
 */
uint32_t spoa_kernel_role_number(const struct spoa_kernel_policy *now, size_t role);

/* Internal: kernel_rules.c, sets in the words of bpfmap. */
struct spoa_kernel_set {
	struct bpfmap_target *targets;
	struct bpfmap_rule *rules;
	size_t n_targets, n_rules;
};

/* All of it. 0, -ENOMEM, -EINVAL. What is in set is to be freed in any case. */
int spoa_kernel_rules_all(
	const struct spoa_kernel_policy *now, struct spoa_kernel_set *set) must_check;
/* The rules of one identity by these policies. 0 or -ENOMEM. */
int spoa_kernel_rules_of(const struct spoa_policies *policies,
	const struct spoa_kernel_identity *identity, struct spoa_kernel_set *set) must_check;
void spoa_kernel_rules_done(struct spoa_kernel_set *set);

#endif
