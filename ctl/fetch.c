#include "ctl/fetch.h"

#include "ctl/args.h"

enum ctl_exit ctl_fetch(
	const char *name, const char *socket_path, const char *path, struct net_answer **ret_answer)
{
	cleanup(net_answer) struct net_answer *answer = NULL;
	char why[160] = "";

	if (net_unix_get(socket_path, path, &answer, why)) {
		ctl_args_complain(name, "identityd does not answer on %s: %s", socket_path, why);
		return CTL_UNREACHABLE;
	}
	if (answer->status != 200) {
		ctl_args_complain(name, "identityd answered GET %s with HTTP status %ld", path,
			answer->status);
		return CTL_FAILED;
	}
	*ret_answer = TAKE_PTR(answer);
	return CTL_OK;
}

enum ctl_exit ctl_fetch_post(const char *name, const char *socket_path, const char *path,
	const char *json, struct net_answer **ret_answer)
{
	char why[160] = "";

	if (!net_unix_post(socket_path, path, span_of(json), ret_answer, why))
		return CTL_OK;
	ctl_args_complain(name, "identityd does not answer on %s: %s", socket_path, why);
	return CTL_UNREACHABLE;
}
