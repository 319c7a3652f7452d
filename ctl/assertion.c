#include "ctl/commands.h"
#include "ctl/fetch.h"
#include "ctl/options.h"

#include <stdio.h>

enum ctl_exit ctl_assertion_jwks(int argc, char **argv)
{
	cleanup(net_answer) struct net_answer *answer = NULL;
	struct ctl_options o;
	enum ctl_exit rc = ctl_options_read(argc, argv, NULL, 0, CTL_TAKES_SOCKET, 0, 0, NULL, &o);

	if (!rc)
		rc = ctl_fetch(argv[0], o.socket, "/api/v1/assertion/jwks", &answer);
	if (!rc)
		puts(answer->body);
	return rc;
}
