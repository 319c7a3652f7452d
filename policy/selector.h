/*
 * Label selectors: read, scoped as Cilium scopes them, and matched.
 * (cilium pkg/k8s/apis/cilium.io/utils, pkg/policy/types/requirements.go)
 */
#ifndef POLICY_SELECTOR_H
#define POLICY_SELECTOR_H

#include "policy/field.h"

#include <stdint.h>

enum policy_scope {
	POLICY_SCOPE_SUBJECT, /* in a namespaced policy: only endpoints of its namespace */
	POLICY_SCOPE_PEER,    /* namespace and local cluster, unless the selector says otherwise */
	POLICY_SCOPE_NODE,    /* a subject that is a node: as written */
	POLICY_SCOPE_FROM_NODE, /* nodes of the local cluster, unless it says otherwise */
};

/*
 * Reads a selector (matchLabels, matchExpressions). 0 with mistakes in diag, in
 * which case *ret_selector is not to be used; or -ENOMEM. *ret_init, if asked
 * for: does it mention reserved:init?
 */
int policy_selector_read(struct policy_reader *r, const struct policy_at *at,
	enum policy_scope scope, uint32_t *ret_selector, bool *ret_init) must_check;

#endif
