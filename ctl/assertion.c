#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/fetch.h"

#include <getopt.h>
#include <stdio.h>

enum ctl_exit ctl_assertion_jwks(int argc, char **argv)
{
	static const struct option OPTIONS[] = {{"socket", required_argument, NULL, 's'}, {0}};
	cleanup(net_answer) struct net_answer *answer = NULL;
	const char *socket_path = CTL_DEFAULT_SOCKET;
	enum ctl_exit rc;
	int c;

	while ((c = getopt_long(argc, argv, "s:", OPTIONS, NULL)) >= 0) {
		if (c != 's')
			return ctl_args_usage(argv[0], "wrong options");
		socket_path = optarg;
	}
	if (optind < argc)
		return ctl_args_usage(argv[0], "'%s' is one argument too many", argv[optind]);
	rc = ctl_fetch(argv[0], socket_path, "/api/v1/assertion/jwks", &answer);
	if (rc == CTL_OK)
		puts(answer->body);
	return rc;
}
