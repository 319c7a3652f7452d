/*
 * The configuration's part that concerns policies, made ready: reads the
 * files, adds the services. Used by the daemon and by identityctl.
 */
#ifndef POLICY_CONFIG_H
#define POLICY_CONFIG_H

#include "conf/conf.h"
#include "policy/index.h"

/*
 * NULL in *ret_index, and 0, when the configuration names no policy. Mistakes
 * go to diag: those of the configuration with their place there, those of
 * policy files as "FILE:LINE:COLUMN: text" at policy.paths. Notes (egress is
 * not enforced) go to notes the same way. 0, -EINVAL or -ENOMEM.
 */
int policy_config(const struct conf *conf, struct base_diag *diag, struct base_diag *notes,
	struct policy_index **ret_index) must_check;

/* The labels of an identity: a role's own, with namespace and cluster; canonical, the caller's. */
int policy_config_role(const struct conf *conf, const struct conf_role *role, char **ret_text,
	char why[160]) must_check;

#endif
