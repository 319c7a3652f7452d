/* Identities made of answers, and made again for another configuration or other policies. */
#include "spoa/numbers_state.h"
#include "spoa/route.h"

#include <errno.h>

bool spoa_numbers_has_roles(const struct spoa_config *config, const char *names)
{
	struct span rest = span_of(names), name;

	while (span_next(&rest, ',', &name))
		if (spoa_config_role(config, name) == config->conf->n_roles)
			return false;
	return true;
}

bool spoa_numbers_is_fixed(const struct spoa_config *config, struct span labels)
{
	for (size_t i = 0; i < config->conf->n_roles; i++)
		if (config->conf->roles[i].number && config->roles[i].labels &&
			span_is(labels, config->roles[i].labels))
			return true;
	return false;
}

bool spoa_numbers_is_of_role(const struct spoa_config *config, uint32_t id, struct span labels)
{
	for (size_t i = 0; i < config->conf->n_roles; i++)
		if (config->conf->roles[i].number == id && config->roles[i].labels &&
			!span_is(labels, config->roles[i].labels))
			return true;
	return false;
}

int spoa_numbers_make(const struct spoa_config *config, struct spoa_policies *policies,
	const struct spoa_ask *ask, struct ident_number number, struct spoa_identity **ret)
{
	struct span labels = span_of(ask->labels);
	cleanup(spoa_identity) struct spoa_identity *made =
		spoa_identity_new(labels, span_of(ask->roles));
	int rc = 0;

	if (!made)
		return -ENOMEM;
	made->number = number;
	for (size_t i = 0; made->role < 0 && i < config->conf->n_roles; i++)
		if (config->roles[i].labels && span_is(labels, config->roles[i].labels))
			made->role = (int)i;
	if (made->role < 0)
		made->route = spoa_route_find(config->conf, made->labels);
	if (made->role < 0 && policies && policies->index)
		rc = policy_index_caller(policies->index, labels, &made->policy_caller);
	if (rc)
		return rc;
	*ret = TAKE_PTR(made);
	return 0;
}

/* The same identity for another configuration or other policies. */
static int remake(struct spoa_config *config, struct spoa_policies *policies,
	const struct spoa_identity *old, struct spoa_identities *table)
{
	const struct spoa_ask ask = {old->labels, old->roles};
	cleanup(spoa_identity) struct spoa_identity *made = NULL;
	int rc;

	if (!spoa_numbers_has_roles(config, old->roles) ||
		spoa_numbers_is_fixed(config, spoa_identity_labels(old)) ||
		spoa_numbers_is_of_role(config, old->number.id, spoa_identity_labels(old)))
		return 0;
	rc = spoa_numbers_make(config, policies, &ask, old->number, &made);
	if (rc)
		return rc;
	atomic_init(&made->used, atomic_load_explicit(&old->used, memory_order_relaxed));
	spoa_identities_put(table, config, made);
	return 0;
}

int spoa_numbers_prepare(struct spoa_numbers *numbers, struct spoa_config *config,
	struct spoa_policies *policies, struct spoa_identities **ret_table)
{
	const struct spoa_identities *old = numbers->table;
	cleanup(spoa_identities) struct spoa_identities *of_roles = spoa_identities_new(config);
	cleanup(spoa_identities) struct spoa_identities *table = NULL;
	int rc = 0;

	if (of_roles)
		table = spoa_identities_copy(of_roles, old ? old->n : 0);
	if (!table)
		return -ENOMEM;
	table->failed_at = old ? old->failed_at : 0;
	for (size_t i = 0; !rc && old && i < old->n_slots; i++)
		if (old->slots[i] && (old->slots[i]->role < 0 || config == numbers->config))
			rc = remake(config, policies, old->slots[i], table);
	if (!rc)
		*ret_table = TAKE_PTR(table);
	return rc;
}
