#include "spop/ack.h"

#include <errno.h>

/* An action is its type, how many arguments follow, and those (SPOE.txt 3.4). */
#define SET_VAR    1
#define SET_ARGS   3 /* scope, name, value */
#define UNSET_VAR  2
#define UNSET_ARGS 2 /* scope, name */

void spop_ack_set(
	struct wr *w, enum spop_scope scope, struct span name, const struct spop_data *value)
{
	const uint8_t front[] = {SET_VAR, SET_ARGS, (uint8_t)scope};

	wr_bytes(w, front, sizeof(front));
	spop_string_encode(w, name);
	spop_data_encode(w, value);
}

void spop_ack_unset(struct wr *w, enum spop_scope scope, struct span name)
{
	const uint8_t front[] = {UNSET_VAR, UNSET_ARGS, (uint8_t)scope};

	wr_bytes(w, front, sizeof(front));
	spop_string_encode(w, name);
}

/* Type and number of arguments; true when they belong together. */
static bool parse_kind(struct rd *r, bool *ret_set)
{
	uint8_t type = rd_u8(r);
	uint8_t n_args = rd_u8(r);

	*ret_set = type == SET_VAR;
	return (type == SET_VAR && n_args == SET_ARGS) ||
	       (type == UNSET_VAR && n_args == UNSET_ARGS);
}

int spop_action_next(struct rd *r, struct spop_action *ret_action)
{
	struct spop_action action = {.value.type = SPOP_NULL};
	uint8_t scope;

	if (r->bad)
		return -EBADMSG;
	if (!rd_left(r))
		return 0;
	if (!parse_kind(r, &action.set))
		r->bad = true;
	scope = rd_u8(r);
	action.name = spop_string_parse(r);
	if (action.set)
		spop_data_parse(r, &action.value);
	if (scope > SPOP_SCOPE_RES)
		r->bad = true;
	if (r->bad)
		return -EBADMSG;
	action.scope = scope;
	*ret_action = action;
	return 1;
}
