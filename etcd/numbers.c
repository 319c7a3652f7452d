#include "etcd/numbers.h"

#include "base/clock.h"
#include "etcd/entry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How often timers of entries are looked at. */
#define SCAN_NS ((uint64_t)(20 * NS_PER_MS))
/* After a failure: this, and twice as long each time, up to the other. */
#define BACKOFF_NS     ((uint64_t)(20 * NS_PER_MS))
#define BACKOFF_MAX_NS ((uint64_t)(5 * NS_PER_S))

static struct etcd_entry **bucket(const struct etcd_numbers *numbers, struct span labels)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < labels.n; i++)
		hash = (hash ^ (unsigned char)labels.p[i]) * UINT64_C(1099511628211);
	return (struct etcd_entry **)&numbers->buckets[(hash ^ hash >> 32) % ETCD_ENTRY_BUCKETS];
}

static struct etcd_entry *find(const struct etcd_numbers *numbers, struct span labels)
{
	struct etcd_entry *entry = *bucket(numbers, labels);

	while (entry && !span_is(labels, entry->labels))
		entry = entry->next;
	return entry;
}

static struct ident_number number_of(const struct etcd_entry *entry)
{
	if (!entry || !etcd_phase_has_number(entry->phase))
		return (struct ident_number){.from = IDENT_ETCD};
	return (struct ident_number){
		.id = entry->id, .from = IDENT_ETCD, .realised = etcd_phase_may_mark(entry->phase)};
}

static void enqueue(struct etcd_entry *entry)
{
	struct etcd_numbers *numbers = entry->numbers;

	if (entry->ready || entry->step != ETCD_STEP_NONE)
		return;
	entry->ready = true;
	entry->next_ready = NULL;
	*numbers->ready_end = entry;
	numbers->ready_end = &entry->next_ready;
}

static struct etcd_entry *dequeue(struct etcd_numbers *numbers)
{
	struct etcd_entry *entry = numbers->ready;

	numbers->ready = entry->next_ready;
	if (!numbers->ready)
		numbers->ready_end = &numbers->ready;
	entry->ready = false;
	return entry;
}

static bool needs_step(const struct etcd_entry *entry)
{
	return entry->phase == ETCD_ASKING || entry->phase == ETCD_DOUBTED ||
	       entry->phase == ETCD_RELEASING || entry->renew;
}

/* The one mover of phases. */
void etcd_entry_event(struct etcd_entry *entry, enum etcd_event event)
{
	struct etcd_numbers *numbers = entry->numbers;
	struct ident_number before = number_of(entry), after;
	enum etcd_phase phase = etcd_phase_after(entry->phase, event);

	if (phase == entry->phase)
		return;
	numbers->stats.phases[entry->phase]--;
	numbers->stats.phases[phase]++;
	numbers->stats.doubts += phase == ETCD_DOUBTED;
	entry->phase = phase;
	entry->settles_ns = numbers->now_ns + numbers->options.settle_ns;
	if (phase == ETCD_UNMARKING)
		entry->renew = false;
	after = number_of(entry);
	if (after.id != before.id || after.realised != before.realised)
		numbers->owner.changed(numbers->owner.arg, entry->labels, after);
}

static void entry_free(struct etcd_entry *entry)
{
	etcd_client_drop(entry->numbers->client, entry->call);
	free(entry);
}

static void unlink_entry(struct etcd_entry *entry)
{
	struct etcd_entry **at = bucket(entry->numbers, span_of(entry->labels));

	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	entry->numbers->n_entries--;
	entry->numbers->stats.phases[entry->phase]--;
}

void etcd_entry_done(struct etcd_entry *entry)
{
	struct etcd_numbers *numbers = entry->numbers;

	entry->step = ETCD_STEP_NONE;
	for (size_t i = 0; i < numbers->n_active; i++)
		if (numbers->active[i] == entry) {
			numbers->active[i] = numbers->active[--numbers->n_active];
			break;
		}
	if (entry->phase == ETCD_ABSENT && !entry->ready) {
		unlink_entry(entry);
		entry_free(entry);
	}
}

