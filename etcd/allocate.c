/* The steps of etcd/numbers.h. */

#include "etcd/entry.h"

#include "base/clock.h"
#include "etcd/told.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Numbers that turned out to be taken, before it is tried later. */
#define ATTEMPTS_MAX 16
/* A watch that is silent for so long about a lock that was taken is stuck. */
#define BARRIER_NS ((uint64_t)(2 * NS_PER_S))
/* Users of a label set that are looked at. */
#define USERS 16

static const struct etcd_cluster *cluster_of(const struct etcd_entry *entry)
{
	return &entry->numbers->options.cluster;
}

static struct span labels_of(const struct etcd_entry *entry)
{
	return span_of(entry->labels);
}

/* Takes over the request; on failure the entry is tried later. */
static void ask(
	struct etcd_entry *entry, enum etcd_step step, struct etcd_txn *txn, etcd_done_fn *done)
{
	entry->step = step;
	if (etcd_client_call(entry->numbers->client, ETCD_TXN, etcd_txn_done(txn), done, entry,
		    &entry->call))
		etcd_entry_later(entry);
}

static void fail(struct etcd_entry *entry, int error)
{
	if (error == -ENOENT) {
		etcd_lease_doubt(entry->numbers->lease);
		etcd_lease_doubt(entry->numbers->lock_lease);
	}
	etcd_entry_later(entry);
}

static void note_use(struct etcd_txn *txn, const struct etcd_entry *entry, uint32_t id)
{
	etcd_key_buf key;
	char text[16];
	int n = snprintf(text, sizeof(text), "%" PRIu32, id);

	assert(etcd_lease_id(entry->numbers->lease)); /* without one it would stay for ever */
	etcd_txn_then_put(txn, etcd_layout_value(cluster_of(entry), entry->labels, key),
		(struct span){.p = text, .n = (size_t)n}, etcd_lease_id(entry->numbers->lease));
}

static struct span lock_key(const struct etcd_entry *entry, etcd_key_buf to)
{
	return etcd_layout_lock(
		cluster_of(entry), entry->labels, etcd_lease_id(entry->numbers->lock_lease), to);
}

static const struct etcd_kv *kv_of(const struct etcd_reply *reply, size_t op)
{
	for (size_t i = 0; i < reply->n_kvs; i++)
		if (reply->kvs[i].op == op)
			return &reply->kvs[i];
	return NULL;
}

static void lock(struct etcd_entry *entry);
static void write_number(struct etcd_entry *entry);

/* The number that was tried is not our labels'; it may be the one that we mark with. */
static void not_ours(struct etcd_entry *entry)
{
	if (entry->id == entry->candidate)
		etcd_entry_event(entry, ETCD_DOUBT);
}

static void on_known(void *arg, int error, const struct etcd_reply *reply, const char *why)
{
	struct etcd_entry *entry = arg;

	(void)why;
	entry->call = NULL;
	if (error) {
		fail(entry, error);
	} else if (reply->succeeded) {
		etcd_entry_confirmed(entry, entry->candidate);
	} else {
		not_ours(entry);
		lock(entry);
	}
}

static void known(struct etcd_entry *entry, uint32_t id)
{
	struct etcd_txn txn;
	etcd_key_buf key;

	etcd_txn_init(&txn);
	entry->candidate = id;
	etcd_txn_if_value(&txn, etcd_layout_id(cluster_of(entry), id, key), labels_of(entry));
	note_use(&txn, entry, id);
	ask(entry, ETCD_STEP_KNOWN, &txn, on_known);
}

/* Who uses these labels already, and with which number? 0: nobody. */
static uint32_t user_of(const struct etcd_entry *entry, const struct etcd_reply *reply)
{
	for (size_t i = 0; i < reply->n_kvs; i++) {
		uint32_t id;

		if (reply->kvs[i].op != 2)
			continue;
		if (etcd_layout_number(reply->kvs[i].value, &id) == 0 &&
			etcd_layout_has(cluster_of(entry), id))
			return id;
		entry->numbers->stats.skipped_keys++;
	}
	return 0;
}

