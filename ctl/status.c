#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/fetch.h"
#include "ctl/status_render.h"

#include <getopt.h>
#include <stdbool.h>
#include <string.h>

static const struct option OPTIONS[] = {
	{"socket", required_argument, NULL, 's'},
	{"output", required_argument, NULL, 'o'},
	{0},
};

static void unref(json_t *json)
{
	json_decref(json);
}
DEFINE_CLEANUP(status_json, json_t *, unref)

/* As JSON, nothing but printable ASCII leaves: jansson escapes the rest. */
static size_t print(const json_t *status, bool as_json)
{
	if (!as_json)
		return ctl_status_render(status, stdout);
	json_dumpf(status, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	fputc('\n', stdout);
	return ctl_status_complaints(status, NULL);
}

static enum ctl_exit show(const char *name, const char *socket_path, bool as_json)
{
	cleanup(net_answer) struct net_answer *answer = NULL;
	cleanup(status_json) json_t *status = NULL;
	enum ctl_exit rc = ctl_fetch(name, socket_path, "/api/v1/status", &answer);

	if (rc)
		return rc;
	status = json_loadb(answer->body, answer->body_len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(status)) {
		ctl_args_complain(name, "the answer of identityd is not a JSON object");
		return CTL_FAILED;
	}
	return print(status, as_json) ? CTL_FAILED : CTL_OK;
}

enum ctl_exit ctl_status(int argc, char **argv)
{
	const char *socket_path = CTL_DEFAULT_SOCKET;
	const char *output = "text";
	int c;

	while ((c = getopt_long(argc, argv, "s:o:", OPTIONS, NULL)) >= 0) {
		if (c == 's')
			socket_path = optarg;
		else if (c == 'o')
			output = optarg;
		else
			return ctl_args_usage(argv[0], "wrong options");
	}
	if (optind < argc)
		return ctl_args_usage(argv[0], "'%s' is one argument too many", argv[optind]);
	if (strcmp(output, "text") && strcmp(output, "json"))
		return ctl_args_usage(argv[0], "-o takes text or json, not '%s'", output);
	return show(argv[0], socket_path, !strcmp(output, "json"));
}
