#include "etcd/entry.h"

#include "base/clock.h"

#include <string.h>

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

struct etcd_entry *etcd_entry_find(const struct etcd_numbers *numbers, struct span labels)
{
	struct etcd_entry *entry = *bucket(numbers, labels);

	while (entry && !span_is(labels, entry->labels))
		entry = entry->next;
	return entry;
}

struct etcd_entry *etcd_entry_new(struct etcd_numbers *numbers, const char *labels)
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

void etcd_entry_free(struct etcd_entry *entry)
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

void etcd_entry_each(struct etcd_numbers *numbers, void (*visit)(struct etcd_entry *entry))
{
	for (size_t i = 0; i < ETCD_ENTRY_BUCKETS; i++)
		for (struct etcd_entry *entry = numbers->buckets[i], *next; entry; entry = next) {
			next = entry->next;
			visit(entry);
		}
}

struct ident_number etcd_entry_number(const struct etcd_entry *entry)
{
	if (!entry || !etcd_phase_has_number(entry->phase))
		return (struct ident_number){.from = IDENT_ETCD};
	return (struct ident_number){
		.id = entry->id, .from = IDENT_ETCD, .realised = etcd_phase_may_mark(entry->phase)};
}

/* The one mover of phases. */
void etcd_entry_event(struct etcd_entry *entry, enum etcd_event event)
{
	struct etcd_numbers *numbers = entry->numbers;
	struct ident_number before = etcd_entry_number(entry), after;
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
	after = etcd_entry_number(entry);
	if (after.id != before.id || after.realised != before.realised)
		numbers->owner.changed(numbers->owner.arg, entry->labels, after);
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

bool etcd_entry_needs_step(const struct etcd_entry *entry)
{
	return entry->phase == ETCD_ASKING || entry->phase == ETCD_DOUBTED ||
	       entry->phase == ETCD_RELEASING || entry->renew;
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
		etcd_entry_free(entry);
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
	if (etcd_entry_needs_step(entry))
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
	if (etcd_entry_needs_step(entry))
		enqueue(entry);
}

void etcd_entry_doubt(struct etcd_entry *entry)
{
	etcd_entry_event(entry, ETCD_DOUBT);
	etcd_entry_soon(entry);
}

void etcd_entry_look(struct etcd_entry *entry)
{
	uint64_t now = entry->numbers->now_ns;

	if (etcd_phase_settles(entry->phase) && now >= entry->settles_ns)
		etcd_entry_event(entry, ETCD_SETTLED);
	if (etcd_entry_needs_step(entry) && now >= entry->due_ns)
		enqueue(entry);
}

void etcd_entry_run(struct etcd_numbers *numbers)
{
	while (etcd_numbers_is_up(numbers) && numbers->ready &&
		numbers->n_active < ETCD_ALLOCATIONS_MAX) {
		struct etcd_entry *entry = dequeue(numbers);

		if (!etcd_entry_needs_step(entry)) {
			etcd_entry_done(entry);
			continue;
		}
		numbers->active[numbers->n_active++] = entry;
		etcd_allocate_begin(entry);
	}
}