static void on_lock(void *arg, int error, const struct etcd_reply *reply, const char *why)
{
	struct etcd_entry *entry = arg;
	const struct etcd_kv *mine, *oldest;
	etcd_key_buf key;

	(void)why;
	entry->call = NULL;
	if (error) {
		fail(entry, error);
		return;
	}
	mine = reply->succeeded ? NULL : kv_of(reply, 0);
	oldest = kv_of(reply, 1);
	entry->lock_revision = mine ? mine->created : reply->revision;
	entry->user = user_of(entry, reply);
	/* Another one comes first: its end is seen by the watch. */
	if (!oldest || !span_eq(oldest->key, lock_key(entry, key))) {
		etcd_entry_later(entry);
		return;
	}
	entry->step = ETCD_STEP_BARRIER;
	entry->barrier_ns = entry->numbers->now_ns;
	if (entry->numbers->reached >= entry->lock_revision)
		write_number(entry);
}

static void lock(struct etcd_entry *entry)
{
	int64_t lease = etcd_lease_id(entry->numbers->lock_lease);
	etcd_key_buf own, queue, users;
	struct etcd_range ranges[] = {
		{.key = lock_key(entry, own)},
		{.key = etcd_layout_locks(cluster_of(entry), entry->labels, queue),
			.prefix = true,
			.limit = 1,
			.oldest = true},
		{.key = etcd_layout_values(cluster_of(entry), entry->labels, users),
			.prefix = true,
			.limit = USERS},
	};
	struct etcd_txn txn;

	if (!etcd_numbers_is_up(entry->numbers)) {
		etcd_entry_later(entry);
		return;
	}
	assert(lease);
	etcd_txn_init(&txn);
	etcd_txn_if_created(&txn, ranges[0].key, 0);
	etcd_txn_then_put(&txn, ranges[0].key, SPAN(""), lease);
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		if (i)
			etcd_txn_then_range(&txn, &ranges[i]);
		etcd_txn_else_range(&txn, &ranges[i]);
	}
	entry->locked = true;
	ask(entry, ETCD_STEP_LOCK, &txn, on_lock);
}

/* Create or join did not happen: is the lock still ours, and whose is the number? */
static void on_refused(struct etcd_entry *entry, const struct etcd_reply *reply)
{
	const struct etcd_kv *mine = kv_of(reply, 0), *number = kv_of(reply, 1);

	if (!mine || mine->created != entry->lock_revision) {
		entry->locked = mine != NULL;
		etcd_entry_later(entry);
		return;
	}
	if (!number || !span_is(number->value, entry->labels))
		not_ours(entry);
	/* What the watch will tell, too. */
	if (!number)
		etcd_registry_clear(entry->numbers->registry, entry->candidate, 0);
	else if (etcd_told_number(
			 entry->numbers, entry->candidate, number->value, number->created) ||
		 ++entry->attempts > ATTEMPTS_MAX) {
		etcd_entry_later(entry);
		return;
	}
	write_number(entry);
}

static void on_written(void *arg, int error, const struct etcd_reply *reply, const char *why)
{
	struct etcd_entry *entry = arg;

	(void)why;
	entry->call = NULL;
	if (error) {
		fail(entry, error);
		return;
	}
	if (!reply->succeeded) {
		on_refused(entry, reply);
		return;
	}
	entry->locked = false;
	if (entry->creating) {
		entry->numbers->stats.allocated++;
		(void)!etcd_told_number(
			entry->numbers, entry->candidate, labels_of(entry), reply->revision);
	}
	etcd_entry_confirmed(entry, entry->candidate);
}

/* Which number: what etcd has, what others use, what it had before, or any. */
static uint32_t choose(const struct etcd_entry *entry, bool *ret_exists)
{
	struct etcd_registry *registry = entry->numbers->registry;
	uint64_t now = entry->numbers->now_ns;
	uint32_t id = etcd_registry_id(registry, entry->labels);

	*ret_exists = id != 0;
	if (id)
		return id;
	/* Resting is about other labels: these may have theirs again. */
	if (entry->user && etcd_registry_is_free(registry, entry->user, UINT64_MAX))
		return entry->user;
	if (entry->id && etcd_registry_is_free(registry, entry->id, UINT64_MAX))
		return entry->id;
	return etcd_registry_pick(registry, now);
}

