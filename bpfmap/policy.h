/*
 * The agent's writer of the maps endpoints and policy: what a marked backend
 * socket may reach. Whole sets are swapped: the new one is written beside the
 * old under the next epoch, then one write of control makes it count. There is
 * no moment without, or with a mixture. An identity that comes or goes between
 * two sets is written into the one in force, alone.
 */
#ifndef BPFMAP_POLICY_H
#define BPFMAP_POLICY_H

#include "bpfmap/bpfmap.h"

/* A destination, and the service behind it. */
struct bpfmap_target {
	uint8_t addr[16]; /* network order; IPv4 in the first 4 */
	uint8_t len;      /* 4 or 16; an IPv4-mapped address is taken as IPv4 */
	uint8_t prefix;   /* bits of it that count: 0 to 8 * len */
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP; 0: both */
	uint16_t port;    /* host order; 0: every port */
	uint32_t service; /* not 0 */
};

/*
 * A rule for one service. Deny wins over allow, whatever the order and
 * however narrow. What no rule of a service allows is denied.
 */
struct bpfmap_rule {
	uint32_t service;  /* not 0 */
	uint32_t identity; /* 0: every identity; not those without one */
	uint8_t direction; /* enum bpfmap_direction: INGRESS is into the service */
	uint8_t protocol;  /* IPPROTO_TCP, IPPROTO_UDP; 0: both */
	uint16_t port_lo;  /* of the destination that the socket connects to, host order */
	uint16_t port_hi;  /* not below port_lo; 0 to 65535: every port */
	bool deny;
};

struct bpfmap_policy {
	const struct bpfmap_target *targets;
	size_t n_targets;
	const struct bpfmap_rule *rules;
	size_t n_rules;
};

/*
 * Rules as entries of the map: overlaps resolved, ranges cut into prefixes,
 * for this epoch. Pure. The caller frees *ret_keys and *ret_values. 0,
 * -EINVAL a rule that is none, -ENOMEM.
 */
int bpfmap_policy_compile(const struct bpfmap_rule *rules, size_t n_rules, uint32_t epoch,
	struct bpfmap_policy_key **ret_keys, uint32_t **ret_values, size_t *ret_n) must_check;

/*
 * Puts this set in force. 0; or -errno with a sentence in why: -EINVAL,
 * -ENOMEM, -ENOSPC a map has no room (it holds two sets: the one in force and
 * the next). After a failure the old set is in force, whole.
 * One caller at a time on a node.
 */
int bpfmap_policy_swap(struct bpfmap *map, const struct bpfmap_policy *policy, uint32_t *ret_epoch,
	char why[BPFMAP_WHY]) must_check;

/*
 * Adds the rules of one identity to the set in force, under its epoch, and
 * nothing else is touched. Denies come first: at no moment it may more than
 * the rules say, and until the last one is written it may less. 0 and the
 * epoch (0: no set is in force, nothing was written, nothing is restricted);
 * or -errno with a sentence in why: -EINVAL, -ENOMEM, -ENOSPC. After a failure
 * nothing of them is there. With several writers on a node: when *ret_epoch
 * is not the one in force afterwards, another set came meanwhile; again.
 */
int bpfmap_policy_add(struct bpfmap *map, const struct bpfmap_rule *rules, size_t n_rules,
	uint32_t *ret_epoch, char why[BPFMAP_WHY]) must_check;

/* Takes them out again, allows first. What is not there is fine. */
int bpfmap_policy_remove(struct bpfmap *map, const struct bpfmap_rule *rules, size_t n_rules,
	char why[BPFMAP_WHY]) must_check;

#endif
