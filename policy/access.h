/*
 * All that a caller may do at one port of a service, as words: what two sets
 * of policies are compared by.
 */
#ifndef POLICY_ACCESS_H
#define POLICY_ACCESS_H

#include "policy/index.h"

enum policy_access_kind {
	POLICY_ACCESS_NONE,
	POLICY_ACCESS_SOME, /* requests that one of the HTTP rules fits */
	POLICY_ACCESS_ALL,
};

struct policy_access {
	enum policy_access_kind kind;
	char **requests; /* SOME: the rules, sorted, each once; owned */
	size_t n_requests;
};

/* TCP; policies in audit mode do not count. 0 or -ENOMEM. */
int policy_access_read(const struct policy_index *index, uint32_t caller, size_t service,
	uint16_t port, struct policy_access *ret_access) must_check;
void policy_access_done(struct policy_access *access);

#endif
