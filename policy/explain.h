/*
 * Why: every rule of a set, and how far it fits a question.
 */
#ifndef POLICY_EXPLAIN_H
#define POLICY_EXPLAIN_H

#include "policy/policy.h"

enum policy_fit {
	POLICY_FIT_SUBJECT, /* its selector does not choose the destination */
	POLICY_FIT_PEER,    /* ... it does, but nothing in from* is the caller */
	POLICY_FIT_PORT,    /* ... the caller is, but the port is another */
	POLICY_FIT_HTTP,    /* ... and the port, but no HTTP rule fits the request */
	POLICY_FIT_LIMIT,   /* a pattern was too much work */
	POLICY_FIT_ALL,     /* it allows, or denies */
};
#define POLICY_FITS (POLICY_FIT_ALL + 1)

/* "other destination", "other caller", ... */
const char *policy_fit_name(enum policy_fit fit);

struct policy_explained {
	const char *rule; /* "shop/web:ingress[0]" */
	const char *file;
	unsigned line;
	bool deny, audit;
	enum policy_fit fit;
	const char *detail; /* what exactly did not fit; may be empty */
};

typedef void policy_explain_each(void *arg, const struct policy_explained *explained);

/*
 * Calls each() for every rule. request may be NULL: HTTP rules then count as
 * fitting. 0 or -ENOMEM.
 */
int policy_explain(const struct policy_set *set, const struct policy_endpoint *endpoint,
	const struct policy_party *party, enum policy_proto proto, uint16_t port,
	const struct policy_request *request, struct policy_scratch *scratch,
	policy_explain_each *each, void *arg) must_check;

#endif
