#include "spoa/policies.h"

#include "policy/config.h"
#include "spoa/log.h"

#include <errno.h>

static int add_roles(
	const struct spoa_config *config, struct base_diag *diag, struct spoa_policies *policies)
{
	const struct conf *conf = config->conf;
	int err = 0;

	policies->callers = calloc(conf->n_roles + 1, sizeof(*policies->callers));
	if (!policies->callers)
		return -ENOMEM;
	for (size_t i = 0; !err && i < conf->n_roles; i++) {
		const struct ident_role *role = &config->roles[i];

		/* The index has the roles in their order; a templated one is never asked about. */
		err = policy_index_caller(
			policies->index, span_of(role->labels), &policies->callers[i]);
		if (role->route && policy_index_find(policies->index, span_of(role->route)) < 0)
			base_diag_add(diag, conf->roles[i].pos.line, conf->roles[i].pos.column,
				"role %s: its route %.60s is not in services, so no policy can be "
				"applied",
				role->name, role->route);
	}
	return err;
}

int spoa_policies_new(
	const struct spoa_config *config, struct base_diag *diag, struct spoa_policies **ret)
{
	cleanup(spoa_policies) struct spoa_policies *policies = calloc(1, sizeof(*policies));
	size_t found = diag->n_found;
	int err;

	if (!policies)
		return -ENOMEM;
	atomic_init(&policies->refs, 1);
	base_diag_init(&policies->notes, diag->file);
	err = policy_config(config->conf, diag, &policies->notes, &policies->index);
	if (!err && policies->index)
		err = add_roles(config, diag, policies);
	if (!err && diag->n_found != found)
		err = -EINVAL;
	if (err)
		return err;
	*ret = TAKE_PTR(policies);
	return 0;
}

struct spoa_policies *spoa_policies_ref(struct spoa_policies *policies)
{
	if (policies)
		atomic_fetch_add_explicit(&policies->refs, 1, memory_order_relaxed);
	return policies;
}

void spoa_policies_unref(struct spoa_policies *policies)
{
	if (!policies || atomic_fetch_sub_explicit(&policies->refs, 1, memory_order_acq_rel) != 1)
		return;
	policy_index_free(policies->index);
	base_diag_done(&policies->notes);
	free(policies->callers);
	free(policies);
}

void spoa_policies_log(const struct spoa_policies *policies)
{
	const struct policy_set *set = policies->index ? policy_index_set(policies->index) : NULL;
	struct base_log log;

	for (size_t i = 0; i < policies->notes.n_items; i++)
		spoa_log(BASE_LOG_INFO, "policy_note", "text", policies->notes.items[i].text);
	if (!set || !spoa_log_open(&log, BASE_LOG_INFO, "policies"))
		return;
	base_log_int(&log, "policies", (int64_t)policy_set_policies(set));
	base_log_int(&log, "rules", (int64_t)policy_set_rules(set));
	base_log_int(&log, "services", (int64_t)policy_index_services(policies->index));
	spoa_log_close(&log);
}
