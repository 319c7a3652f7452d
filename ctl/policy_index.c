#include "ctl/policy_index.h"

#include "ctl/args.h"
#include "policy/config.h"

#include <errno.h>
#include <string.h>

static void cleanup_fn_diag(struct base_diag *diag)
{
	base_diag_done(diag);
}

enum ctl_exit ctl_policy_conf(const char *name, const char *path, struct conf **ret_conf)
{
	cleanup(diag) struct base_diag diag = {0};

	base_diag_init(&diag, path);
	if (conf_load(path, ret_conf, &diag) == 0)
		return CTL_OK;
	ctl_args_complain(name, "%s cannot be used:", path);
	base_diag_print(&diag, stderr);
	return CTL_FAILED;
}

static enum ctl_exit add_role(const char *name, const struct conf *conf,
	const struct conf_role *role, struct policy_index *index)
{
	cleanup(free) char *labels = NULL;
	char why[160] = "out of memory";
	uint32_t caller;

	if (policy_config_role(conf, role, &labels, why) == 0 &&
		policy_index_caller(index, span_of(labels), &caller) == 0)
		return CTL_OK;
	ctl_args_complain(name, "role %s: %s", role->name, why);
	return CTL_FAILED;
}

enum ctl_exit ctl_policy_index(const char *name, const struct conf *conf, const char *const *paths,
	size_t n_paths, struct policy_index **ret_index)
{
	/* The same configuration with other policies; nothing in it is written to. */
	struct conf other = *conf;
	cleanup(diag) struct base_diag diag = {0};
	cleanup(diag) struct base_diag notes = {0};
	cleanup(policy_index) struct policy_index *index = NULL;
	enum ctl_exit rc = CTL_OK;
	int err;

	other.policy.paths = (struct conf_strings){(char **)paths, n_paths};
	other.policy.mode = CONF_POLICY_ENFORCE;
	base_diag_init(&diag, name);
	err = policy_config(&other, &diag, &notes, &index);
	if (err == -ENOMEM)
		ctl_args_complain(name, "out of memory");
	for (size_t i = 0; i < diag.n_items; i++)
		ctl_args_complain(name, "%s", diag.items[i].text);
	for (size_t i = 0; !err && !rc && i < conf->n_roles; i++)
		rc = add_role(name, conf, &conf->roles[i], index);
	if (err || rc)
		return CTL_FAILED;
	*ret_index = TAKE_PTR(index);
	return CTL_OK;
}
