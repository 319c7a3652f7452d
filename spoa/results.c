#include "spoa/results.h"

#include "base/siphash.h"

#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>
#include <sys/queue.h>

#define BUCKETS 4096

struct entry {
	LIST_ENTRY(entry) in_bucket;
	TAILQ_ENTRY(entry) in_order;
	struct spoa_results_key key;
	struct spoa_result result; /* json.p is bytes */
	char bytes[];
};

TAILQ_HEAD(order, entry);

struct spoa_results {
	pthread_mutex_t lock; /* guards everything below */
	struct base_siphash_key secret;
	LIST_HEAD(, entry) buckets[BUCKETS];
	struct order active, others; /* least recently seen first */
	size_t active_bytes;
	size_t n_active, n_others;
};

struct spoa_results *spoa_results_new(void)
{
	struct spoa_results *r = calloc(1, sizeof(*r));

	if (!r || RAND_bytes((unsigned char *)&r->secret, sizeof(r->secret)) != 1) {
		free(r);
		return NULL;
	}
	pthread_mutex_init(&r->lock, NULL);
	TAILQ_INIT(&r->active);
	TAILQ_INIT(&r->others);
	return r;
}

static bool is_active(const struct entry *e)
{
	return e->result.said == SPOA_SAID_ACTIVE;
}

static size_t bytes_of(const struct entry *e)
{
	return sizeof(*e) + e->result.json.n;
}

static void drop(struct spoa_results *r, struct entry *e)
{
	LIST_REMOVE(e, in_bucket);
	if (is_active(e)) {
		TAILQ_REMOVE(&r->active, e, in_order);
		r->active_bytes -= bytes_of(e);
		r->n_active--;
	} else {
		TAILQ_REMOVE(&r->others, e, in_order);
		r->n_others--;
	}
	free(e);
}

void spoa_results_free(struct spoa_results *r)
{
	struct entry *e;

	if (!r)
		return;
	while ((e = TAILQ_FIRST(&r->active)) || (e = TAILQ_FIRST(&r->others)))
		drop(r, e);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* A stranger chooses tokens and can work out their hashes, but not this one. */
static size_t bucket_of(const struct spoa_results *r, const struct spoa_results_key *key)
{
	struct span hash = {.p = (const char *)key->hash, .n = sizeof(key->hash)};

	return base_siphash(&r->secret, hash) % BUCKETS;
}

static struct entry *find(struct spoa_results *r, const struct spoa_results_key *key)
{
	struct entry *e;

	LIST_FOREACH(e, &r->buckets[bucket_of(r, key)], in_bucket)
	if (e->key.origin == key->origin && !memcmp(e->key.hash, key->hash, sizeof(key->hash)))
		return e;
	return NULL;
}

/* The same, if it still counts; one that does not is dropped. */
static struct entry *find_current(
	struct spoa_results *r, const struct spoa_results_key *key, uint64_t now)
{
	struct entry *e = find(r, key);

	if (!e || now < e->result.until)
		return e;
	drop(r, e);
	return NULL;
}

static void insert(struct spoa_results *r, struct entry *e)
{
	LIST_INSERT_HEAD(&r->buckets[bucket_of(r, &e->key)], e, in_bucket);
	if (is_active(e)) {
		TAILQ_INSERT_TAIL(&r->active, e, in_order);
		r->active_bytes += bytes_of(e);
		r->n_active++;
	} else {
		TAILQ_INSERT_TAIL(&r->others, e, in_order);
		r->n_others++;
	}
	while (r->active_bytes > SPOA_RESULTS_BYTES)
		drop(r, TAILQ_FIRST(&r->active));
	while (r->n_others > SPOA_RESULTS_OTHERS)
		drop(r, TAILQ_FIRST(&r->others));
}

static struct entry *entry_new(const struct spoa_results_key *key, const struct spoa_result *result)
{
	size_t n = result->said == SPOA_SAID_ACTIVE ? result->json.n : 0;
	struct entry *e = malloc(sizeof(*e) + n);

	if (!e)
		return NULL;
	e->key = *key;
	e->result = *result;
	if (n)
		memcpy(e->bytes, result->json.p, n);
	e->result.json = (struct span){.p = e->bytes, .n = n};
	return e;
}

static void touch(struct spoa_results *r, struct entry *e)
{
	struct order *order = is_active(e) ? &r->active : &r->others;

	TAILQ_REMOVE(order, e, in_order);
	TAILQ_INSERT_TAIL(order, e, in_order);
}

enum spoa_said spoa_results_find(struct spoa_results *r, const struct spoa_results_key *key,
	uint64_t now, char *buf, size_t size, struct spoa_result *ret_result)
{
	enum spoa_said said = SPOA_SAID_NOTHING;
	struct entry *e;

	pthread_mutex_lock(&r->lock);
	e = find_current(r, key, now);
	if (e && e->result.json.n <= size) {
		touch(r, e);
		said = e->result.said;
		*ret_result = e->result;
		memcpy(buf, e->bytes, e->result.json.n);
		ret_result->json.p = buf;
	}
	pthread_mutex_unlock(&r->lock);
	return said;
}

bool spoa_results_claim(
	struct spoa_results *r, const struct spoa_results_key *key, uint64_t now, uint64_t until)
{
	const struct spoa_result pending = {.said = SPOA_SAID_PENDING, .until = until};
	struct entry *e = NULL;

	pthread_mutex_lock(&r->lock);
	if (!find_current(r, key, now))
		e = entry_new(key, &pending);
	if (e)
		insert(r, e);
	pthread_mutex_unlock(&r->lock);
	return e != NULL;
}

void spoa_results_put(struct spoa_results *r, const struct spoa_results_key *key,
	const struct spoa_result *result)
{
	struct entry *e = entry_new(key, result);
	struct entry *before;

	pthread_mutex_lock(&r->lock);
	before = find(r, key);
	if (before)
		drop(r, before);
	if (e)
		insert(r, e);
	pthread_mutex_unlock(&r->lock);
}

size_t spoa_results_count(struct spoa_results *r, size_t *ret_bytes)
{
	size_t n;

	pthread_mutex_lock(&r->lock);
	n = r->n_active + r->n_others;
	*ret_bytes = r->active_bytes;
	pthread_mutex_unlock(&r->lock);
	return n;
}
