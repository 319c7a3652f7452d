/* Label sets that want a number: what workers ask for, and how many there may be. */
#include "spoa/numbers_state.h"

#include <string.h>

static struct spoa_wanted *copy(struct span labels, struct span roles, uint64_t hash)
{
	struct spoa_wanted *wanted = calloc(1, sizeof(*wanted) + labels.n + roles.n + 2);

	if (!wanted)
		return NULL;
	wanted->hash = hash;
	wanted->n_labels = labels.n;
	memcpy(wanted->labels, labels.p, labels.n);
	if (roles.n)
		memcpy(wanted->labels + labels.n + 1, roles.p, roles.n);
	wanted->roles = wanted->labels + labels.n + 1;
	return wanted;
}

/* Its place among what is wanted, or -1. */
static int find_wanted(const struct spoa_numbers *numbers, uint64_t hash, struct span labels)
{
	for (size_t i = 0; i < numbers->n_wanted; i++)
		if (numbers->wanted[i]->hash == hash && span_is(labels, numbers->wanted[i]->labels))
			return (int)i;
	return -1;
}

void spoa_numbers_want(struct spoa_numbers *numbers, struct span labels, struct span roles)
{
	uint64_t hash = spoa_identity_hash(labels);
	struct spoa_wanted *wanted;

	pthread_mutex_lock(&numbers->lock);
	if (numbers->n_wanted < SPOA_NUMBERS_WANTED && find_wanted(numbers, hash, labels) < 0) {
		wanted = copy(labels, roles, hash);
		if (wanted)
			numbers->wanted[numbers->n_wanted++] = wanted;
	}
	pthread_mutex_unlock(&numbers->lock);
	numbers->owner.wake(numbers->owner.arg);
}

void spoa_wanted_forget(struct spoa_numbers *numbers, struct span labels)
{
	int i;

	pthread_mutex_lock(&numbers->lock);
	i = find_wanted(numbers, spoa_identity_hash(labels), labels);
	if (i >= 0) {
		free(numbers->wanted[i]);
		numbers->wanted[i] = numbers->wanted[--numbers->n_wanted];
	}
	pthread_mutex_unlock(&numbers->lock);
}

static bool names_it(const char *names, struct span role)
{
	struct span rest = span_of(names), name;

	while (span_next(&rest, ',', &name))
		if (span_eq(name, role))
			return true;
	return false;
}

/* Those on their way into the table: asked about, or answered. Of one role, or (empty) of all. */
static size_t coming(const struct spoa_numbers *numbers, struct span role)
{
	size_t n = 0;

	for (size_t i = 0; i < numbers->n_wanted; i++)
		n += numbers->wanted[i]->asked && *numbers->wanted[i]->roles &&
		     (!role.n || names_it(numbers->wanted[i]->roles, role));
	for (size_t i = 0; i < numbers->n_fresh; i++)
		n += !role.n || names_it(numbers->fresh[i]->roles, role);
	return n;
}

/* May there be one more with these roles? Workers looked, too, but each at the table that it had. */
static bool has_room(const struct spoa_numbers *numbers, const char *roles)
{
	const struct spoa_config *config = numbers->config;
	struct span rest = span_of(roles), name;

	if (numbers->table->n_dynamic + coming(numbers, (struct span){0}) >=
		(size_t)config->conf->identity.max)
		return false;
	while (span_next(&rest, ',', &name)) {
		size_t i = spoa_config_role(config, name);

		if (i < config->conf->n_roles && config->roles[i].template &&
			numbers->table->of_each[i] + coming(numbers, name) >=
				(uint64_t)config->conf->roles[i].max_identities)
			return false;
	}
	return true;
}

size_t spoa_wanted_take(struct spoa_numbers *numbers, struct spoa_ask asks[SPOA_NUMBERS_WANTED])
{
	size_t n = 0;

	pthread_mutex_lock(&numbers->lock);
	for (size_t i = 0; i < numbers->n_wanted;) {
		struct spoa_wanted *one = numbers->wanted[i];
		struct span labels = {one->labels, one->n_labels};
		bool dynamic = *one->roles;

		if (one->asked) {
			i++;
		} else if (spoa_identities_find(numbers->table, one->hash, labels) ||
			   (dynamic && !has_room(numbers, one->roles))) {
			free(one);
			numbers->wanted[i] = numbers->wanted[--numbers->n_wanted];
		} else {
			one->asked = true;
			asks[n++] = (struct spoa_ask){one->labels, one->roles};
			i++;
		}
	}
	pthread_mutex_unlock(&numbers->lock);
	return n;
}
