/*
 * What a request is answered: verdict, reason, who it is, and what the kernel
 * must know before HAProxy hears of it.
 */
#ifndef SPOA_DECISION_H
#define SPOA_DECISION_H

#include "base/reason.h"
#include "bpfmap/bpfmap.h"
#include "ident/role.h"
#include "spoa/caller.h"
#include "spoa/identities.h"
#include "token/nonce.h"

#include <stdbool.h>

enum spoa_verdict {
	SPOA_ALLOW,
	SPOA_DENY,
	SPOA_ERROR,
};
#define SPOA_VERDICTS (SPOA_ERROR + 1)

/* "allow", "deny", "error": the variable txn.ident.verdict. */
const char *spoa_verdict_name(enum spoa_verdict verdict);

/* Is a service account's token used by its own workload? */
enum spoa_bound {
	SPOA_BOUND_NONE, /* the token names none, or nobody asks */
	SPOA_BOUND_MATCH,
	SPOA_BOUND_MISMATCH,
	SPOA_BOUND_UNKNOWN,
};

struct spoa_decision {
	enum base_reason reason;
	enum spoa_verdict verdict; /* follows from reason, always */
	/*
	 * Whom the credential names, once its signature held; for the log. NULL
	 * otherwise. Borrowed from the state: it lives until the next decision.
	 */
	const struct spoa_caller *caller;
	bool remembered; /* the caller was not verified anew */
	bool valid;      /* every check on the credential passed: variables may carry the caller */
	/* On ALLOW, and on what was denied after they were found; role is the first of names. */
	const struct ident_role *role;
	const struct ident_role *asserts; /* whose assertion counts */
	const struct ident_role *sends;   /* whose source address; NULL: nobody's */
	const struct spoa_identity *identity;
	struct span names; /* of the roles, commas between; as long as caller */
	bool require_binding;
	struct span route; /* with role: the role's, else the service asked for; may be empty */
	const char *why;   /* for the log: what exactly was wrong; NULL: the reason says it */
	bool dpop;         /* the request's scheme is DPoP */
	/* On DENY: what the caller is told about where it gets a token; or NULL. */
	const struct conf_resource *resource;
	char nonce[TOKEN_NONCE_CHARS + 1]; /* for the caller's next DPoP proof; or empty */
	struct span assertion; /* for the backend; empty: none. Lives until the next decision */
	struct bpfmap_binding binding; /* with role: what the flow is to carry */
	/* The policy and rule that decided, once one was asked; as long as caller. */
	struct span policy;
	struct span service_labels; /* of what the route fronts, as the snapshot has them */
	uint16_t service_port;
	enum spoa_bound bound;
	struct span workload; /* canonical labels of whoever is known to be at the address */
	bool unmarkable;      /* who asked cannot set a mark: it gets none */
	bool audited;         /* allowed only because what denies it is in audit mode */
	/* observe: HAProxy hears allow, whatever the verdict; the verdict is the truth. */
	bool observed;
};

/* Allowed only because what denies it is in audit mode: always written down. */
static inline bool spoa_decision_is_audited(const struct spoa_decision *decision)
{
	return decision->audited ||
	       (decision->verdict == SPOA_ALLOW && decision->bound == SPOA_BOUND_MISMATCH);
}

/* A decision that is only a reason. */
struct spoa_decision spoa_decision_of(enum base_reason reason);

/* Gives it this reason, and the verdict that follows; the rest stays. */
void spoa_decision_settle(struct spoa_decision *decision, enum base_reason reason);

/* Turns it into an error or a denial: identity and variables go, the caller stays for the log. */
void spoa_decision_fail(struct spoa_decision *decision, enum base_reason reason);

#endif
