/*
 * Conditions on a caller: on what its credential says, which is known once,
 * and on what only the request says (certificate, address).
 */
#ifndef IDENT_CONDITION_H
#define IDENT_CONDITION_H

#include "base/cidr.h"
#include "base/span.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The provider of callers without a credential: only roles that name it are for them. */
#define IDENT_WORKLOAD "workload"

#define IDENT_PATTERN_MAX 1024 /* bytes of a text that is compared with a pattern */

/* What a credential says. All borrowed. */
struct ident_caller {
	const char *provider;
	const json_t *claims;
	const json_t *actor; /* the outermost act; or NULL */
	struct span scope;   /* with blanks between */
};

/* What only this request says. */
struct ident_request {
	const json_t *cert; /* claims of a certificate that somebody vouched for; or NULL */
	bool has_address;
	uint8_t address[16];  /* as base_cidr_address makes it */
	bool proxied;         /* the address came in a header */
	struct span workload; /* canonical labels of whoever is known to be there; empty: nobody */
};

enum ident_about {
	IDENT_CLAIM,
	IDENT_ACTOR,
	IDENT_CERT,
	IDENT_SCOPE,  /* values: all of them; no path, no test */
	IDENT_SOURCE, /* networks; no path, no test */
	IDENT_LABELS, /* values: labels that the workload at the address has, all of them */
};

enum ident_test {
	IDENT_EQUALS,   /* the claim is this text; or an array that holds it */
	IDENT_ANY,      /* ... one of these */
	IDENT_ALL,      /* an array (or space-separated text) that holds all of these;
			 a single value counts as an array of one */
	IDENT_EXISTS,   /* the claim is there and not null; it may be false or empty */
	IDENT_PREFIX,   /* text that begins with one of these; or an array that holds such a one */
	IDENT_GLOB,     /* ... is like one of these: * any run of characters, ? one */
	IDENT_AT_LEAST, /* a number */
	IDENT_AT_MOST,
};
#define IDENT_TESTS (IDENT_AT_MOST + 1)

/*
 * Text is borrowed from whoever built the rule. Without values only
 * IDENT_EXISTS can hold; without a path nothing does that has one.
 */
struct ident_condition {
	enum ident_about about;
	const char *const *path; /* segments from the root; exact names, dots included */
	size_t n_path;
	bool space_separated; /* a text claim is a list (scope, scp) */
	enum ident_test test;
	const char *const *values;
	size_t n_values;
	const struct base_cidr *networks;
	size_t n_networks;
	bool proxied; /* an address from a header is good enough */
};

/*
 * UNSAID: the provider keeps the claim somewhere else, so that it is not
 * said that the caller does not have it (OIDC Core 5.6.2; Entra's hasgroups).
 */
enum ident_answer {
	IDENT_FAILS,
	IDENT_HOLDS,
	IDENT_UNSAID,
};

/* Is it about the request, so that it must be asked each time? */
static inline bool ident_condition_is_of_request(const struct ident_condition *condition)
{
	return condition->about == IDENT_CERT || condition->about == IDENT_SOURCE ||
	       condition->about == IDENT_LABELS;
}

/*
 * For conditions on the credential; those on the request are FAILS. Numbers and
 * booleans in claims compare as their JSON text: 1 is not 1.0. Objects, lists
 * in lists and null equal nothing. Allocates nothing, so it cannot fail.
 */
enum ident_answer ident_condition_of_caller(
	const struct ident_condition *condition, const struct ident_caller *caller);

/* Is the claim elsewhere: named as distributed, or more groups than Entra puts in a token? */
bool ident_claim_is_elsewhere(const json_t *claims, const char *name);

/* For conditions on the request; those on the credential do not hold. */
bool ident_condition_of_request(
	const struct ident_condition *condition, const struct ident_request *request);

#endif