void etcd_entry_later(struct etcd_entry *entry)
{
	etcd_entry_done(entry);
	if (entry->backoff_ns < BACKOFF_NS)
		entry->backoff_ns = BACKOFF_NS;
	entry->due_ns = entry->numbers->now_ns + entry->backoff_ns;
	entry->backoff_ns *= 2;
	if (entry->backoff_ns > BACKOFF_MAX_NS)
		entry->backoff_ns = BACKOFF_MAX_NS;
}

void etcd_entry_soon(struct etcd_entry *entry)
{
	entry->due_ns = 0;
	if (needs_step(entry))
		enqueue(entry);
}

void etcd_entry_confirmed(struct etcd_entry *entry, uint32_t id)
{
	struct etcd_numbers *numbers = entry->numbers;
	etcd_key_buf key;

	if (entry->locked) { /* another way was faster than the lock */
		entry->locked = false;
		etcd_allocate_unlock(
			numbers, etcd_layout_lock(&numbers->options.cluster, entry->labels,
					 etcd_lease_id(numbers->lock_lease), key));
	}
	entry->backoff_ns = 0;
	entry->renew = false;
	etcd_entry_done(entry);
	if (entry->id && entry->id != id) {
		numbers->stats.replaced++;
		etcd_entry_event(entry, ETCD_REPLACE);
	}
	entry->id = id;
	etcd_entry_event(entry, ETCD_CONFIRM);
	if (needs_step(entry))
		enqueue(entry);
}

static void run_ready(struct etcd_numbers *numbers)
{
	while (etcd_numbers_is_up(numbers) && numbers->ready &&
		numbers->n_active < ETCD_ALLOCATIONS_MAX) {
		struct etcd_entry *entry = dequeue(numbers);

		if (!needs_step(entry)) {
			etcd_entry_done(entry);
			continue;
		}
		numbers->active[numbers->n_active++] = entry;
		etcd_allocate_begin(entry);
	}
}

static void doubt(struct etcd_entry *entry)
{
	etcd_entry_event(entry, ETCD_DOUBT);
	etcd_entry_soon(entry);
}

static void for_each(struct etcd_numbers *numbers, void (*visit)(struct etcd_entry *entry))
{
	for (size_t i = 0; i < ETCD_ENTRY_BUCKETS; i++)
		for (struct etcd_entry *entry = numbers->buckets[i], *next; entry; entry = next) {
			next = entry->next;
			visit(entry);
		}
}

static void on_lease(void *arg)
{
	run_ready(arg);
}

static void on_lease_ended(void *arg)
{
	for_each(arg, doubt);
}

static void nothing(void *arg)
{
	(void)arg;
}

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

int etcd_entry_owner(struct etcd_numbers *numbers, uint32_t id, struct span labels, int64_t created)
{
	const char *text = etcd_registry_labels(numbers->registry, id);
	bool same = text && labels.n && span_is(labels, text);
	struct etcd_entry *former = text && !same ? find(numbers, span_of(text)) : NULL;
	int rc = etcd_registry_set(numbers->registry, id, labels, created);
	uint8_t bit, *byte = named(numbers, id, &bit);

	*byte |= bit;
	if (!rc && !same)
		learnt(numbers, id, etcd_registry_labels(numbers->registry, id));
	if (former && former->id == id)
		doubt(former);
	return rc;
}

/* The number is nobody's any more. */
static void vacate(struct etcd_numbers *numbers, uint32_t id)
{
	const char *text = etcd_registry_labels(numbers->registry, id);
	struct etcd_entry *entry = text ? find(numbers, span_of(text)) : NULL;

	etcd_registry_clear(numbers->registry, id, numbers->now_ns + numbers->options.rest_ns);
	learnt(numbers, id, NULL);
	if (entry && entry->id == id)
		doubt(entry);
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
	entry = find(numbers, labels);
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
	if (etcd_entry_owner(numbers, id, labels, kv->created))
		return; /* whoever tries it is told by etcd */
	entry = labels.n ? find(numbers, labels) : NULL;
	if (entry && needs_step(entry))
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
		entry = find(numbers, labels);
		if (!entry || !span_is(last, numbers->options.cluster.node))
			return;
		entry->renew =
			etcd_phase_has_number(entry->phase) && entry->phase != ETCD_UNMARKING;
		etcd_entry_soon(entry);
	} else if (split(numbers, kv->key, "locks/", &labels, &last)) {
		entry = find(numbers, labels);
		if (entry)
			etcd_entry_soon(entry);
	}
}

