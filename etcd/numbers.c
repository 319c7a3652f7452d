#include "etcd/numbers.h"

#include "base/clock.h"
#include "etcd/entry.h"
#include "etcd/told.h"

#include <errno.h>

/* How often timers of entries are looked at. */
#define SCAN_NS ((uint64_t)(20 * NS_PER_MS))

static void on_lease(void *arg)
{
	etcd_entry_run(arg);
}

static void on_lease_ended(void *arg)
{
	etcd_entry_each(arg, etcd_entry_doubt);
}

static void nothing(void *arg)
{
	(void)arg;
}

static bool make_parts(struct etcd_numbers *numbers)
{
	const struct etcd_cluster *cluster = &numbers->options.cluster;
	const struct etcd_lease_owner owner = {on_lease, on_lease_ended, numbers};
	const struct etcd_lease_owner lock_owner = {on_lease, nothing, numbers};
	const struct etcd_watch_owner watch_owner = etcd_told_owner(numbers);
	etcd_key_buf all, ids;

	numbers->registry = etcd_registry_new(etcd_layout_min(cluster), etcd_layout_max(cluster));
	numbers->lease = etcd_lease_new(numbers->client, numbers->options.lease_s, &owner);
	numbers->lock_lease = etcd_lease_new(numbers->client, ETCD_LOCK_LEASE_S, &lock_owner);
	numbers->watch = etcd_watch_new(numbers->client, etcd_layout_identities(cluster, all).p,
		etcd_layout_ids(cluster, ids).p, &watch_owner);
	return numbers->registry && numbers->lease && numbers->lock_lease && numbers->watch;
}

struct etcd_numbers *etcd_numbers_new(struct etcd_client *client,
	const struct etcd_numbers_options *options, const struct etcd_numbers_owner *owner)
{
	cleanup(etcd_numbers) struct etcd_numbers *numbers = calloc(1, sizeof(*numbers));

	if (!numbers)
		return NULL;
	numbers->client = client;
	numbers->options = *options;
	numbers->owner = *owner;
	numbers->ready_end = &numbers->ready;
	return make_parts(numbers) ? TAKE_PTR(numbers) : NULL;
}

void etcd_numbers_free(struct etcd_numbers *numbers)
{
	if (!numbers)
		return;
	etcd_entry_each(numbers, etcd_entry_free);
	etcd_watch_free(numbers->watch);
	etcd_lease_free(numbers->lock_lease);
	etcd_lease_free(numbers->lease);
	etcd_registry_free(numbers->registry);
	free(numbers);
}

int etcd_numbers_want(struct etcd_numbers *numbers, const char *labels, uint32_t before)
{
	struct etcd_entry *entry = etcd_entry_find(numbers, span_of(labels));
	int rc = etcd_layout_labels_check(
		&numbers->options.cluster, span_of(labels), numbers->options.mesh);

	if (rc)
		return rc;
	if (!entry && numbers->n_entries >= numbers->options.max)
		return -ENOSPC;
	if (!entry)
		entry = etcd_entry_new(numbers, labels);
	if (!entry)
		return -ENOMEM;
	if (!entry->id && etcd_layout_has(&numbers->options.cluster, before))
		entry->id = before;
	etcd_entry_event(entry, ETCD_WANT);
	etcd_entry_soon(entry);
	etcd_entry_run(numbers);
	return 0;
}

void etcd_numbers_unwant(struct etcd_numbers *numbers, const char *labels)
{
	struct etcd_entry *entry = etcd_entry_find(numbers, span_of(labels));

	if (entry)
		etcd_entry_event(entry, ETCD_UNWANT);
}

void etcd_numbers_keep(
	struct etcd_numbers *numbers, bool (*keep)(void *arg, const char *labels), void *arg)
{
	for (size_t i = 0; i < ETCD_ENTRY_BUCKETS; i++)
		for (struct etcd_entry *entry = numbers->buckets[i]; entry; entry = entry->next)
			if (!keep(arg, entry->labels))
				etcd_entry_event(entry, ETCD_UNWANT);
}

struct ident_number etcd_numbers_find(const struct etcd_numbers *numbers, const char *labels)
{
	return etcd_entry_number(etcd_entry_find(numbers, span_of(labels)));
}

enum etcd_phase etcd_numbers_phase(const struct etcd_numbers *numbers, const char *labels)
{
	const struct etcd_entry *entry = etcd_entry_find(numbers, span_of(labels));

	return entry ? entry->phase : ETCD_ABSENT;
}

bool etcd_numbers_is_up(const struct etcd_numbers *numbers)
{
	return !numbers->over && etcd_lease_id(numbers->lease) &&
	       etcd_lease_id(numbers->lock_lease) && etcd_watch_has_listed(numbers->watch);
}

struct etcd_lease *etcd_numbers_lease(struct etcd_numbers *numbers)
{
	return numbers->lease;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t etcd_numbers_tick(struct etcd_numbers *numbers, uint64_t now_ns)
{
	uint64_t next;

	numbers->now_ns = now_ns;
	if (numbers->over)
		return UINT64_MAX;
	next = etcd_lease_tick(numbers->lease, now_ns);
	next = earlier(next, etcd_lease_tick(numbers->lock_lease, now_ns));
	next = earlier(next, etcd_watch_tick(numbers->watch, now_ns));
	if (now_ns >= numbers->scan_ns) {
		etcd_entry_each(numbers, etcd_entry_look);
		etcd_allocate_reached(numbers);
		numbers->scan_ns = now_ns + SCAN_NS;
	}
	etcd_entry_run(numbers);
	return numbers->n_entries ? earlier(next, numbers->scan_ns) : next;
}

void etcd_numbers_goodbye(struct etcd_numbers *numbers)
{
	etcd_lease_revoke(numbers->lock_lease);
	etcd_lease_revoke(numbers->lease);
	numbers->over = true;
}

struct etcd_numbers_stats etcd_numbers_stats(const struct etcd_numbers *numbers)
{
	struct etcd_numbers_stats stats = numbers->stats;

	stats.known = etcd_registry_count(numbers->registry);
	stats.under_way = numbers->n_active;
	return stats;
}
