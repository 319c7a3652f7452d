/*
 * One request on its way through the stages of spoa_decide: what they look
 * at, and what they have found out so far.
 *
 * A stage looks at one concern, in a file of its own. It may borrow anything
 * from the case and keeps nothing. It has no loop, descriptor or global, and
 * on the path of a token that was seen before it allocates nothing and makes
 * no system call.
 */
#ifndef SPOA_CASE_H
#define SPOA_CASE_H

#include "base/clock.h"
#include "spoa/decision.h"
#include "spoa/request.h"
#include "spoa/snapshot.h"
#include "spoa/state.h"
#include "spoa/workload_of.h"
#include "token/hash.h"

#include <stdbool.h>
#include <stdint.h>

/* A token that its provider is to be asked about; borrows from snapshot and request. */
struct spoa_need_token {
	struct spoa_config *config; /* NULL: nothing of the kind */
	size_t provider;            /* its place there */
	struct spoa_results_key key;
	struct span token;
};

/* A label set without a number; borrows from caller and state. */
struct spoa_need_number {
	struct span labels; /* canonical; empty: nothing of the kind */
	struct span roles;  /* that made it; empty: they are a role's own */
};

/* What must be had before there is a verdict. Masks of providers. */
struct spoa_need {
	uint64_t unknown;  /* keys: the key id is unknown, or there are none */
	uint64_t doubted;  /* keys: a known one did not make the signature; it may be replaced */
	uint64_t snapshot; /* with these: the number of the one that it was found out with */
	char kid[40];      /* the key id, where a provider may be asked for it alone; else "" */
	struct spoa_need_token introspect; /* with config: a provider's word about the token */
	struct spoa_need_number identity;
};

static inline bool spoa_need_any(const struct spoa_need *need)
{
	return (need->unknown | need->doubted) || need->introspect.config ||
	       need->identity.labels.n;
}

struct spoa_case {
	/* What it is decided with. */
	const struct spoa_snapshot *snapshot;
	struct spoa_state *state; /* the worker's own */
	const struct spoa_request *request;
	const struct base_now *now;
	uint64_t received_at; /* when the NOTIFY came, CLOCK_MONOTONIC ns */

	/* What was found out. */
	uint8_t hash[TOKEN_HASH_BYTES];   /* SHA-256 of the token, from authenticate on */
	const struct spoa_caller *caller; /* from authenticate on, never NULL */
	bool by_address;               /* from credential on: there is none, the address is all */
	struct spoa_workload workload; /* ask spoa_workload_of */
	struct spoa_need need;         /* with SPOA_NEEDS */
	struct spoa_decision decision;
};

enum spoa_step {
	SPOA_NEXT,    /* this stage has nothing against it; after the last one it is ALLOW */
	SPOA_DECIDED, /* decision says what it is */
	SPOA_NEEDS,   /* need says what to wait for */
};

typedef enum spoa_step spoa_stage_fn(struct spoa_case *c);

/* The end of a stage that refuses: return spoa_refuse(c, reason). */
static inline enum spoa_step spoa_refuse(struct spoa_case *c, enum base_reason reason)
{
	spoa_decision_settle(&c->decision, reason);
	return SPOA_DECIDED;
}

/* The same for what may be OK: go on then. */
static inline enum spoa_step spoa_unless_ok(struct spoa_case *c, enum base_reason reason)
{
	return reason == BASE_REASON_OK ? SPOA_NEXT : spoa_refuse(c, reason);
}

#endif
