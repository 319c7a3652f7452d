/*
 * Roles: ordered rules from a provider and its claims to a label set, a number
 * and a route. The first role whose conditions all hold is the caller's.
 */
#ifndef IDENT_ROLE_H
#define IDENT_ROLE_H

#include "base/span.h"
#include "ident/number.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum ident_test {
	IDENT_EQUALS, /* the claim is this text; or an array that holds it */
	IDENT_ANY,    /* ... one of these */
	IDENT_ALL,    /* an array (or space-separated text) that holds all of these;
			 a single value counts as an array of one */
	IDENT_EXISTS, /* the claim is there and not null; it may be false or empty */
};

/*
 * Text is borrowed from whoever built the rule. Without values only
 * IDENT_EXISTS can hold; without a path nothing does.
 */
struct ident_condition {
	const char *const *path; /* segments from the claims' root; exact names, dots included */
	size_t n_path;
	bool space_separated; /* a text claim is a list (scope, scp) */
	enum ident_test test;
	const char *const *values;
	size_t n_values;
};

struct ident_role {
	const char *name;
	const char *provider; /* NULL: any */
	const struct ident_condition *conditions;
	size_t n_conditions;        /* 0: always holds */
	const char *labels;         /* canonical */
	struct ident_number number; /* id 0 until one was allocated */
	const char *route;          /* NULL: the caller's choice of backend stands */
	bool require_binding;
	bool kill_on_expiry;
};

/*
 * The first that matches, or NULL. Numbers and booleans in claims compare as
 * their JSON text: 1 is not 1.0. Objects, lists in lists and null equal
 * nothing. Allocates nothing, so it cannot skip a role for want of memory.
 */
const struct ident_role *ident_role_match(
	const struct ident_role *roles, size_t n_roles, const char *provider, const json_t *claims);

/* Does this one condition hold? */
bool ident_condition_holds(const struct ident_condition *condition, const json_t *claims);

#endif
