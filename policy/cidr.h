/*
 * Addresses and address ranges as Cilium takes them (Go's net/netip).
 */
#ifndef POLICY_CIDR_H
#define POLICY_CIDR_H

#include "policy/model.h"

/*
 * "10.0.0.0/8", "2001:db8::/32"; bits below the prefix are dropped. With
 * alone_too also an address, which is then the whole range. 0 or -EINVAL.
 */
int policy_cidr_parse(const char *text, bool alone_too, struct policy_range *ret_cidr) must_check;

/* Is the address in the range? */
bool policy_cidr_has(const struct policy_range *cidr, const struct policy_address *address);

#endif
