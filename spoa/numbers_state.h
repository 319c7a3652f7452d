/* What the files of spoa/numbers.h share: its inside, what is wanted, what is made of an answer. */
#ifndef SPOA_NUMBERS_STATE_H
#define SPOA_NUMBERS_STATE_H

#include "spoa/log.h"
#include "spoa/numbers.h"

#include <pthread.h>

/* A set on its way, from the worker that wants it to its answer. */
struct spoa_wanted {
	uint64_t hash;
	size_t n_labels;
	const char *roles; /* behind labels */
	bool asked;
	char labels[];
};

struct spoa_numbers {
	struct spoa_allocator allocator;
	struct spoa_numbers_owner owner;
	struct spoa_metrics *metrics;
	struct spoa_log_limit lines;
	struct spoa_config *config;
	struct spoa_policies *policies;
	struct spoa_identities *table;
	struct spoa_identities *gone; /* the one before another configuration came */

	/* Answers that are not in the table yet. */
	struct spoa_identity **fresh;
	size_t n_fresh, room_fresh;
	bool failed;

	pthread_mutex_t lock; /* of wanted */
	struct spoa_wanted *wanted[SPOA_NUMBERS_WANTED];
	size_t n_wanted;
};

/* spoa/wanted.c. Forgets a set: it has its answer. */
void spoa_wanted_forget(struct spoa_numbers *numbers, struct span labels);

/*
 * What nobody was asked about yet, and there is room for; it counts as asked
 * from now on. A set that got its number meanwhile is wanted no more. The texts
 * live until the set is forgotten.
 */
size_t spoa_wanted_take(struct spoa_numbers *numbers, struct spoa_ask asks[SPOA_NUMBERS_WANTED]);

/* spoa/numbers_made.c. Does the configuration still have each of these roles? */
bool spoa_numbers_has_roles(const struct spoa_config *config, const char *names);

/* The configuration's own word about a set, and about a number, counts before any other. */
bool spoa_numbers_is_fixed(const struct spoa_config *config, struct span labels);
bool spoa_numbers_is_of_role(const struct spoa_config *config, uint32_t id, struct span labels);

/*
 * An identity that policies and routes know: of a role, or one that came up
 * with a caller. 0, -ENOMEM, or what policy_index_caller says.
 */
int spoa_numbers_make(const struct spoa_config *config, struct spoa_policies *policies,
	const struct spoa_ask *ask, struct ident_number number,
	struct spoa_identity **ret) must_check;

#endif
