#include "bpfmap/events.h"

#include "bpfmap/state.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

struct bpfmap_events {
	struct ring_buffer *ring;
	void (*on_event)(void *arg, const struct bpfmap_event *event);
	void *arg;
};

static int on_sample(void *arg, void *data, size_t size)
{
	const struct bpfmap_events *events = arg;

	if (size >= sizeof(struct bpfmap_event))
		events->on_event(events->arg, data);
	return 0;
}

int bpfmap_events_open(struct bpfmap *map,
	void (*on_event)(void *arg, const struct bpfmap_event *event), void *arg,
	struct bpfmap_events **ret)
{
	cleanup(bpfmap_events) struct bpfmap_events *events = calloc(1, sizeof(*events));

	if (!events)
		return -ENOMEM;
	events->on_event = on_event;
	events->arg = arg;
	events->ring = ring_buffer__new(map->fds[BPFMAP_MAP_EVENTS], on_sample, events, NULL);
	if (!events->ring)
		return -errno;
	*ret = TAKE_PTR(events);
	return 0;
}

void bpfmap_events_close(struct bpfmap_events *events)
{
	if (!events)
		return;
	ring_buffer__free(events->ring);
	free(events);
}

int bpfmap_events_fd(const struct bpfmap_events *events)
{
	return ring_buffer__epoll_fd(events->ring);
}

int bpfmap_events_read(struct bpfmap_events *events)
{
	return ring_buffer__consume(events->ring);
}

const char *bpfmap_event_kind_name(unsigned kind)
{
	static const char *const names[] = {
		[BPFMAP_EVENT_DENY] = "deny",
		[BPFMAP_EVENT_DROP] = "drop",
		[BPFMAP_EVENT_KILL] = "kill",
	};

	return kind < ARRAY_SIZE(names) ? names[kind] : "unknown";
}

const char *bpfmap_cause_name(unsigned cause)
{
	static const char *const names[] = {
		[BPFMAP_CAUSE_NONE] = "none",
		[BPFMAP_CAUSE_REVOKED] = "revoked",
		[BPFMAP_CAUSE_EXPIRED] = "expired",
		[BPFMAP_CAUSE_DENIED] = "rule_denies",
		[BPFMAP_CAUSE_NO_RULE] = "no_rule_allows",
		[BPFMAP_CAUSE_UNMARKED] = "unmarked",
	};

	return cause < ARRAY_SIZE(names) ? names[cause] : "unknown";
}

static int add_traffic(struct bpfmap *map, const struct bpfmap_stat_key *key,
	struct bpfmap_stat *each, struct bpfmap_traffic *to)
{
	int err = bpf_map_lookup_elem(map->fds[BPFMAP_MAP_STATS], key, each);

	if (err)
		return err;
	*to = (struct bpfmap_traffic){.key = *key};
	for (int cpu = 0; cpu < map->n_cpus; cpu++) {
		to->sum.packets += each[cpu].packets;
		to->sum.bytes += each[cpu].bytes;
	}
	return 0;
}

int bpfmap_traffic(struct bpfmap *map, struct bpfmap_traffic **ret, size_t *ret_n)
{
	const size_t room = map->entries[BPFMAP_MAP_STATS];
	cleanup(free) struct bpfmap_traffic *found = calloc(room, sizeof(*found));
	cleanup(free) struct bpfmap_stat *each = calloc((size_t)map->n_cpus, sizeof(*each));
	struct bpfmap_stat_key key, next;
	size_t n = 0;
	int err;

	if (!found || !each)
		return -ENOMEM;
	err = bpf_map_get_next_key(map->fds[BPFMAP_MAP_STATS], NULL, &next);
	while (!err && n < room) {
		key = next;
		if (!add_traffic(map, &key, each, &found[n]))
			n++;
		err = bpf_map_get_next_key(map->fds[BPFMAP_MAP_STATS], &key, &next);
	}
	if (err && err != -ENOENT)
		return err;
	*ret = TAKE_PTR(found);
	*ret_n = n;
	return 0;
}
