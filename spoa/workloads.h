/*
 * What is known about workloads at this moment, besides the configuration:
 * Cilium's ipcache, and what its numbers mean, from a file and from whoever
 * else learns it (etcd). The main thread keeps it; each change is a new
 * struct spoa_workloads for the next snapshot.
 */
#ifndef SPOA_WORKLOADS_H
#define SPOA_WORKLOADS_H

#include "base/mem.h"
#include "bpfmap/ipcache.h"
#include "conf/conf.h"
#include "ident/directory.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Immutable, reference counted, part of snapshots. */
struct spoa_workloads {
	atomic_uint refs;
	struct bpfmap_ipcache *ipcache; /* owned; NULL: not configured, or lost */
	bool lost; /* configured, and not to be had: nobody can be known by it */
	struct ident_directory *file, *learnt; /* one reference each, or NULL */
};

struct spoa_workloads *spoa_workloads_ref(struct spoa_workloads *workloads);
void spoa_workloads_unref(struct spoa_workloads *workloads);

/* Canonical labels of a number, borrowed; empty when nobody knows. */
struct span spoa_workloads_labels(const struct spoa_workloads *workloads, uint32_t number);

/* Main thread only. */
struct spoa_workload_watch;

/* What is there now is read at once. NULL without memory. */
struct spoa_workload_watch *spoa_workload_watch_new(const struct conf *conf) must_check;
void spoa_workload_watch_free(struct spoa_workload_watch *watch);

/*
 * Once a second: is the pin still what is open, has the file changed, was
 * something learnt? true: spoa_workload_watch_now is another one.
 */
bool spoa_workload_watch_look(struct spoa_workload_watch *watch);

/* One reference; NULL while there is nothing at all. */
struct spoa_workloads *spoa_workload_watch_now(struct spoa_workload_watch *watch) must_check;

/*
 * Somebody has learnt what a number means, or (labels NULL) that nobody has it
 * any more. In force from the next look on. 0, -EINVAL labels that are not
 * canonical, -E2BIG, -ENOMEM: then nothing that was learnt about it counts any more.
 */
int spoa_workload_watch_learn(
	struct spoa_workload_watch *watch, uint32_t number, const char *labels) must_check;

/* For status: {"ipcache": {...}, "labels": N, ...}; null without a watch. A new reference. */
json_t *spoa_workload_watch_status(const struct spoa_workload_watch *watch) must_check;

/* Is something configured that is not there? */
bool spoa_workload_watch_lost(const struct spoa_workload_watch *watch);

DEFINE_CLEANUP(spoa_workloads, struct spoa_workloads *, spoa_workloads_unref)

#endif
