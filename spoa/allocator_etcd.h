/*
 * Numbers that agents share (etcd/numbers.h), as an allocator. What etcd has
 * confirmed is remembered in the store; an agent that starts, or goes on, without
 * etcd knows those, though it marks none of them before etcd has said so again.
 * New label sets are then refused, or, by etcd.when_away, get a local number until
 * etcd is back.
 */
#ifndef SPOA_ALLOCATOR_ETCD_H
#define SPOA_ALLOCATOR_ETCD_H

#include "spoa/allocator_local.h"
#include "spoa/etcd.h"

struct spoa_allocator_etcd;

/* Borrows both. 0 or -ENOMEM. */
int spoa_allocator_etcd_new(struct store *store, struct spoa_allocator_local *local,
	struct spoa_allocator_etcd **ret) must_check;
void spoa_allocator_etcd_free(struct spoa_allocator_etcd *allocator);

struct spoa_allocator spoa_allocator_etcd(struct spoa_allocator_etcd *allocator);

/* For struct spoa_etcd_parts: what etcd tells goes to numbers from now on. */
void spoa_allocator_etcd_owner(
	struct spoa_allocator_etcd *allocator, struct spoa_etcd_parts *parts);
void spoa_allocator_etcd_start(struct spoa_allocator_etcd *allocator, struct spoa_etcd *etcd,
	struct spoa_numbers *numbers);

/* Gives numbers what the store knows; settle afterwards. 0, -ENOMEM or -EIO. */
int spoa_allocator_etcd_restore(
	struct spoa_allocator_etcd *allocator, struct spoa_numbers *numbers) must_check;

/* The configuration is another one: its roles are wanted, and what nobody has any more is not. */
void spoa_allocator_etcd_configured(struct spoa_allocator_etcd *allocator);

DEFINE_CLEANUP(spoa_allocator_etcd, struct spoa_allocator_etcd *, spoa_allocator_etcd_free)

#endif
