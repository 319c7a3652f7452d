/*
 * Who gives out numbers: label sets in, identities out. Workers want a number
 * for a set that has none; the main thread asks the allocator, has the kernel
 * told, and makes the next table of identities. It is the only place that
 * makes such tables while the daemon runs.
 */
#ifndef SPOA_NUMBERS_H
#define SPOA_NUMBERS_H

#include "spoa/config.h"
#include "spoa/identities.h"
#include "spoa/metrics.h"
#include "spoa/policies.h"

#define SPOA_NUMBERS_WANTED 256 /* sets that wait for their number at a time; more wait in vain */

struct spoa_numbers;

/* A set that is to have a number. Borrowed, until it is answered. */
struct spoa_ask {
	const char *labels; /* canonical */
	const char *roles;  /* that made it, with commas; "": a role's own labels */
};

/*
 * Where numbers come from: the store of this node (spoa/allocator_local.c), or
 * one that several share. Called on the main thread, must not block for long.
 */
struct spoa_allocator {
	/*
	 * Each set is answered once, during the call or later, by
	 * spoa_numbers_answer or spoa_numbers_failed; after answers that came
	 * later, spoa_numbers_settle.
	 */
	void (*ask)(void *arg, struct spoa_numbers *numbers, const struct spoa_ask *asks, size_t n);
	/* These labels are in the table no longer, and need no number. NULL: nobody minds. */
	void (*gone)(void *arg, const char *labels);
	void *arg;
};

struct spoa_numbers_owner {
	/*
	 * The kernel is to know an identity before anybody is it. 0, or -errno
	 * with a sentence in why: then it does not come to be. NULL: nobody minds.
	 */
	int (*appear)(void *arg, uint32_t id, struct span labels, char why[STORE_WHY]);
	/* In no snapshot these labels have this number any more; others may have it by now. */
	void (*go)(void *arg, uint32_t id, struct span labels);
	void (*changed)(void *arg); /* there is a new table */
	void (*wake)(void *arg);    /* from any thread: spoa_numbers_send is due */
	void *arg;
};

/* Borrows metrics. NULL without memory. */
struct spoa_numbers *spoa_numbers_new(const struct spoa_allocator *allocator,
	const struct spoa_numbers_owner *owner, struct spoa_metrics *metrics) must_check;
void spoa_numbers_free(struct spoa_numbers *numbers);

DEFINE_CLEANUP(spoa_numbers, struct spoa_numbers *, spoa_numbers_free)

/*
 * For a configuration with its policies: the table anew, of its roles and of
 * those identities that came up with callers whose roles it still has. 0 and
 * one reference, or -errno; nothing has changed yet.
 */
int spoa_numbers_prepare(struct spoa_numbers *numbers, struct spoa_config *config,
	struct spoa_policies *policies, struct spoa_identities **ret_table) must_check;
/* Takes over what was prepared with these two, and is in force then. changed is not called. */
void spoa_numbers_adopt(struct spoa_numbers *numbers, struct spoa_config *config,
	struct spoa_policies *policies, struct spoa_identities *table);

/* It is in a snapshot: the kernel forgets the identities that went with the former one. */
void spoa_numbers_published(struct spoa_numbers *numbers);

/* Those in force; borrowed. */
const struct spoa_config *spoa_numbers_config(const struct spoa_numbers *numbers);

/* The present table, borrowed. */
struct spoa_identities *spoa_numbers_table(const struct spoa_numbers *numbers);

/* Borrowed: what these labels are by the last answer, settled or not; or NULL. */
const struct spoa_identity *spoa_numbers_find(
	const struct spoa_numbers *numbers, struct span labels);

/* From any thread; texts are copied. */
void spoa_numbers_want(struct spoa_numbers *numbers, struct span labels, struct span roles);

/* On the main thread: asks for what is wanted, and settles what is answered at once. */
void spoa_numbers_send(struct spoa_numbers *numbers);

/*
 * A number for a set. What the set had before is replaced: so a local number
 * becomes a shared one; but not what the configuration fixed. The kernel hears of it now, workers when it is settled.
 */
void spoa_numbers_answer(
	struct spoa_numbers *numbers, const struct spoa_ask *ask, struct ident_number number);
void spoa_numbers_failed(struct spoa_numbers *numbers, const struct spoa_ask *ask, const char *why);

/* An identity that was known before, with when it was used; for the start. */
void spoa_numbers_restore(struct spoa_numbers *numbers, const struct spoa_ask *ask,
	struct ident_number number, int64_t used_s);

/* Makes the table that holds all answers so far; calls changed when it is another. */
void spoa_numbers_settle(struct spoa_numbers *numbers);

/*
 * Takes those away of which gone says so: out of the table, and after changed,
 * when no new snapshot has them, out of the kernel. 0 or -ENOMEM.
 */
int spoa_numbers_withdraw(struct spoa_numbers *numbers,
	bool (*gone)(void *arg, const struct spoa_identity *identity), void *arg) must_check;

#endif