static void write_number(struct etcd_entry *entry)
{
	etcd_key_buf own, number;
	struct etcd_range ranges[2];
	struct etcd_txn txn;
	bool exists;

	/* A lease may have ended since the last step, or a list have begun. */
	if (!etcd_numbers_is_up(entry->numbers) || entry->numbers->reached < entry->lock_revision) {
		etcd_entry_later(entry);
		return;
	}
	entry->candidate = choose(entry, &exists);
	if (!entry->candidate) {
		etcd_entry_later(entry);
		return;
	}
	ranges[0] = (struct etcd_range){.key = lock_key(entry, own)};
	ranges[1] = (struct etcd_range){
		.key = etcd_layout_id(cluster_of(entry), entry->candidate, number)};
	entry->creating = !exists;
	etcd_txn_init(&txn);
	etcd_txn_if_created(&txn, ranges[0].key, entry->lock_revision);
	if (exists) {
		etcd_txn_if_value(&txn, ranges[1].key, labels_of(entry));
	} else {
		etcd_txn_if_created(&txn, ranges[1].key, 0);
		etcd_txn_then_put(&txn, ranges[1].key, labels_of(entry), 0);
	}
	note_use(&txn, entry, entry->candidate);
	etcd_txn_then_delete(&txn, ranges[0].key);
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		etcd_txn_else_range(&txn, &ranges[i]);
	ask(entry, ETCD_STEP_WRITE, &txn, on_written);
}

void etcd_allocate_reached(struct etcd_numbers *numbers)
{
	for (size_t i = 0; i < numbers->n_active; i++) {
		struct etcd_entry *entry = numbers->active[i];

		if (entry->step != ETCD_STEP_BARRIER)
			continue;
		if (numbers->reached >= entry->lock_revision) {
			write_number(entry);
			/* It may have failed at once, and another have its place. */
			i -= i < numbers->n_active && numbers->active[i] != entry;
		} else if (numbers->now_ns - entry->barrier_ns > BARRIER_NS) {
			entry->barrier_ns = numbers->now_ns;
			etcd_watch_again(numbers->watch);
		}
	}
}

static void on_released(void *arg, int error, const struct etcd_reply *reply, const char *why)
{
	struct etcd_entry *entry = arg;

	(void)reply;
	(void)why;
	entry->call = NULL;
	if (error) {
		fail(entry, error);
		return;
	}
	entry->locked = false;
	etcd_entry_event(entry, ETCD_RELEASED);
	etcd_entry_done(entry);
}

static void release(struct etcd_entry *entry)
{
	struct etcd_txn txn;
	etcd_key_buf key;

	etcd_txn_init(&txn);
	etcd_txn_then_delete(&txn, etcd_layout_value(cluster_of(entry), entry->labels, key));
	if (entry->locked)
		etcd_txn_then_delete(&txn, lock_key(entry, key));
	ask(entry, ETCD_STEP_RELEASE, &txn, on_released);
}

void etcd_allocate_begin(struct etcd_entry *entry)
{
	uint32_t id = etcd_registry_id(entry->numbers->registry, entry->labels);

	entry->attempts = 0;
	if (entry->phase == ETCD_RELEASING)
		release(entry);
	else if (id)
		known(entry, id);
	else
		lock(entry);
}

static void on_unlocked(void *arg, int error, const struct etcd_reply *reply, const char *why)
{
	(void)arg;
	(void)error; /* it ends with its lease */
	(void)reply;
	(void)why;
}

void etcd_allocate_unlock(struct etcd_numbers *numbers, struct span key)
{
	struct etcd_txn txn;

	etcd_txn_init(&txn);
	etcd_txn_then_delete(&txn, key);
	(void)!etcd_client_call(
		numbers->client, ETCD_TXN, etcd_txn_done(&txn), on_unlocked, NULL, NULL);
}
