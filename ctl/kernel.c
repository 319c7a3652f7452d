/* What an operator does to the kernel's work in an emergency. */
#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/fetch.h"
#include "ctl/options.h"
#include "token/json.h"

#include <stdio.h>
#include <string.h>

/* Prints the member that says how much was done. */
static enum ctl_exit ask(const char *name, const char *socket_path, const char *path,
	const json_t *question, const char *unit)
{
	cleanup(json) json_t *json = NULL;
	enum ctl_exit rc = ctl_fetch_json(name, socket_path, path, question, &json);

	if (!rc)
		printf("%s: %lld\n", unit,
			(long long)json_integer_value(json_object_get(json, unit)));
	return rc;
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
	enum { IDENTITY, CLIENT };
	static const struct ctl_option OPTIONS[] = {{"identity", 0, 0}, {"client", 0, 0}};
	cleanup(json) json_t *question = NULL;
	struct ctl_options o;
	enum ctl_exit rc = ctl_options_read(
		argc, argv, OPTIONS, ARRAY_SIZE(OPTIONS), CTL_TAKES_SOCKET, 0, 0, NULL, &o);

	if (rc)
		return rc;
	if (!o.values[IDENTITY] == !o.values[CLIENT])
		return ctl_args_usage(argv[0], "wanted: --identity N, or --client ADDRESS:PORT");
	question = o.values[CLIENT] ? client_question(o.values[CLIENT])
				    : identity_question(o.values[IDENTITY]);
	if (!question)
		return ctl_args_usage(argv[0], "not a number, or not an address with a port");
	return ask(argv[0], o.socket, "/api/v1/kernel/kill", question, "connections");
}

/* Both have a time and a reason. */
static enum ctl_exit for_a_time(int argc, char **argv, const char *path)
{
	enum { FOR, WHY };
	static const struct ctl_option OPTIONS[] = {{"for", 0, 0}, {"why", 0, 0}};
	cleanup(json) json_t *question = NULL;
	struct ctl_options o;
	int64_t seconds;
	enum ctl_exit rc = ctl_options_read(
		argc, argv, OPTIONS, ARRAY_SIZE(OPTIONS), CTL_TAKES_SOCKET, 0, 0, NULL, &o);

	if (rc)
		return rc;
	if (!o.values[FOR] || !o.values[WHY])
		return ctl_args_usage(argv[0], "wanted: --for TIME and --why TEXT");
	if (ctl_args_duration(o.values[FOR], &seconds) || seconds < 0)
		return ctl_args_usage(
			argv[0], "'%s' is no time: 10m, 2h, or 0 to end it", o.values[FOR]);
	question = json_pack("{s:I, s:s}", "seconds", (json_int_t)seconds, "why", o.values[WHY]);
	if (!question)
		return ctl_args_usage(argv[0], "why is not UTF-8");
	return ask(argv[0], o.socket, path, question, "seconds");
}

enum ctl_exit ctl_kernel_break_glass(int argc, char **argv)
{
	return for_a_time(argc, argv, "/api/v1/kernel/break-glass");
}

enum ctl_exit ctl_observe(int argc, char **argv)
{
	return for_a_time(argc, argv, "/api/v1/observe");
}
