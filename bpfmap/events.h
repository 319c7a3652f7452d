/* What the programs report: the agent's end of the ring buffer. One reader on a node. */
#ifndef BPFMAP_EVENTS_H
#define BPFMAP_EVENTS_H

#include "bpfmap/bpfmap.h"

struct bpfmap_events;

/* Events come when bpfmap_events_read is called. 0, -ENOMEM, or -errno. */
int bpfmap_events_open(struct bpfmap *map,
	void (*on_event)(void *arg, const struct bpfmap_event *event), void *arg,
	struct bpfmap_events **ret) must_check;
void bpfmap_events_close(struct bpfmap_events *events);

/* A descriptor that is readable when there are some; owned by events. */
int bpfmap_events_fd(const struct bpfmap_events *events);

/* Hands over what is there. The number, or -errno. */
int bpfmap_events_read(struct bpfmap_events *events) must_check;

/* Words for logs. */
const char *bpfmap_event_kind_name(unsigned kind);
const char *bpfmap_cause_name(unsigned cause);

/* Packets and bytes of one identity and verdict, summed over CPUs. */
struct bpfmap_traffic {
	struct bpfmap_stat_key key;
	struct bpfmap_stat sum;
};

/*
 * All of stats. The caller frees *ret. What begins meanwhile may be missed. 0,
 * -ENOMEM, or -errno.
 */
int bpfmap_traffic(struct bpfmap *map, struct bpfmap_traffic **ret, size_t *ret_n) must_check;

DEFINE_CLEANUP(bpfmap_events, struct bpfmap_events *, bpfmap_events_close)

#endif
