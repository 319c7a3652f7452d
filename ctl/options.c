#include "ctl/options.h"

#include "ctl/args.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define OWN_BASE 256 /* getopt's values of a command's own options begin here */

/* The common options stand behind the command's own. */
static void fill(
	const struct ctl_option *own, size_t n_own, unsigned common, struct option *options)
{
	size_t n = 0;

	assert(n_own <= CTL_OPTIONS_MAX);
	for (; n < n_own; n++)
		options[n] = (struct option){own[n].name,
			own[n].flag ? no_argument : required_argument, NULL, OWN_BASE + (int)n};
	if (common & CTL_TAKES_SOCKET)
		options[n++] = (struct option){"socket", required_argument, NULL, 's'};
	if (common & CTL_TAKES_OUTPUT)
		options[n++] = (struct option){"output", required_argument, NULL, 'o'};
	options[n] = (struct option){0};
}

static enum ctl_exit take_output(const char *name, const char *text, struct ctl_options *to)
{
	to->json = !strcmp(text, "json");
	if (to->json || !strcmp(text, "text"))
		return CTL_OK;
	return ctl_args_usage(name, "-o takes text or json, not '%s'", text);
}

static enum ctl_exit take_own(const char *name, const struct ctl_option *option, size_t i,
	const char *value, struct ctl_options *to)
{
	if (to->values[i] && !option->many)
		return ctl_args_usage(name, "--%s: '%s' is given a second time", option->name,
			value ? value : "");
	if (option->many && to->n_many == CTL_VALUES_MAX)
		return ctl_args_usage(name, "--%s: at most %d", option->name, CTL_VALUES_MAX);
	if (option->many)
		to->many[to->n_many++] = value;
	if (!to->values[i])
		to->values[i] = value ? value : "";
	return CTL_OK;
}

enum ctl_exit ctl_options_read(int argc, char **argv, const struct ctl_option *own, size_t n_own,
	unsigned common, size_t least, size_t most, const char *what, struct ctl_options *ret)
{
	static const char *const SHORT[] = {"", "s:", "o:", "s:o:"};
	struct option options[CTL_OPTIONS_MAX + 3];
	enum ctl_exit rc = CTL_OK;
	int c;

	*ret = (struct ctl_options){.socket = CTL_DEFAULT_SOCKET};
	fill(own, n_own, common, options);
	while (rc == CTL_OK && (c = getopt_long(argc, argv, SHORT[common], options, NULL)) >= 0) {
		if (c == 's')
			ret->socket = optarg;
		else if (c == 'o')
			rc = take_output(argv[0], optarg, ret);
		else if (c >= OWN_BASE)
			rc = take_own(
				argv[0], &own[c - OWN_BASE], (size_t)(c - OWN_BASE), optarg, ret);
		else
			rc = ctl_args_usage(argv[0], "wrong options");
	}
	if (rc)
		return rc;
	ret->rest = argv + optind;
	ret->n_rest = (size_t)(argc - optind);
	if (ret->n_rest > most && most == 0)
		return ctl_args_usage(argv[0], "'%s' is one argument too many", argv[optind]);
	if (ret->n_rest < least || ret->n_rest > most)
		return ctl_args_usage(argv[0], "%s", what);
	return CTL_OK;
}

bool ctl_options_number(const char *text, long long lo, long long hi, long long *ret)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false; /* strtoll would skip blanks and take a sign */
	errno = 0;
	*ret = strtoll(text, &end, 10);
	return !errno && !*end && *ret >= lo && *ret <= hi;
}
