/* What an operator orders the daemon to do, besides the kernel's part (kernel.c). */
#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/fetch.h"
#include "ctl/options.h"
#include "token/json.h"

#include <stdio.h>
#include <string.h>

static enum ctl_exit order(const char *name, const char *socket_path, const char *path,
	json_t *question, json_t **ret_answer)
{
	cleanup(json) json_t *owned = question;

	if (!owned)
		return CTL_FAILED;
	return ctl_fetch_json(name, socket_path, path, owned, ret_answer);
}

enum ctl_exit ctl_reload(int argc, char **argv)
{
	cleanup(json) json_t *answer = NULL;
	struct ctl_options o;
	enum ctl_exit rc = ctl_options_read(argc, argv, NULL, 0, CTL_TAKES_SOCKET, 0, 0, NULL, &o);

	if (!rc)
		rc = order(argv[0], o.socket, "/api/v1/reload", json_object(), &answer);
	if (!rc)
		printf("generation: %lld\n",
			(long long)json_integer_value(json_object_get(answer, "generation")));
	return rc;
}

enum ctl_exit ctl_drain(int argc, char **argv)
{
	cleanup(json) json_t *answer = NULL;
	struct ctl_options o;
	enum ctl_exit rc = ctl_options_read(argc, argv, NULL, 0, CTL_TAKES_SOCKET, 0, 0, NULL, &o);

	return rc ? rc : order(argv[0], o.socket, "/api/v1/drain", json_object(), &answer);
}

enum ctl_exit ctl_log_level(int argc, char **argv)
{
	static const char WANTED[] = "one level is needed: error, warning, info or debug";
	cleanup(json) json_t *answer = NULL;
	struct ctl_options o;
	enum ctl_exit rc =
		ctl_options_read(argc, argv, NULL, 0, CTL_TAKES_SOCKET, 1, 1, WANTED, &o);

	if (rc)
		return rc;
	return order(argv[0], o.socket, "/api/v1/log-level", json_pack("{s:s}", "level", o.rest[0]),
		&answer);
}
