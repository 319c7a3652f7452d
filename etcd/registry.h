/*
 * Which number has which labels, as etcd has told so far: of one cluster's
 * range, numbers with labels that we do not understand included, since they
 * are taken, too.
 */
#ifndef ETCD_REGISTRY_H
#define ETCD_REGISTRY_H

#include "base/mem.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct etcd_registry;

/* Numbers from min to max. NULL without memory. */
struct etcd_registry *etcd_registry_new(uint32_t min, uint32_t max) must_check;
void etcd_registry_free(struct etcd_registry *registry);

/* The number has these labels since that revision. labels.n 0: somebody's. 0 or -ENOMEM. */
int etcd_registry_set(struct etcd_registry *registry, uint32_t id, struct span labels,
	int64_t created) must_check;
/* It has none any more; nobody is given it before rest_until. */
void etcd_registry_clear(struct etcd_registry *registry, uint32_t id, uint64_t rest_until);
/* Nothing is known. What rests goes on resting. */
void etcd_registry_forget(struct etcd_registry *registry);

/* The labels of a number, NULL: none that we understand, or not known. */
const char *etcd_registry_labels(const struct etcd_registry *registry, uint32_t id);
/* The number of the labels: of several the one that was first; 0: none. */
uint32_t etcd_registry_id(const struct etcd_registry *registry, const char *labels);
/* May it be given to somebody? */
bool etcd_registry_is_free(const struct etcd_registry *registry, uint32_t id, uint64_t now_ns);
/* A free number, by chance, so that two agents seldom try the same; 0: all are taken. */
uint32_t etcd_registry_pick(struct etcd_registry *registry, uint64_t now_ns);

size_t etcd_registry_count(const struct etcd_registry *registry);

DEFINE_CLEANUP(etcd_registry, struct etcd_registry *, etcd_registry_free)

#endif
