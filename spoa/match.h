/*
 * The roles of one request: the first that both credential and request admit,
 * or all of them, as roles_match says; and the label set that follows.
 */
#ifndef SPOA_MATCH_H
#define SPOA_MATCH_H

#include "base/reason.h"
#include "spoa/caller.h"
#include "spoa/union.h"

#define SPOA_MATCH_NAMES 4096

/* A worker's, so that nothing is allocated. */
struct spoa_match_work {
	struct spoa_union all;
	char names[SPOA_MATCH_NAMES];
};

/* Borrowed from caller, configuration and work. Of what one request can have once the first
 * role with it says it; what a role demands counts wherever it stands. */
struct spoa_match {
	const struct ident_role *role;    /* the first */
	const struct ident_role *asserts; /* the first with an assertion of its own, else role */
	const struct ident_role *sends;   /* the first with a source address, else role */
	struct span names;                /* with commas between */
	struct span labels;               /* canonical */
	const char *route;                /* or NULL */
	bool single;                      /* one role, with labels that are not the caller's */
	bool require_binding, kill_on_expiry;
};

/*
 * OK and *ret_match; NO_ROLE; GROUPS_UNKNOWN when a role that would count asks
 * for a claim that the provider left out; IDENTITY_UNAVAILABLE when the roles
 * have more labels together than a set may hold.
 */
enum base_reason spoa_match(const struct spoa_caller *caller, const struct spoa_config *config,
	const struct ident_request *request, struct spoa_match_work *work,
	struct spoa_match *ret_match) must_check;

#endif
