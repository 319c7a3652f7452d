/*
 * The services and roles of a configuration, under policies from elsewhere.
 */
#ifndef CTL_POLICY_INDEX_H
#define CTL_POLICY_INDEX_H

#include "conf/conf.h"
#include "ctl/commands.h"
#include "policy/index.h"

/* Reads the configuration; mistakes go to stderr. */
enum ctl_exit ctl_policy_conf(
	const char *name, const char *path, struct conf **ret_conf) must_check;

/*
 * Its services and roles (in the order of the file) under these policies:
 * files or folders. Mistakes go to stderr.
 */
enum ctl_exit ctl_policy_index(const char *name, const struct conf *conf, const char *const *paths,
	size_t n_paths, struct policy_index **ret_index) must_check;

#endif
