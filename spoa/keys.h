/*
 * The providers' keys: fetched by the net thread, judged here on the main
 * thread, handed to the workers in a snapshot. One source (spoa/source.h) for
 * each provider.
 */
#ifndef SPOA_KEYS_H
#define SPOA_KEYS_H

#include "base/mem.h"
#include "net/net.h"
#include "spoa/metrics.h"
#include "spoa/snapshot.h"
#include "store/store.h"

#include <ev.h>
#include <jansson.h>

struct spoa_keys;

/*
 * loop is the main thread's; store remembers good sets (NULL: nothing does). changed is called after anything that a snapshot
 * would show, never from within a call to this module's functions. NULL
 * without memory.
 */
struct spoa_keys *spoa_keys_new(struct ev_loop *loop, struct net *net, struct store *store,
	struct spoa_metrics *metrics, void (*changed)(void *arg), void *arg) must_check;
void spoa_keys_free(struct spoa_keys *keys);

/*
 * Follows a configuration: providers that are new or look elsewhere for their
 * keys start empty and fetch, the others keep what they have. Key files are
 * read at once. 0 or -ENOMEM, then nothing changed.
 */
int spoa_keys_configure(struct spoa_keys *keys, struct spoa_config *config) must_check;

/*
 * Workers met tokens with keys that these providers may have by now: key ids
 * that are unknown, signatures that no known key made. kid: the one key id
 * that it is about, where a provider is asked for each by itself; else "".
 */
void spoa_keys_need(struct spoa_keys *keys, uint64_t unknown, uint64_t doubted, const char *kid);

/* Is there something that changed() has not been called for yet? */
bool spoa_keys_pending(const struct spoa_keys *keys);

/* An answer of the net thread; takes it over. */
void spoa_keys_answer(struct spoa_keys *keys, struct net_answer *answer);

/* Puts the present keys and ages into a snapshot of the same configuration. 0 or -ENOMEM. */
int spoa_keys_fill(struct spoa_keys *keys, struct spoa_snapshot *snapshot) must_check;

/* For status: [{"name", "issuer", "state", "keys", "key_age_s", "last_error"}], a new reference. */
json_t *spoa_keys_status(const struct spoa_keys *keys) must_check;

/* How many providers have no keys. */
size_t spoa_keys_missing(const struct spoa_keys *keys);

DEFINE_CLEANUP(spoa_keys, struct spoa_keys *, spoa_keys_free)

#endif