/* After a list: is what we use still what etcd says? */
static void compare(struct etcd_entry *entry)
{
	const char *labels = etcd_registry_labels(entry->numbers->registry, entry->id);

	if (etcd_phase_has_number(entry->phase) && (!labels || strcmp(labels, entry->labels)))
		doubt(entry);
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
	for_each(numbers, compare);
}

static void on_reached(void *arg, int64_t revision)
{
	struct etcd_numbers *numbers = arg;

	numbers->reached = revision;
	etcd_allocate_reached(numbers);
	run_ready(numbers);
}

static bool make_parts(struct etcd_numbers *numbers)
{
	const struct etcd_cluster *cluster = &numbers->options.cluster;
	const struct etcd_lease_owner owner = {on_lease, on_lease_ended, numbers};
	const struct etcd_lease_owner lock_owner = {on_lease, nothing, numbers};
	const struct etcd_watch_owner watch_owner = {
		on_list, on_put, on_gone, on_listed, on_reached, NULL, numbers};
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
	for_each(numbers, entry_free);
	etcd_watch_free(numbers->watch);
	etcd_lease_free(numbers->lock_lease);
	etcd_lease_free(numbers->lease);
	etcd_registry_free(numbers->registry);
	free(numbers);
}

static struct etcd_entry *entry_new(struct etcd_numbers *numbers, const char *labels)
{
	size_t n = strlen(labels);
	struct etcd_entry *entry = calloc(1, sizeof(*entry) + n + 1);
	struct etcd_entry **at;

	if (!entry)
		return NULL;
	memcpy(entry->labels, labels, n + 1);
	entry->numbers = numbers;
	entry->phase = ETCD_ABSENT;
	numbers->stats.phases[ETCD_ABSENT]++;
	numbers->n_entries++;
	at = bucket(numbers, span_of(labels));
	entry->next = *at;
	*at = entry;
	return entry;
}

int etcd_numbers_want(struct etcd_numbers *numbers, const char *labels, uint32_t before)
{
	struct etcd_entry *entry = find(numbers, span_of(labels));
	int rc = etcd_layout_labels_check(
		&numbers->options.cluster, span_of(labels), numbers->options.mesh);

	if (rc)
		return rc;
	if (!entry && numbers->n_entries >= numbers->options.max)
		return -ENOSPC;
	if (!entry)
		entry = entry_new(numbers, labels);
	if (!entry)
		return -ENOMEM;
	if (!entry->id && etcd_layout_has(&numbers->options.cluster, before))
		entry->id = before;
	etcd_entry_event(entry, ETCD_WANT);
	etcd_entry_soon(entry);
	run_ready(numbers);
	return 0;
}

void etcd_numbers_unwant(struct etcd_numbers *numbers, const char *labels)
{
	struct etcd_entry *entry = find(numbers, span_of(labels));

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
	return number_of(find(numbers, span_of(labels)));
}

enum etcd_phase etcd_numbers_phase(const struct etcd_numbers *numbers, const char *labels)
{
	const struct etcd_entry *entry = find(numbers, span_of(labels));

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

static void look(struct etcd_entry *entry)
{
	uint64_t now = entry->numbers->now_ns;

	if (etcd_phase_settles(entry->phase) && now >= entry->settles_ns)
		etcd_entry_event(entry, ETCD_SETTLED);
	if (needs_step(entry) && now >= entry->due_ns)
		enqueue(entry);
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
		for_each(numbers, look);
		etcd_allocate_reached(numbers);
		numbers->scan_ns = now_ns + SCAN_NS;
	}
	run_ready(numbers);
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
