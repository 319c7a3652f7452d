/*
 * One provider's keys, and how fresh they are. Good keys are never replaced by
 * none or by bad ones; without a word from the provider they end after their
 * hard lifetime.
 * States: spoa/freshness.h.
 */
#ifndef SPOA_SOURCE_H
#define SPOA_SOURCE_H

#include "conf/conf.h"
#include "net/net.h"
#include "spoa/allowance.h"
#include "spoa/fetch.h"
#include "spoa/freshness.h"
#include "spoa/metrics.h"
#include "spoa/snapshot.h"
#include "store/store.h"
#include "token/keyset.h"

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

/* Key ids that wait for their turn, where each is asked for by itself. */
#define SPOA_SOURCE_WANTED 8

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
	bool had_keys;       /* at any time */
	uint64_t fetched_at; /* CLOCK_MONOTONIC ns, when the request that brought or confirmed
				the set was sent; 0: never; UINT64_MAX: a file */
	uint64_t sent_at;
	struct spoa_fetch fetch;
	unsigned failures; /* in a row */
	struct spoa_allowance allowance;
	ev_timer timer;  /* the next fetch of our own accord */
	ev_timer expiry; /* the end of the hard lifetime */
	/* Providers that publish a file for each key id: what is asked for next, what is not there. */
	char wanted[SPOA_SOURCE_WANTED][SPOA_FETCH_KID + 1];
	size_t n_wanted;
	struct spoa_absent absent[SPOA_ABSENT];
	char why[SPOA_FETCH_WHY]; /* of the last failure; empty after success */
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

/* Do this provider's keys come from where this source gets them, in the same way? */
bool spoa_source_fits(
	const struct spoa_source *source, const struct conf_provider *provider, uint32_t algs);
/* Its provider in the next configuration, which fits. */
void spoa_source_adopt(struct spoa_source *source, const struct conf_provider *provider);

/* Is this a provider whose keys are asked for one by one, when a token names them? */
bool spoa_source_on_demand(const struct spoa_source *source);

/* Fetches, unless a fetch is under way. A file is read at once. */
void spoa_source_start(struct spoa_source *source);

/*
 * A token came whose key may be new: fetches if the allowance permits, see
 * spoa/allowance.h for doubted. kid is the token's, "" where it has none that
 * could be part of a URL.
 */
void spoa_source_need(struct spoa_source *source, bool doubted, const char *kid);

/* The net thread's answer. */
void spoa_source_answer(struct spoa_source *source, const struct net_answer *answer);

/* From when on (CLOCK_MONOTONIC ns) spoa_source_need would fetch; 0: now; UINT64_MAX: never. */
uint64_t spoa_source_may_from(struct spoa_source *source, bool doubted, uint64_t now);

#endif
