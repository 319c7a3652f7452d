/* What an operator does to the kernel's work in an emergency. */
#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/fetch.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void unref(json_t *json)
{
	json_decref(json);
}
DEFINE_CLEANUP(kernel_json, json_t *, unref)

static const struct option OPTIONS[] = {
	{"identity", required_argument, NULL, 'i'},
	{"client", required_argument, NULL, 'c'},
	{"for", required_argument, NULL, 'f'},
	{"why", required_argument, NULL, 'w'},
	{"socket", required_argument, NULL, 's'},
	{0},
};

struct wishes {
	const char *identity, *client, *how_long, *why, *socket_path;
};

static int read_options(int argc, char **argv, struct wishes *w)
{
	int c;

	w->socket_path = CTL_DEFAULT_SOCKET;
	while ((c = getopt_long(argc, argv, "i:c:f:w:s:", OPTIONS, NULL)) >= 0) {
		if (c == 'i')
			w->identity = optarg;
		else if (c == 'c')
			w->client = optarg;
		else if (c == 'f')
			w->how_long = optarg;
		else if (c == 'w')
			w->why = optarg;
		else if (c == 's')
			w->socket_path = optarg;
		else
			return -EINVAL;
	}
	return optind == argc ? 0 : -EINVAL;
}

/* Prints the member that says how much was done. */
static enum ctl_exit ask(const char *name, const char *socket_path, const char *path,
	const json_t *question, const char *unit)
{
	cleanup(net_answer) struct net_answer *answer = NULL;
	cleanup(kernel_json) json_t *json = NULL;
	cleanup(free) char *text = json_dumps(question, JSON_COMPACT);
	const json_t *error;
	enum ctl_exit rc = CTL_FAILED;

	if (text)
		rc = ctl_fetch_post(name, socket_path, path, text, &answer);
	if (rc)
		return rc;
	json = json_loadb(answer->body, answer->body_len, JSON_REJECT_DUPLICATES, NULL);
	if (answer->status == 200 && json_is_integer(json_object_get(json, unit))) {
		printf("%s: %lld\n", unit,
			(long long)json_integer_value(json_object_get(json, unit)));
		return CTL_OK;
	}
	error = json_object_get(json, "error");
	ctl_args_complain(
		name, "%s", json_is_string(error) ? json_string_value(error) : "identityd refused");
	return CTL_FAILED;
}

/* "192.0.2.1:40000" or "[2001:db8::1]:40000" */
static json_t *client_question(const char *text)
{
	const char *colon = strrchr(text, ':');
	const bool bracket = text[0] == '[';
	char host[64], *end;
	long port;
	size_t n;

	if (!colon || colon == text || (bracket && colon[-1] != ']'))
		return NULL;
	n = (size_t)(colon - text) - (bracket ? 2 : 0);
	port = strtol(colon + 1, &end, 10);
	if (n >= sizeof(host) || *end || port < 1 || port > 65535)
		return NULL;
	memcpy(host, text + bracket, n);
	host[n] = '\0';
	return json_pack("{s:s, s:i}", "client", host, "port", (int)port);
}

static json_t *identity_question(const char *text)
{
	char *end;
	long long number = strtoll(text, &end, 10);

	return *end || end == text ? NULL : json_pack("{s:I}", "identity", (json_int_t)number);
}

enum ctl_exit ctl_kernel_kill(int argc, char **argv)
{
	cleanup(kernel_json) json_t *question = NULL;
	struct wishes w = {0};

	if (read_options(argc, argv, &w) || !w.identity == !w.client || w.how_long || w.why)
		return ctl_args_usage(argv[0], "wanted: --identity N, or --client ADDRESS:PORT");
	question = w.client ? client_question(w.client) : identity_question(w.identity);
	if (!question)
		return ctl_args_usage(argv[0], "not a number, or not an address with a port");
	return ask(argv[0], w.socket_path, "/api/v1/kernel/kill", question, "connections");
}

enum ctl_exit ctl_kernel_break_glass(int argc, char **argv)
{
	cleanup(kernel_json) json_t *question = NULL;
	struct wishes w = {0};
	int64_t seconds;

	if (read_options(argc, argv, &w) || !w.how_long || !w.why || w.identity || w.client)
		return ctl_args_usage(argv[0], "wanted: --for TIME and --why TEXT");
	if (ctl_args_duration(w.how_long, &seconds) || seconds < 0)
		return ctl_args_usage(
			argv[0], "'%s' is no time: 10m, 2h, or 0 to mend it", w.how_long);
	question = json_pack("{s:I, s:s}", "seconds", (json_int_t)seconds, "why", w.why);
	if (!question)
		return ctl_args_usage(argv[0], "why is not UTF-8");
	return ask(argv[0], w.socket_path, "/api/v1/kernel/break-glass", question, "seconds");
}
