/*
 * The payload of ACK: a list of actions (SPOE.txt 3.2.7, 3.4).
 */
#ifndef SPOP_ACK_H
#define SPOP_ACK_H

#include "base/mem.h"
#include "spop/data.h"

enum spop_scope {
	SPOP_SCOPE_PROC = 0,
	SPOP_SCOPE_SESS = 1,
	SPOP_SCOPE_TXN = 2,
	SPOP_SCOPE_REQ = 3,
	SPOP_SCOPE_RES = 4,
};

/* HAProxy builds "scope.prefix.name" in 64 bytes, so all of it must be at most this long. */
#define SPOP_VAR_NAME_MAX 63

void spop_ack_set(
	struct wr *w, enum spop_scope scope, struct span name, const struct spop_data *value);
void spop_ack_unset(struct wr *w, enum spop_scope scope, struct span name);

/* HAProxy's side, for the load generator and tests. */
struct spop_action {
	bool set; /* false: UNSET-VAR, value is SPOP_NULL */
	enum spop_scope scope;
	struct span name;
	struct spop_data value;
};

/* 1 and the next action; 0 at the end; -EBADMSG. */
int spop_action_next(struct rd *r, struct spop_action *ret_action) must_check;

#endif
