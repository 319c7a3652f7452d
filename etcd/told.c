#include "etcd/told.h"

#include "etcd/entry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void learnt(struct etcd_numbers *numbers, uint32_t id, const char *labels)
{
	if (numbers->owner.learnt)
		numbers->owner.learnt(numbers->owner.arg, id, labels);
}

static uint8_t *named(struct etcd_numbers *numbers, uint32_t id, uint8_t *ret_bit)
{
	uint32_t i = id - etcd_layout_min(&numbers->options.cluster);

	*ret_bit = (uint8_t)(1 << i % 8);
	return &numbers->named[i / 8];
}

int etcd_told_number(struct etcd_numbers *numbers, uint32_t id, struct span labels, int64_t created)
{
	const char *text = etcd_registry_labels(numbers->registry, id);
	bool same = text && labels.n && span_is(labels, text);
	struct etcd_entry *former = text && !same ? etcd_entry_find(numbers, span_of(text)) : NULL;
	int rc = etcd_registry_set(numbers->registry, id, labels, created);
	uint8_t bit, *byte = named(numbers, id, &bit);

	*byte |= bit;
	if (!rc && !same)
		learnt(numbers, id, etcd_registry_labels(numbers->registry, id));
	if (former && former->id == id)
		etcd_entry_doubt(former);
	return rc;
}

/* The number is nobody's any more. */
static void vacate(struct etcd_numbers *numbers, uint32_t id)
{
	const char *text = etcd_registry_labels(numbers->registry, id);
	struct etcd_entry *entry = text ? etcd_entry_find(numbers, span_of(text)) : NULL;

	etcd_registry_clear(numbers->registry, id, numbers->now_ns + numbers->options.rest_ns);
	learnt(numbers, id, NULL);
	if (entry && entry->id == id)
		etcd_entry_doubt(entry);
}

/*
 * What was known stays so until the list has been heard out; until then nothing
 * new is made. etcd may have been set back: what it said of revisions is void.
 */
static void on_list(void *arg)
{
	struct etcd_numbers *numbers = arg;

	numbers->reached = 0;
	memset(numbers->named, 0, sizeof(numbers->named));
	for (size_t i = numbers->n_active; i-- > 0;)
		if (numbers->active[i]->step == ETCD_STEP_BARRIER)
			etcd_entry_later(numbers->active[i]);
}

/* "value/LABELS/NODE" or "locks/LABELS/LEASE": both parts, or false. */
static bool split(const struct etcd_numbers *numbers, struct span key, const char *what,
	struct span *ret_labels, struct span *ret_last)
{
	etcd_key_buf buf;
	struct span front = etcd_layout_identities(&numbers->options.cluster, buf);
	size_t n = front.n + strlen(what);
	const char *slash;

	if (key.n < n || memcmp(key.p + front.n, what, strlen(what)))
		return false;
	key.p += n;
	key.n -= n;
	slash = memrchr(key.p, '/', key.n);
	if (!slash)
		return false;
	*ret_labels = (struct span){.p = key.p, .n = (size_t)(slash - key.p)};
	*ret_last = (struct span){.p = slash + 1, .n = key.n - ret_labels->n - 1};
	return true;
}

/* A lock that we hold without knowing: a late request of ours took it. */
static void on_lock_put(struct etcd_numbers *numbers, const struct etcd_kv *kv)
{
	struct span labels, last;
	struct etcd_entry *entry;
	char own[24];

	if (!split(numbers, kv->key, "locks/", &labels, &last))
		return;
	snprintf(own, sizeof(own), "%" PRIx64, (uint64_t)etcd_lease_id(numbers->lock_lease));
	entry = etcd_entry_find(numbers, labels);
	if (span_is(last, own) && (!entry || !entry->locked))
		etcd_allocate_unlock(numbers, kv->key);
}

static void on_put(void *arg, const struct etcd_kv *kv)
{
	struct etcd_numbers *numbers = arg;
	struct etcd_numbers_stats *stats = &numbers->stats;
	struct span labels = kv->value;
	struct etcd_entry *entry;
	uint32_t id;
	int rc = etcd_layout_parse_id(&numbers->options.cluster, kv->key, &id);

	if (rc == -ENOENT)
		on_lock_put(numbers, kv);
	stats->skipped_keys += rc == -EINVAL;
	stats->skipped_range += rc == -ERANGE;
	if (rc)
		return;
	if (etcd_layout_labels_check(&numbers->options.cluster, labels, numbers->options.mesh)) {
		stats->skipped_labels++;
		labels = (struct span){0}; /* but nobody else may have the number */
	}
	if (etcd_told_number(numbers, id, labels, kv->created))
		return; /* whoever tries it is told by etcd */
	entry = labels.n ? etcd_entry_find(numbers, labels) : NULL;
	if (entry && etcd_entry_needs_step(entry))
		etcd_entry_soon(entry);
}

static void on_gone(void *arg, const struct etcd_kv *kv)
{
	struct etcd_numbers *numbers = arg;
	struct span labels, last;
	struct etcd_entry *entry;
	uint32_t id;

	if (etcd_layout_parse_id(&numbers->options.cluster, kv->key, &id) == 0) {
		vacate(numbers, id);
	} else if (split(numbers, kv->key, "value/", &labels, &last)) {
		entry = etcd_entry_find(numbers, labels);
		if (!entry || !span_is(last, numbers->options.cluster.node))
			return;
		entry->renew =
			etcd_phase_has_number(entry->phase) && entry->phase != ETCD_UNMARKING;
		etcd_entry_soon(entry);
	} else if (split(numbers, kv->key, "locks/", &labels, &last)) {
		entry = etcd_entry_find(numbers, labels);
		if (entry)
			etcd_entry_soon(entry);
	}
}

/* After a list: is what we use still what etcd says? */
static void compare(struct etcd_entry *entry)
{
	const char *labels = etcd_registry_labels(entry->numbers->registry, entry->id);

	if (etcd_phase_has_number(entry->phase) && (!labels || strcmp(labels, entry->labels)))
		etcd_entry_doubt(entry);
}

static void on_listed(void *arg)
{
	struct etcd_numbers *numbers = arg;
	const struct etcd_cluster *cluster = &numbers->options.cluster;

	for (uint32_t id = etcd_layout_min(cluster); id <= etcd_layout_max(cluster); id++) {
		uint8_t bit, *byte = named(numbers, id, &bit);

		if (!(*byte & bit) && !etcd_registry_is_free(numbers->registry, id, UINT64_MAX))
			vacate(numbers, id);
	}
	etcd_entry_each(numbers, compare);
}

static void on_reached(void *arg, int64_t revision)
{
	struct etcd_numbers *numbers = arg;

	numbers->reached = revision;
	etcd_allocate_reached(numbers);
	etcd_entry_run(numbers);
}

struct etcd_watch_owner etcd_told_owner(struct etcd_numbers *numbers)
{
	return (struct etcd_watch_owner){
		on_list, on_put, on_gone, on_listed, on_reached, NULL, numbers};
}
