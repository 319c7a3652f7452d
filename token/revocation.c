#include "token/revocation.h"

#include "base/siphash.h"

#include <assert.h>
#include <errno.h>
#include <openssl/rand.h>
#include <stdatomic.h>
#include <string.h>

/* A combination of fields is a set of bits; the empty one is not in use. */
#define COMBINATIONS (1U << TOKEN_REVOKE_FIELDS)

#define BUCKETS_MIN 64

/* So many dead entries are never worth a new list. */
#define DEAD_MIN 1024

static const char *const NAMES[] = {"iss", "sub", "sid", "jti", "client"};
_Static_assert(ARRAY_SIZE(NAMES) == TOKEN_REVOKE_FIELDS, "a name for each");

/* Never changes after it is linked, but for dead. */
struct entry {
	struct entry *next;
	struct entry *next_by_id;
	struct token_revocation what; /* texts in the same allocation */
	unsigned combination;
	atomic_bool dead;
};

struct token_revocations {
	atomic_uint refs;
	size_t max;
	size_t n_buckets; /* a power of two */
	size_t n_entries, n_dead;
	struct base_siphash_key key;
	_Atomic(struct entry *) *buckets;
	struct entry **by_id;           /* the writer's */
	atomic_uint used[COMBINATIONS]; /* entries of each combination, dead ones too */
	_Atomic(struct token_revocations *) successor;
};

const char *token_revocation_field_name(enum token_revocation_field field)
{
	return NAMES[field];
}

struct token_revocations *token_revocations_new(size_t max)
{
	cleanup(token_revocations) struct token_revocations *list = calloc(1, sizeof(*list));

	if (!list)
		return NULL;
	atomic_init(&list->refs, 1);
	list->max = max;
	for (list->n_buckets = BUCKETS_MIN; list->n_buckets < max; list->n_buckets *= 2)
		;
	list->buckets = calloc(list->n_buckets, sizeof(*list->buckets));
	list->by_id = calloc(list->n_buckets, sizeof(*list->by_id));
	if (!list->buckets || !list->by_id ||
		RAND_bytes((unsigned char *)&list->key, sizeof(list->key)) != 1)
		return NULL;
	return TAKE_PTR(list);
}

struct token_revocations *token_revocations_ref(struct token_revocations *list)
{
	if (list)
		atomic_fetch_add_explicit(&list->refs, 1, memory_order_relaxed);
	return list;
}

void token_revocations_unref(struct token_revocations *list)
{
	if (!list || atomic_fetch_sub_explicit(&list->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; list->by_id && i < list->n_buckets; i++) {
		struct entry *next;

		for (struct entry *entry = list->by_id[i]; entry; entry = next) {
			next = entry->next_by_id;
			free(entry);
		}
	}
	token_revocations_unref(atomic_load_explicit(&list->successor, memory_order_relaxed));
	free(list->buckets);
	free(list->by_id);
	free(list);
}

static unsigned combination_of(const struct span fields[TOKEN_REVOKE_FIELDS])
{
	unsigned combination = 0;

	for (unsigned i = 0; i < TOKEN_REVOKE_FIELDS; i++)
		if (fields[i].n)
			combination |= 1U << i;
	return combination;
}

/* Hashes of the single texts, so that each is read once however many combinations there are. */
static void hash_fields(const struct token_revocations *list,
	const struct span fields[TOKEN_REVOKE_FIELDS], uint64_t ret_hashes[TOKEN_REVOKE_FIELDS])
{
	for (unsigned i = 0; i < TOKEN_REVOKE_FIELDS; i++)
		ret_hashes[i] = fields[i].n ? base_siphash(&list->key, fields[i]) : 0;
}

static size_t bucket_of(const struct token_revocations *list, unsigned combination,
	const uint64_t hashes[TOKEN_REVOKE_FIELDS])
{
	uint64_t hash = combination;

	for (unsigned i = 0; i < TOKEN_REVOKE_FIELDS; i++)
		if (combination & 1U << i)
			hash = (hash ^ hashes[i]) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 32);
	return (size_t)(hash ^ hash >> 32) & (list->n_buckets - 1);
}

static size_t id_bucket(const struct token_revocations *list, int64_t id)
{
	return (size_t)id & (list->n_buckets - 1);
}

bool token_revocation_means(
	const struct token_revocation *entry, const struct token_revocable *token)
{
	for (unsigned i = 0; i < TOKEN_REVOKE_FIELDS; i++)
		if (entry->fields[i].n && !span_eq(entry->fields[i], token->fields[i]))
			return false;
	/* A token that does not say when it was issued cannot show that it is newer. */
	return !entry->issued_before || !token->iat || token->iat < entry->issued_before;
}

static bool is_live(const struct entry *entry, int64_t now_s)
{
	return !atomic_load_explicit(&entry->dead, memory_order_relaxed) &&
	       entry->what.expires > now_s;
}

static int64_t match_combination(const struct token_revocations *list, unsigned combination,
	const uint64_t hashes[TOKEN_REVOKE_FIELDS], const struct token_revocable *token,
	int64_t now_s)
{
	size_t bucket = bucket_of(list, combination, hashes);
	const struct entry *entry =
		atomic_load_explicit(&list->buckets[bucket], memory_order_acquire);

	for (; entry; entry = entry->next)
		if (entry->combination == combination && is_live(entry, now_s) &&
			token_revocation_means(&entry->what, token))
			return entry->what.id;
	return 0;
}

