#include "ctl/commands.h"
#include "ctl/fetch.h"
#include "ctl/options.h"
#include "ctl/out.h"

enum ctl_exit ctl_metrics(int argc, char **argv)
{
	cleanup(net_answer) struct net_answer *answer = NULL;
	struct ctl_options o;
	enum ctl_exit rc = ctl_options_read(argc, argv, NULL, 0, CTL_TAKES_SOCKET, 0, 0, NULL, &o);

	if (!rc)
		rc = ctl_fetch(argv[0], o.socket, "/metrics", &answer);
	if (rc)
		return rc;
	ctl_out_clean(answer->body, true);
	fputs(answer->body, stdout);
	return CTL_OK;
}
