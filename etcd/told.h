/*
 * Inside etcd/: what etcd says of numbers, and whom that concerns. The watch
 * tells most of it, allocate.c what it learns on its way.
 */
#ifndef ETCD_TOLD_H
#define ETCD_TOLD_H

#include "base/mem.h"
#include "base/span.h"
#include "etcd/watch.h"

#include <stdint.h>

struct etcd_numbers;

/* Who listens to the watch; as long as numbers lives. */
struct etcd_watch_owner etcd_told_owner(struct etcd_numbers *numbers);

/*
 * etcd has said whose a number is. Labels that had it and are wanted are
 * doubted. labels.n 0: somebody's. 0 or -ENOMEM.
 */
int etcd_told_number(
	struct etcd_numbers *numbers, uint32_t id, struct span labels, int64_t created) must_check;

#endif
