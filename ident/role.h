/*
 * Roles: ordered rules from a provider and its claims to a label set, a number
 * and a route. The first role whose conditions all hold is the caller's.
 */
#ifndef IDENT_ROLE_H
#define IDENT_ROLE_H

#include "ident/condition.h"
#include "ident/number.h"
#include "ident/template.h"

#include <stdbool.h>
#include <stddef.h>

struct ident_role {
	const char *name;
	const char *provider; /* NULL: any but IDENT_WORKLOAD */
	const struct ident_condition *conditions;
	size_t n_conditions;             /* 0: always holds */
	const char *labels;              /* canonical; NULL with a template */
	struct ident_template *template; /* labels that depend on the caller; or NULL */
	struct ident_number number;      /* id 0 until one was allocated */
	const char *route;               /* NULL: the caller's choice of backend stands */
	/* What HAProxy is to send from for these callers; network order. */
	bool has_srcaddr4, has_srcaddr6;
	uint8_t srcaddr4[4], srcaddr6[16];
	bool require_binding;
	bool kill_on_expiry;
};

/*
 * What a caller's credential says about a role: FAILS; HOLDS; or UNSAID, when the
 * provider left out a claim that it asks for and everything else holds.
 * Conditions on the request are left to ident_role_of_request.
 */
enum ident_answer ident_role_of_caller(
	const struct ident_role *role, const struct ident_caller *caller);

/* Do the conditions hold that look at the request? */
bool ident_role_of_request(const struct ident_role *role, const struct ident_request *request);

/* Are there some? Otherwise what the credential says is all. */
bool ident_role_asks_request(const struct ident_role *role);

/*
 * Which condition of the role does not hold? Its index; n_conditions when all
 * do. *ret_answer is its answer; FAILS at index n_conditions: another provider's.
 */
size_t ident_role_objection(const struct ident_role *role, const struct ident_caller *caller,
	const struct ident_request *request, enum ident_answer *ret_answer);

#endif
