/*
 * Where one provider's keys come from, and how fresh they are. Good keys are
 * never replaced by none or by bad ones.
 *
 *	EMPTY --start--> FETCHING --got--> FRESH --start--> REFRESHING --got--> FRESH
 *	                 FETCHING --failed--> EMPTY         REFRESHING --failed--> STALE
 *	                                                    STALE --start--> REFRESHING
 */
#ifndef SPOA_SOURCE_H
#define SPOA_SOURCE_H

#include "conf/conf.h"
#include "net/net.h"
#include "spoa/metrics.h"
#include "store/store.h"
#include "token/keyset.h"

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

enum spoa_source_state {
	SPOA_SOURCE_EMPTY,      /* no keys: every token of this provider is a 503 */
	SPOA_SOURCE_FETCHING,   /* no keys yet, and a request is under way */
	SPOA_SOURCE_FRESH,      /* the last fetch was good */
	SPOA_SOURCE_REFRESHING, /* keys, and a request for newer ones is under way */
	SPOA_SOURCE_STALE,      /* keys, and the last fetch failed */
};
#define SPOA_SOURCE_STATES (SPOA_SOURCE_STALE + 1)

/* "empty", "fetching", "fresh", "refreshing", "stale". */
const char *spoa_source_state_name(enum spoa_source_state state);

/*
 * How often a token with an unknown key id may cause a fetch, for each
 * provider: so many at once, then one for each interval. A stranger can make
 * up key ids as fast as he likes; the provider is not to feel it.
 */
#define SPOA_SOURCE_BURST       3
#define SPOA_SOURCE_INTERVAL_NS (10 * (uint64_t)NS_PER_S)

/*
 * A set that was fetched longer ago than this is not taken from the store: a
 * key that the provider withdrew meanwhile is not to be trusted for ever.
 */
#define SPOA_SOURCE_REMEMBER_S (24 * 3600)

/* What all sources share. */
struct spoa_source_env {
	struct ev_loop *loop;
	struct net *net;
	struct store *store; /* NULL: nothing is remembered */
	struct spoa_metrics *metrics;
	void (*changed)(void *arg); /* keys, state or allowance are different now */
	void *arg;
};

struct spoa_source {
	const struct spoa_source_env *env;
	uintptr_t serial; /* names the source to the net thread, also after it is gone */
	const struct conf_provider *provider;
	uint32_t algs;
	enum spoa_source_state state;
	struct token_keyset *set;
	uint64_t fetched_at; /* CLOCK_MONOTONIC ns, when the request that brought the set was
				sent; 0: never; UINT64_MAX: a file */
	uint64_t sent_at;
	bool in_discovery;
	unsigned failures;   /* in a row */
	double allowance;    /* fetches that unknown key ids may still cause */
	uint64_t allowed_at; /* when allowance was last brought up to date */
	ev_timer timer;      /* the next fetch of our own accord */
	char why[200];       /* of the last failure; empty after success */
};

/*
 * Starts EMPTY. env and provider must outlive it; provider may be replaced by an
 * equal one. NULL without memory.
 */
struct spoa_source *spoa_source_new(const struct spoa_source_env *env, uintptr_t serial,
	const struct conf_provider *provider, uint32_t algs) must_check;
/* Takes the set that the store remembers of this provider, if any: EMPTY becomes STALE. */
void spoa_source_recall(struct spoa_source *source);
void spoa_source_free(struct spoa_source *source);

/* Do this provider's keys come from where this source gets them? */
bool spoa_source_fits(
	const struct spoa_source *source, const struct conf_provider *provider, uint32_t algs);

/* Fetches, unless a fetch is under way. A file is read at once. */
void spoa_source_start(struct spoa_source *source);

/*
 * A token came whose key may be new: fetches if the allowance permits. doubted:
 * the key id is known and its key did not make the signature. Providers
 * without key ids rotate like that, and forgers look like that, so it takes a
 * full allowance and leaves the rest to unknown key ids.
 */
void spoa_source_need(struct spoa_source *source, bool doubted);

/* The net thread's answer. */
void spoa_source_answer(struct spoa_source *source, const struct net_answer *answer);

/* From when on (CLOCK_MONOTONIC ns) spoa_source_need would fetch; 0: now; UINT64_MAX: never. */
uint64_t spoa_source_may_from(struct spoa_source *source, bool doubted, uint64_t now);

#endif
