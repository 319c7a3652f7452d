#include "ctl/args.h"
#include "ctl/out.h"
#include "ctl/policy.h"
#include "policy/load.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

/* FILE:LINE:COLUMN: text; a note says so. */
static void said(void *arg, const struct base_diag *diag, const struct base_diag *notes)
{
	(void)arg;
	base_diag_print(diag, stderr);
	for (size_t i = 0; i < notes->n_items; i++)
		ctl_out_line(stderr, "%s:%u:%u: note: %s", notes->file, notes->items[i].line,
			notes->items[i].column, notes->items[i].text);
}

enum ctl_exit ctl_policy_load(const char *name, const char *const *paths, size_t n,
	const struct policy_options *options, struct policy_set **ret_set)
{
	cleanup(policy_set) struct policy_set *set = policy_set_new(options);
	int err = set ? policy_load(set, paths, n, said, NULL) : -ENOMEM;

	if (!err)
		err = policy_set_ready(set);
	if (err == -ENOMEM)
		ctl_args_complain(name, "out of memory");
	if (err)
		return CTL_FAILED;
	*ret_set = TAKE_PTR(set);
	return CTL_OK;
}

enum ctl_exit ctl_policy_check(int argc, char **argv)
{
	static const struct option NONE[] = {{0}};
	static const struct policy_options OPTIONS = {0};
	cleanup(policy_set) struct policy_set *set = NULL;
	enum ctl_exit rc;

	if (getopt_long(argc, argv, "", NONE, NULL) >= 0)
		return ctl_args_usage(argv[0], "wrong options");
	if (optind == argc)
		return ctl_args_usage(argv[0], "a file or folder is needed");
	rc = ctl_policy_load(argv[0], (const char *const *)argv + optind, (size_t)(argc - optind),
		&OPTIONS, &set);
	if (!rc)
		ctl_out_line(stdout, "%zu policies, %zu ingress rules, no mistakes",
			policy_set_policies(set), policy_set_rules(set));
	return rc;
}
