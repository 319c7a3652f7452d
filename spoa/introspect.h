/*
 * Introspection (RFC 7662): workers want to know about tokens, the main thread
 * asks their providers through the net thread, the answers become results that
 * the workers find. One request for one token at a time, a bounded number for
 * each provider and in all; a token goes to the one provider that it is for.
 */
#ifndef SPOA_INTROSPECT_H
#define SPOA_INTROSPECT_H

#include "base/mem.h"
#include "net/net.h"
#include "spoa/config.h"
#include "spoa/metrics.h"
#include "spoa/results.h"

/*
 * Requests at once for one provider, and in all: the rest wait for their turn.
 * Key fetches have as many slots of their own (net/net.c).
 */
#define SPOA_INTROSPECT_EACH       16
#define SPOA_INTROSPECT_ALL        64
#define SPOA_INTROSPECT_WAITING    256
#define SPOA_INTROSPECT_TIMEOUT_MS 2000

struct spoa_introspect;

/*
 * changed is called from spoa_introspect_answer when workers have something
 * new to find; wake from spoa_introspect_want, in any thread, when
 * spoa_introspect_send should be called. NULL without memory.
 */
struct spoa_introspect *spoa_introspect_new(struct net *net, struct spoa_metrics *metrics,
	void (*changed)(void *arg), void (*wake)(void *arg), void *arg) must_check;
/* After net_free. */
void spoa_introspect_free(struct spoa_introspect *introspect);

/* What was said, for the workers to look into. */
struct spoa_results *spoa_introspect_results(struct spoa_introspect *introspect);

/* Names a provider and the way in which it is asked: another way is another word. */
uint64_t spoa_introspect_origin(const struct conf_provider *provider);

/*
 * From any thread: provider number i of this configuration is to be asked about
 * the token, which is copied. Nothing happens when it is asked already, or
 * when too many wait.
 */
void spoa_introspect_want(struct spoa_introspect *introspect, struct spoa_config *config, size_t i,
	const struct spoa_results_key *key, struct span token);

/* On the main thread: sends what waits and may go. */
void spoa_introspect_send(struct spoa_introspect *introspect);

/* An answer of the net thread; false: it is not about introspection. Does not free it. */
bool spoa_introspect_answer(struct spoa_introspect *introspect, const struct net_answer *answer);

DEFINE_CLEANUP(spoa_introspect, struct spoa_introspect *, spoa_introspect_free)

#endif
