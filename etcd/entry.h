/*
 * Inside etcd/: one label set that is or was wanted, and where its allocation
 * stands. entry.c keeps them and moves their phases, allocate.c talks to etcd.
 */
#ifndef ETCD_ENTRY_H
#define ETCD_ENTRY_H

#include "etcd/lease.h"
#include "etcd/numbers.h"
#include "etcd/registry.h"
#include "etcd/watch.h"

/* Label sets that are being asked about at once: each has at most one call under way. */
#define ETCD_ALLOCATIONS_MAX 64
/* Cilium's: long enough to allocate, short enough to wait for when its owner has died. */
#define ETCD_LOCK_LEASE_S 25

enum etcd_step {
	ETCD_STEP_NONE,    /* nothing to do, or later */
	ETCD_STEP_KNOWN,   /* etcd has a number: noting our use */
	ETCD_STEP_LOCK,    /* asking for the lock */
	ETCD_STEP_BARRIER, /* locked; waiting until the watch has told what came before */
	ETCD_STEP_WRITE,   /* create or join */
	ETCD_STEP_RELEASE,
};

struct etcd_entry {
	struct etcd_entry *next;       /* in its bucket */
	struct etcd_entry *next_ready; /* in the queue, if ready */
	struct etcd_numbers *numbers;
	enum etcd_phase phase;
	enum etcd_step step;
	bool ready;
	bool renew;               /* our use is to be noted again, whatever the phase */
	bool creating;            /* the number's key is made by what is under way */
	bool locked;              /* there may be a lock of ours */
	uint32_t id;              /* in use, or the last one: to be had again if it can be */
	uint32_t user, candidate; /* what others use; what is tried */
	unsigned attempts;
	int64_t lock_revision;
	uint64_t due_ns, backoff_ns; /* not to be tried earlier; how long after the next failure */
	uint64_t settles_ns;         /* the phase ends then, if it ends by time */
	uint64_t barrier_ns;         /* waiting for the watch since */
	struct etcd_call *call;
	char labels[];
};

#define ETCD_ENTRY_BUCKETS ((size_t)8192)

struct etcd_numbers {
	struct etcd_client *client;
	struct etcd_numbers_options options;
	struct etcd_numbers_owner owner;
	struct etcd_registry *registry;
	struct etcd_lease *lease, *lock_lease;
	struct etcd_watch *watch;
	int64_t reached; /* the watch has told everything up to this revision; 0: it lists */
	uint8_t named[65536 / 8]; /* numbers, from the first one on, since the list began */
	struct etcd_entry *buckets[ETCD_ENTRY_BUCKETS];
	size_t n_entries;
	struct etcd_entry *ready, **ready_end;
	struct etcd_entry *active[ETCD_ALLOCATIONS_MAX];
	size_t n_active;
	uint64_t now_ns, scan_ns;
	bool over;
	struct etcd_numbers_stats stats;
};

/* allocate.c: the next step of an entry that has none under way and is due. */
void etcd_allocate_begin(struct etcd_entry *entry);
/* The watch has come further. */
void etcd_allocate_reached(struct etcd_numbers *numbers);
/*
 * A lock of ours that nobody waits for: an answer, or a request, was late. Its
 * key has our lease in its name, so nobody else's can be meant.
 */
void etcd_allocate_unlock(struct etcd_numbers *numbers, struct span key);

/* The entry of these labels, or NULL. */
struct etcd_entry *etcd_entry_find(const struct etcd_numbers *numbers, struct span labels);
/* Labels that have no entry yet get one, ABSENT. NULL without memory. */
struct etcd_entry *etcd_entry_new(struct etcd_numbers *numbers, const char *labels) must_check;
/* Only when all go: it stays in its bucket. */
void etcd_entry_free(struct etcd_entry *entry);
/* visit may end the entry. */
void etcd_entry_each(struct etcd_numbers *numbers, void (*visit)(struct etcd_entry *entry));
/* As etcd_numbers_find; NULL has none. */
struct ident_number etcd_entry_number(const struct etcd_entry *entry);

/* Is there anything to do for it at all? */
bool etcd_entry_needs_step(const struct etcd_entry *entry);
/* We can not be sure of its number any more. */
void etcd_entry_doubt(struct etcd_entry *entry);
/* Does what its timers say. */
void etcd_entry_look(struct etcd_entry *entry);
/* Begins those whose turn it is, as many as may be under way. */
void etcd_entry_run(struct etcd_numbers *numbers);

/* The one mover of phases. */
void etcd_entry_event(struct etcd_entry *entry, enum etcd_event event);

/* How a step ended. */
void etcd_entry_confirmed(struct etcd_entry *entry, uint32_t id);
void etcd_entry_later(struct etcd_entry *entry); /* it failed: again after a while */
void etcd_entry_soon(struct etcd_entry *entry);  /* again when it is its turn */
void etcd_entry_done(struct etcd_entry *entry);  /* nothing is under way any more */

#endif
