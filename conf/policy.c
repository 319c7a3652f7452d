/* The keys for policies: where they are, what they protect, where callers go. */
#include "conf/conf.h"
#include "conf/table.h"

#include <assert.h>

#define NAME_MAX_BYTES 63 /* a Kubernetes namespace */
#define BACKEND_MAX    128

static_assert(offsetof(struct conf_service, pos) == 0, "bind writes the position there");
static_assert(offsetof(struct conf_route, pos) == 0, "bind writes the position there");

static const struct conf_key POLICY[] = {
	{"paths", CONF_TEXTS, AT(conf, policy.paths), RANGE(0, 64), .fallback = "[]",
		.reloadable = true, .pos = offsetof(struct conf, policy.paths_pos),
		.help = "Policy files and folders of such files; without any, nothing is refused "
			"by policy."},
	{"mode", CONF_ENUM, AT(conf, policy.mode), RANGE(CONF_POLICY_ENFORCE, CONF_POLICY_AUDIT),
		.words = "enforce audit", .fallback = "enforce", .reloadable = true,
		.help = "Whether what policies deny is refused, or only logged as AUDIT and "
			"allowed."},
};

static const struct conf_key SERVICE[] = {
	{"name", CONF_TEXT, AT(conf_service, name), RANGE(1, BACKEND_MAX), .required = true,
		.reloadable = true, .example = "be_app",
		.help = "What HAProxy calls it: the argument service, or a route."},
	{"namespace", CONF_NAME, AT(conf_service, namespace), RANGE(1, NAME_MAX_BYTES),
		.fallback = "default", .reloadable = true,
		.help = "Kubernetes namespace of the endpoints behind it."},
	{"labels", CONF_TEXTS, AT(conf_service, labels), RANGE(0, 62), .fallback = "[]",
		.reloadable = true, .pos = offsetof(struct conf_service, labels_pos),
		.help = "Labels of the endpoints behind it, which endpointSelector chooses by; "
			"namespace and cluster are added."},
	{"port", CONF_INT, AT(conf_service, port), RANGE(1, 65535), .required = true,
		.reloadable = true, .example = "8080",
		.help = "Port on which the endpoints take HTTP: what toPorts is compared with."},
	{"ports", CONF_PORTS, AT(conf_service, ports), RANGE(0, 32), .fallback = "[]",
		.second = offsetof(struct conf_service, n_ports), .reloadable = true,
		.help = "Further TCP ports of the endpoints, for the kernel's part."},
	{"named_ports", CONF_TEXTS, AT(conf_service, named_ports), RANGE(0, 32), .fallback = "[]",
		.reloadable = true, .pos = offsetof(struct conf_service, named_pos),
		.help = "Names of ports as NAME=NUMBER, for policies that say port: http."},
	{"addresses", CONF_TEXTS, AT(conf_service, addresses), RANGE(0, 256), .fallback = "[]",
		.reloadable = true, .pos = offsetof(struct conf_service, addresses_pos),
		.help = "Addresses and ranges of the endpoints, virtual ones too, for the "
			"kernel's part."},
};

static const struct conf_key ROUTE[] = {
	{"labels", CONF_TEXTS, AT(conf_route, labels), RANGE(1, 16), .required = true,
		.reloadable = true, .pos = offsetof(struct conf_route, labels_pos),
		.example = "[role=admin]",
		.help = "Labels as source:key=value that the identity must all carry; without a "
			"source any will do."},
	{"route", CONF_TEXT, AT(conf_route, route), RANGE(1, BACKEND_MAX), .required = true,
		.reloadable = true, .example = "be_admin",
		.help = "HAProxy backend for these callers."},
};

const struct conf_section conf_table_policy = {POLICY, ARRAY_SIZE(POLICY), 0, NULL};
const struct conf_section conf_table_service = {
	SERVICE, ARRAY_SIZE(SERVICE), sizeof(struct conf_service), NULL};
const struct conf_section conf_table_route = {
	ROUTE, ARRAY_SIZE(ROUTE), sizeof(struct conf_route), NULL};
