/*
 * The part of policies that the kernel can enforce: who may connect to which
 * port of a service. Pure: an index to a list of rules, where a deny wins and
 * what no rule of a service allows is denied.
 */
#ifndef POLICY_KERNEL_H
#define POLICY_KERNEL_H

#include "policy/index.h"

#define POLICY_KERNEL_ANYBODY UINT32_MAX

struct policy_kernel_rule {
	uint32_t service; /* number in the index */
	uint32_t caller;  /* number in the index; POLICY_KERNEL_ANYBODY: each of them */
	uint8_t proto;    /* TCP, UDP, or POLICY_PROTO_ANY for both */
	uint16_t first, last;
	bool deny;
};

struct policy_kernel_rules {
	struct policy_kernel_rule *items; /* the caller's */
	size_t n, room;
};

/*
 * Appends the rules of one caller, or those for anybody. HTTP rules allow
 * their port here; policies in audit mode do not count; only TCP and UDP are
 * written. 0 or -ENOMEM.
 */
int policy_kernel_of_caller(const struct policy_index *index, uint32_t caller,
	struct policy_kernel_rules *rules) must_check;
/* The same for an identity that is none of the index, by its canonical labels; caller says 0. */
int policy_kernel_of_labels(const struct policy_index *index, struct span labels,
	struct policy_kernel_rules *rules) must_check;
int policy_kernel_of_anybody(
	const struct policy_index *index, struct policy_kernel_rules *rules) must_check;

void policy_kernel_rules_done(struct policy_kernel_rules *rules);

#endif