static int64_t match(
	const struct token_revocations *list, const struct token_revocable *token, int64_t now_s)
{
	unsigned has = combination_of(token->fields);
	uint64_t hashes[TOKEN_REVOKE_FIELDS];
	bool hashed = false;

	for (unsigned combination = 1; combination < COMBINATIONS; combination++) {
		int64_t id;

		if ((combination & has) != combination ||
			!atomic_load_explicit(&list->used[combination], memory_order_acquire))
			continue;
		if (!hashed)
			hash_fields(list, token->fields, hashes);
		hashed = true;
		id = match_combination(list, combination, hashes, token, now_s);
		if (id)
			return id;
	}
	return 0;
}

int64_t token_revocations_match(
	const struct token_revocations *list, const struct token_revocable *token, int64_t now_s)
{
	int64_t id = 0;

	for (; list && !id; list = atomic_load_explicit(&list->successor, memory_order_acquire))
		id = match(list, token, now_s);
	return id;
}

static struct entry *copy(const struct token_revocation *from)
{
	size_t n = 0;
	struct entry *entry;
	char *at;

	for (unsigned i = 0; i < TOKEN_REVOKE_FIELDS; i++)
		n += from->fields[i].n;
	entry = calloc(1, sizeof(*entry) + n);
	if (!entry)
		return NULL;
	entry->what = *from;
	entry->combination = combination_of(from->fields);
	at = (char *)(entry + 1);
	for (unsigned i = 0; i < TOKEN_REVOKE_FIELDS; i++) {
		if (!from->fields[i].n)
			continue;
		memcpy(at, from->fields[i].p, from->fields[i].n);
		entry->what.fields[i].p = at;
		at += from->fields[i].n;
	}
	return entry;
}

static void link_entry(struct token_revocations *list, struct entry *entry)
{
	uint64_t hashes[TOKEN_REVOKE_FIELDS];
	size_t bucket, by_id = id_bucket(list, entry->what.id);

	hash_fields(list, entry->what.fields, hashes);
	bucket = bucket_of(list, entry->combination, hashes);
	entry->next = atomic_load_explicit(&list->buckets[bucket], memory_order_relaxed);
	entry->next_by_id = list->by_id[by_id];
	list->by_id[by_id] = entry;
	list->n_entries++;
	atomic_store_explicit(&list->buckets[bucket], entry, memory_order_release);
	atomic_fetch_add_explicit(&list->used[entry->combination], 1, memory_order_release);
}

static bool is_known(const struct token_revocations *list, int64_t id)
{
	for (const struct entry *e = list->by_id[id_bucket(list, id)]; e; e = e->next_by_id)
		if (e->what.id == id && !atomic_load_explicit(&e->dead, memory_order_relaxed))
			return true;
	return false;
}

/* Counted only when it may be: the count looks at every entry. */
static bool is_full(const struct token_revocations *list, int64_t now_s)
{
	return list->n_entries - list->n_dead >= list->max &&
	       token_revocations_count(list, now_s) >= list->max;
}

int token_revocations_add(
	struct token_revocations *list, const struct token_revocation *what, int64_t now_s)
{
	struct entry *entry;

	assert(what->id != 0);
	if (!combination_of(what->fields))
		return -EINVAL;
	if (!is_known(list, what->id) && is_full(list, now_s))
		return -ENOSPC;
	entry = copy(what);
	if (!entry)
		return -ENOMEM;

	/* The new one first: there is no moment without either. */
	struct entry *old = list->by_id[id_bucket(list, what->id)];

	link_entry(list, entry);
	for (; old; old = old->next_by_id)
		if (old->what.id == what->id && !atomic_exchange(&old->dead, true))
			list->n_dead++;
	return 0;
}

bool token_revocations_remove(struct token_revocations *list, int64_t id)
{
	struct entry *entry = list->by_id[id_bucket(list, id)];

	for (; entry; entry = entry->next_by_id) {
		if (entry->what.id != id || atomic_exchange(&entry->dead, true))
			continue;
		list->n_dead++;
		return true;
	}
	return false;
}

size_t token_revocations_count(const struct token_revocations *list, int64_t now_s)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n_buckets; i++)
		for (const struct entry *e = list->by_id[i]; e; e = e->next_by_id)
			n += is_live(e, now_s);
	return n;
}

size_t token_revocations_max(const struct token_revocations *list)
{
	return list->max;
}

static int copy_live(
	const struct token_revocations *from, struct token_revocations *to, int64_t now_s)
{
	for (size_t i = 0; i < from->n_buckets; i++) {
		for (const struct entry *e = from->by_id[i]; e; e = e->next_by_id) {
			struct entry *entry;

			if (!is_live(e, now_s))
				continue;
			entry = copy(&e->what);
			if (!entry)
				return -ENOMEM;
			link_entry(to, entry);
		}
	}
	return 0;
}

struct token_revocations *token_revocations_compact(struct token_revocations *list, int64_t now_s)
{
	size_t n_live = token_revocations_count(list, now_s);

	if (list->n_entries - n_live < DEAD_MIN || list->n_entries - n_live < n_live)
		return NULL;

	cleanup(token_revocations) struct token_revocations *next =
		token_revocations_new(list->max);

	if (!next || copy_live(list, next, now_s))
		return NULL;
	atomic_store_explicit(&list->successor, token_revocations_ref(next), memory_order_release);
	return TAKE_PTR(next);
}
