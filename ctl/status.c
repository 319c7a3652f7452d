#include "ctl/commands.h"
#include "ctl/fetch.h"
#include "ctl/options.h"
#include "ctl/status_render.h"
#include "token/json.h"

enum ctl_exit ctl_status(int argc, char **argv)
{
	cleanup(json) json_t *status = NULL;
	struct ctl_options o;
	size_t complaints;
	enum ctl_exit rc = ctl_options_read(
		argc, argv, NULL, 0, CTL_TAKES_SOCKET | CTL_TAKES_OUTPUT, 0, 0, NULL, &o);

	if (!rc)
		rc = ctl_fetch_json(argv[0], o.socket, "/api/v1/status", NULL, &status);
	if (rc)
		return rc;
	if (o.json) {
		ctl_fetch_print(status);
		complaints = ctl_status_complaints(status, NULL);
	} else {
		complaints = ctl_status_render(status, stdout);
	}
	return complaints ? CTL_FAILED : CTL_OK;
}
