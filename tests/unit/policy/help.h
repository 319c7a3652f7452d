/* Policies from a text, and questions in one line. */
#ifndef TESTS_UNIT_POLICY_HELP_H
#define TESTS_UNIT_POLICY_HELP_H

#include "policy/policy.h"

/* Every document of the text into the set; mistakes into diag, notes into notes. 0 or the error. */
int help_add(
	struct policy_set *set, const char *yaml, struct base_diag *diag, struct base_diag *notes);

/* A ready set of a text that is right. */
struct policy_set *help_set(const char *yaml, const struct policy_options *options);

/* The labels that an endpoint of namespace shop and a caller of the edge have here. */
#define HELP_WEB                                                                                   \
	"k8s:app=web;k8s:io.cilium.k8s.policy.cluster=default;"                                    \
	"k8s:io.kubernetes.pod.namespace=shop;"
#define HELP_ADMIN                                                                                 \
	"k8s:io.cilium.k8s.policy.cluster=default;k8s:io.kubernetes.pod.namespace=edge;"           \
	"k8s:role=admin;"
#define HELP_USER                                                                                  \
	"k8s:io.cilium.k8s.policy.cluster=default;k8s:io.kubernetes.pod.namespace=edge;"           \
	"k8s:role=user;"

/* Judges TCP; method NULL: no request. */
struct policy_answer help_ask(const struct policy_set *set, const char *from, const char *to,
	uint16_t port, const char *method, const char *path);

/* The cause's words; valid until the next call. */
const char *help_cause(const struct policy_set *set, const struct policy_answer *answer);

#endif
