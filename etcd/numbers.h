/*
 * Numbers that several agents, and Cilium's own, share through etcd: the same
 * labels have the same number everywhere, and no number has two label sets.
 *
 * The protocol is Cilium's (pkg/kvstore/allocator): a lock for each label set,
 * a number's key that is only ever created, and for each user of it a key under
 * the user's lease, without which Cilium's garbage collection takes it back.
 * What is compared, and in which transaction:
 *
 *	known    if id/N holds our labels: note our use
 *	lock     if we have no lock yet: take a place in its queue
 *	         and look who is first, and who uses these labels
 *	create   if the lock is still ours and id/N is not there:
 *	         make it, note our use, drop the lock
 *	join     if the lock is still ours and id/N holds our labels:
 *	         note our use, drop the lock
 *
 * Between lock and create, the watch must have told us our own lock: then it
 * has told us every number that was made before, too.
 *
 * Every step may be made again, or much later than we think.
 */
#ifndef ETCD_NUMBERS_H
#define ETCD_NUMBERS_H

#include "etcd/client.h"
#include "etcd/layout.h"
#include "etcd/phase.h"
#include "ident/number.h"

struct etcd_numbers;
struct etcd_lease;

struct etcd_numbers_options {
	struct etcd_cluster cluster; /* texts are borrowed for as long as it lives */
	bool mesh;                   /* all labels must name the cluster */
	int64_t lease_s;             /* of our uses */
	uint64_t settle_ns;          /* until others know what is published, or not any more */
	uint64_t rest_ns;            /* nobody is given a number so soon after it was taken back */
	size_t max;                  /* label sets that may be wanted */
};

struct etcd_numbers_owner {
	/*
	 * These labels, which are wanted, have this number now; id 0: not yet, or not
	 * any more. From then on the number may be marked, or not: ident/number.h.
	 */
	void (*changed)(void *arg, const char *labels, struct ident_number number);
	/* etcd says that a number has these labels; NULL: none. NULL: nobody wants to know. */
	void (*learnt)(void *arg, uint32_t id, const char *labels);
	void *arg;
};

/* Nothing happens before the first tick. NULL without memory. */
struct etcd_numbers *etcd_numbers_new(struct etcd_client *client,
	const struct etcd_numbers_options *options,
	const struct etcd_numbers_owner *owner) must_check;
void etcd_numbers_free(struct etcd_numbers *numbers);

/*
 * A number for these labels is wanted from now on; before is one that they are
 * known to have had, or 0. Twice is once.
 * 0; -EINVAL labels that the cluster cannot have; -ENOSPC too many; -ENOMEM.
 */
int etcd_numbers_want(struct etcd_numbers *numbers, const char *labels, uint32_t before) must_check;
/* Not any more: it is withdrawn, in order. What is not wanted is fine. */
void etcd_numbers_unwant(struct etcd_numbers *numbers, const char *labels);

/* All that keep does not name are not wanted any more. */
void etcd_numbers_keep(
	struct etcd_numbers *numbers, bool (*keep)(void *arg, const char *labels), void *arg);

/* What changed has told last; id 0: no number. */
struct ident_number etcd_numbers_find(const struct etcd_numbers *numbers, const char *labels);
enum etcd_phase etcd_numbers_phase(const struct etcd_numbers *numbers, const char *labels);

/* Does what is due; when to call again (CLOCK_MONOTONIC, ns). */
uint64_t etcd_numbers_tick(struct etcd_numbers *numbers, uint64_t now_ns);

/* Is etcd there, our lease alive, and everything listed? */
bool etcd_numbers_is_up(const struct etcd_numbers *numbers);

/* The lease that our uses are under, for what else ends with us. Borrowed. */
struct etcd_lease *etcd_numbers_lease(struct etcd_numbers *numbers);

/* We end in order: leases are given back, and all of our uses go. Best effort. */
void etcd_numbers_goodbye(struct etcd_numbers *numbers);

struct etcd_numbers_stats {
	size_t known;               /* numbers of the range that etcd has */
	size_t phases[ETCD_PHASES]; /* wanted label sets */
	uint64_t allocated;         /* numbers made by us */
	uint64_t skipped_keys, skipped_labels, skipped_range; /* not understood, or not ours */
	uint64_t replaced; /* labels whose number became another */
	uint64_t doubts;
	size_t under_way;
};
struct etcd_numbers_stats etcd_numbers_stats(const struct etcd_numbers *numbers);

DEFINE_CLEANUP(etcd_numbers, struct etcd_numbers *, etcd_numbers_free)

#endif
