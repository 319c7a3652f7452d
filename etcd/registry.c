#include "etcd/registry.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUCKETS ((size_t)16384)

struct owner {
	struct owner *next; /* in its bucket */
	uint32_t id;
	int64_t created;
	char labels[];
};

struct number {
	bool taken;
	struct owner *owner; /* NULL: of labels that we do not understand */
	uint64_t rests_until;
};

struct etcd_registry {
	uint32_t min, max;
	size_t n_taken;
	uint64_t seed;
	struct owner *buckets[BUCKETS];
	struct number numbers[];
};

struct etcd_registry *etcd_registry_new(uint32_t min, uint32_t max)
{
	struct etcd_registry *registry;

	assert(min && min <= max && max - min < 65536);
	registry = calloc(1, sizeof(*registry) + (max - min + 1) * sizeof(struct number));
	if (!registry)
		return NULL;
	registry->min = min;
	registry->max = max;
	if (getrandom(&registry->seed, sizeof(registry->seed), 0) != sizeof(registry->seed))
		registry->seed = (uintptr_t)registry;
	return registry;
}

void etcd_registry_free(struct etcd_registry *registry)
{
	if (registry)
		etcd_registry_forget(registry);
	free(registry);
}

static struct number *number_of(const struct etcd_registry *registry, uint32_t id)
{
	if (id < registry->min || id > registry->max)
		return NULL;
	return (struct number *)&registry->numbers[id - registry->min];
}

/* FNV-1a; the seed is nobody's to know. */
static struct owner **bucket(const struct etcd_registry *registry, const char *labels, size_t n)
{
	uint64_t hash = UINT64_C(14695981039346656037) ^ registry->seed;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)labels[i]) * UINT64_C(1099511628211);
	return (struct owner **)&registry->buckets[(hash ^ hash >> 32) % BUCKETS];
}

static void unlink_owner(struct etcd_registry *registry, struct owner *owner)
{
	struct owner **at = bucket(registry, owner->labels, strlen(owner->labels));

	while (*at != owner)
		at = &(*at)->next;
	*at = owner->next;
	free(owner);
}

static void give_up(struct etcd_registry *registry, struct number *number)
{
	if (number->owner)
		unlink_owner(registry, TAKE_PTR(number->owner));
	registry->n_taken -= number->taken;
	number->taken = false;
}

int etcd_registry_set(
	struct etcd_registry *registry, uint32_t id, struct span labels, int64_t created)
{
	struct number *number = number_of(registry, id);
	struct owner *owner = NULL;
	struct owner **at;

	assert(number);
	if (labels.n) {
		owner = malloc(sizeof(*owner) + labels.n + 1);
		if (!owner)
			return -ENOMEM;
		owner->id = id;
		owner->created = created;
		memcpy(owner->labels, labels.p, labels.n);
		owner->labels[labels.n] = '\0';
		at = bucket(registry, labels.p, labels.n);
		owner->next = *at;
		*at = owner;
	}
	give_up(registry, number);
	number->owner = owner;
	number->taken = true;
	registry->n_taken++;
	return 0;
}

void etcd_registry_clear(struct etcd_registry *registry, uint32_t id, uint64_t rest_until)
{
	struct number *number = number_of(registry, id);

	if (!number)
		return;
	give_up(registry, number);
	number->rests_until = rest_until;
}

void etcd_registry_forget(struct etcd_registry *registry)
{
	for (uint32_t i = 0; i <= registry->max - registry->min; i++)
		give_up(registry, &registry->numbers[i]);
}

const char *etcd_registry_labels(const struct etcd_registry *registry, uint32_t id)
{
	const struct number *number = number_of(registry, id);

	return number && number->owner ? number->owner->labels : NULL;
}

uint32_t etcd_registry_id(const struct etcd_registry *registry, const char *labels)
{
	const struct owner *best = NULL;

	for (const struct owner *o = *bucket(registry, labels, strlen(labels)); o; o = o->next)
		if (!strcmp(o->labels, labels) &&
			(!best || o->created < best->created ||
				(o->created == best->created && o->id < best->id)))
			best = o;
	return best ? best->id : 0;
}

bool etcd_registry_is_free(const struct etcd_registry *registry, uint32_t id, uint64_t now_ns)
{
	const struct number *number = number_of(registry, id);

	return number && !number->taken && now_ns >= number->rests_until;
}

uint32_t etcd_registry_pick(struct etcd_registry *registry, uint64_t now_ns)
{
	uint32_t n = registry->max - registry->min + 1;
	uint32_t start = 0;

	if (getrandom(&start, sizeof(start), 0) != sizeof(start))
		start = (uint32_t)now_ns;
	start %= n;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t id = registry->min + (start + i) % n;

		if (etcd_registry_is_free(registry, id, now_ns))
			return id;
	}
	return 0;
}

size_t etcd_registry_count(const struct etcd_registry *registry)
{
	return registry->n_taken;
}
