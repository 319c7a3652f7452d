#include "ctl/policy_ask.h"

#include "ctl/args.h"

#include <getopt.h>
#include <string.h>

enum {
	OPT_POLICY = 256,
	OPT_CONFIG,
	OPT_LABELS,
	OPT_SRC_CIDR,
	OPT_DST_LABELS,
	OPT_SERVICE,
	OPT_PORT,
	OPT_PROTO,
	OPT_NAMED_PORT,
	OPT_CLUSTER,
	OPT_METHOD,
	OPT_PATH,
	OPT_HOST,
	OPT_HEADER,
	OPT_BATCH,
};

static const struct option OPTIONS[] = {
	{"policy", required_argument, NULL, OPT_POLICY},
	{"config", required_argument, NULL, OPT_CONFIG},
	{"labels", required_argument, NULL, OPT_LABELS},
	{"src-cidr", required_argument, NULL, OPT_SRC_CIDR},
	{"dst-labels", required_argument, NULL, OPT_DST_LABELS},
	{"service", required_argument, NULL, OPT_SERVICE},
	{"port", required_argument, NULL, OPT_PORT},
	{"proto", required_argument, NULL, OPT_PROTO},
	{"named-port", required_argument, NULL, OPT_NAMED_PORT},
	{"cluster", required_argument, NULL, OPT_CLUSTER},
	{"method", required_argument, NULL, OPT_METHOD},
	{"path", required_argument, NULL, OPT_PATH},
	{"host", required_argument, NULL, OPT_HOST},
	{"header", required_argument, NULL, OPT_HEADER},
	{"batch", required_argument, NULL, OPT_BATCH},
	{"output", required_argument, NULL, 'o'},
	{0},
};

/* Labels between commas or semicolons. false: too many. */
static bool add_labels(const char *text, struct span *labels, size_t *n)
{
	while (*text) {
		size_t len = strcspn(text, ",;");

		if (len && *n == CTL_POLICY_LABELS_MAX)
			return false;
		if (len)
			labels[(*n)++] = (struct span){text, len};
		text += len + (text[len] != '\0');
	}
	return true;
}

static bool add_header(struct ctl_policy_ask *ask, const char *text)
{
	const char *colon = strchr(text, ':');
	size_t n = ask->http.request.n_headers;

	if (!colon || colon == text || n == CTL_POLICY_HEADERS_MAX)
		return false;
	ask->http.headers[n] = (struct policy_header_field){
		{text, (size_t)(colon - text)}, span_of(colon + 1 + strspn(colon + 1, " \t"))};
	ask->http.request.headers = ask->http.headers;
	ask->http.request.n_headers = n + 1;
	return true;
}

static bool add_named(struct ctl_policy_ask *ask, const char *name, size_t n, long port)
{
	char *copy = ask->names[ask->n_named];

	if (ask->n_named == CTL_POLICY_NAMED_MAX || !n || n > 15 || port < 1 || port > 65535)
		return false;
	for (size_t i = 0; i < n; i++) /* names compare without case */
		copy[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] | 0x20) : name[i];
	copy[n] = '\0';
	ask->named[ask->n_named++] = (struct policy_named_port){copy, (uint16_t)port};
	return true;
}

bool ctl_policy_ask_named(struct ctl_policy_ask *ask, const char *text)
{
	const char *equals = strchr(text, '=');
	char *end = NULL;
	long port = equals ? strtol(equals + 1, &end, 10) : 0;

	return equals && !*end && add_named(ask, text, (size_t)(equals - text), port);
}

static bool set_output(struct ctl_policy_ask *ask, const char *word)
{
	ask->json = !strcmp(word, "json");
	return ask->json || !strcmp(word, "text");
}

/* A part of the request, which there then is. */
static bool set_part(struct ctl_policy_ask *ask, struct span *part, const char *text)
{
	ask->has_http = true;
	if (part)
		*part = span_of(text);
	return true;
}

static bool set_port(struct ctl_policy_ask *ask, const char *text)
{
	char *end;
	long port = strtol(text, &end, 10);

	ask->has_port = true;
	ask->port_number = (uint16_t)port;
	return *text && !*end && port >= 0 && port <= 65535;
}

static bool set_proto(struct ctl_policy_ask *ask, const char *text)
{
	int proto = policy_proto_find(text);

	ask->proto = (enum policy_proto)proto;
	return proto > 0;
}

static bool take_list(struct ctl_policy_ask *ask, int option, const char *text)
{
	switch (option) {
	case OPT_POLICY:
		if (ask->n_policies == CTL_POLICY_PATHS_MAX)
			return false;
		ask->paths[ask->n_policies++] = text;
		return true;
	case OPT_LABELS:
		return add_labels(text, ask->labels, &ask->n_labels);
	case OPT_DST_LABELS:
		return add_labels(text, ask->dst, &ask->n_dst);
	case OPT_NAMED_PORT:
		return ctl_policy_ask_named(ask, text);
	case OPT_HEADER:
		return set_part(ask, NULL, NULL) && add_header(ask, text);
	case OPT_METHOD:
		return set_part(ask, &ask->http.request.method, text);
	case OPT_HOST:
		return set_part(ask, &ask->http.request.host, text);
	case OPT_PATH:
		return set_part(ask, &ask->http.request.path, text);
	case OPT_PORT:
		return set_port(ask, text);
	case OPT_PROTO:
		return set_proto(ask, text);
	case 'o':
		return set_output(ask, text);
	default:
		return false;
	}
}

static bool take(struct ctl_policy_ask *ask, int option, const char *text)
{
	const struct {
		int option;
		const char **slot;
	} TEXTS[] = {
		{OPT_CONFIG, &ask->config},
		{OPT_SRC_CIDR, &ask->src_cidr},
		{OPT_SERVICE, &ask->service},
		{OPT_CLUSTER, &ask->cluster},
		{OPT_BATCH, &ask->batch},
	};

	for (size_t i = 0; i < ARRAY_SIZE(TEXTS); i++)
		if (TEXTS[i].option == option) {
			*TEXTS[i].slot = text;
			return true;
		}
	return take_list(ask, option, text);
}

enum ctl_exit ctl_policy_ask_parse(int argc, char **argv, struct ctl_policy_ask *ask)
{
	int c;

	ask->proto = POLICY_PROTO_TCP;
	while ((c = getopt_long(argc, argv, "o:", OPTIONS, NULL)) >= 0) {
		if (c == '?')
			return ctl_args_usage(argv[0], "wrong options");
		if (!take(ask, c, optarg))
			return ctl_args_usage(argv[0], "'%s' does not fit here", optarg);
	}
	if (optind < argc)
		return ctl_args_usage(argv[0], "'%s' is one argument too many", argv[optind]);
	if (ask->batch)
		return CTL_OK;
	ask->n_paths = ask->n_policies;
	if (!ask->n_policies && !ask->config)
		return ctl_args_usage(argv[0], "--policy or --config is needed");
	if (!ask->n_labels == !ask->src_cidr)
		return ctl_args_usage(argv[0], "either --labels or --src-cidr is needed");
	if (!ask->n_dst == !ask->service)
		return ctl_args_usage(argv[0], "either --service or --dst-labels is needed");
	if (ask->service && !ask->config)
		return ctl_args_usage(argv[0], "--service is looked up in --config");
	if (!ask->has_port && !ask->service)
		return ctl_args_usage(argv[0], "--port is needed");
	return CTL_OK;
}

void ctl_policy_ask_done(struct ctl_policy_ask *ask)
{
	for (size_t i = 0; i < ask->n_own; i++)
		free(ask->own[i]);
	conf_free(ask->conf);
}
