#include "spoa/freshness.h"

#include "base/mem.h"

#define NONE SPOA_SOURCE_STATES /* the event cannot come in this state */
static const unsigned char NEXT[SPOA_SOURCE_STATES][SPOA_SOURCE_EVENTS] = {
	[SPOA_SOURCE_EMPTY] = {SPOA_SOURCE_FETCHING, SPOA_SOURCE_FRESH, SPOA_SOURCE_EMPTY, NONE},
	[SPOA_SOURCE_FETCHING] = {NONE, SPOA_SOURCE_FRESH, SPOA_SOURCE_EMPTY, NONE},
	[SPOA_SOURCE_FRESH] = {SPOA_SOURCE_REFRESHING, SPOA_SOURCE_FRESH, SPOA_SOURCE_STALE,
		SPOA_SOURCE_EXPIRED},
	[SPOA_SOURCE_REFRESHING] = {NONE, SPOA_SOURCE_FRESH, SPOA_SOURCE_STALE,
		SPOA_SOURCE_FETCHING},
	[SPOA_SOURCE_STALE] = {SPOA_SOURCE_REFRESHING, SPOA_SOURCE_FRESH, SPOA_SOURCE_STALE,
		SPOA_SOURCE_EXPIRED},
	[SPOA_SOURCE_EXPIRED] = {SPOA_SOURCE_FETCHING, SPOA_SOURCE_FRESH, SPOA_SOURCE_EXPIRED,
		NONE},
};

static const char *const NAMES[] = {"empty", "fetching", "fresh", "refreshing", "stale", "expired"};
_Static_assert(ARRAY_SIZE(NAMES) == SPOA_SOURCE_STATES, "a word for each");

const char *spoa_source_state_name(enum spoa_source_state state)
{
	return NAMES[state];
}

enum spoa_source_state spoa_freshness_next(
	enum spoa_source_state state, enum spoa_source_event event, bool had_keys)
{
	unsigned next = NEXT[state][event];

	if (next == NONE)
		return state;
	if (next == SPOA_SOURCE_EMPTY && had_keys)
		return SPOA_SOURCE_EXPIRED;
	return (enum spoa_source_state)next;
}

bool spoa_freshness_busy(enum spoa_source_state state)
{
	return state == SPOA_SOURCE_FETCHING || state == SPOA_SOURCE_REFRESHING;
}
