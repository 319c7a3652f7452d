/*
 * The states of one provider's keys, and what moves them: a table.
 *
 *	EMPTY ──start─► FETCHING ──got─► FRESH ──start─► REFRESHING ──got─► FRESH
 *	                FETCHING ──failed─► EMPTY        REFRESHING ──failed─► STALE
 *	                                                 STALE ──start─► REFRESHING
 *	FRESH, STALE ──too_old─► EXPIRED ──start─► FETCHING ──failed─► EXPIRED
 *	REFRESHING ──too_old─► FETCHING
 */
#ifndef SPOA_FRESHNESS_H
#define SPOA_FRESHNESS_H

#include <stdbool.h>

enum spoa_source_state {
	SPOA_SOURCE_EMPTY,      /* no keys yet: every token of this provider is a 503 */
	SPOA_SOURCE_FETCHING,   /* no keys, and a request is under way */
	SPOA_SOURCE_FRESH,      /* the last fetch was good */
	SPOA_SOURCE_REFRESHING, /* keys, and a request for newer ones is under way */
	SPOA_SOURCE_STALE,      /* keys, and the last fetch failed */
	SPOA_SOURCE_EXPIRED,    /* there were keys, too long ago to be trusted: 503 */
};
#define SPOA_SOURCE_STATES (SPOA_SOURCE_EXPIRED + 1)

enum spoa_source_event {
	SPOA_SOURCE_START,
	SPOA_SOURCE_GOT,
	SPOA_SOURCE_FAILED,
	SPOA_SOURCE_TOO_OLD,
};
#define SPOA_SOURCE_EVENTS (SPOA_SOURCE_TOO_OLD + 1)

/* "empty", "fetching", "fresh", "refreshing", "stale", "expired". */
const char *spoa_source_state_name(enum spoa_source_state state);

/*
 * The state after the event; the same where the event cannot come. had_keys:
 * at any time before; a source without keys is EXPIRED then, not EMPTY.
 */
enum spoa_source_state spoa_freshness_next(
	enum spoa_source_state state, enum spoa_source_event event, bool had_keys);

/* Is a request under way? */
bool spoa_freshness_busy(enum spoa_source_state state);

#endif
