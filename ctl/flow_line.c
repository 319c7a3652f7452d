#include "ctl/flow_line.h"

#include "base/mem.h"
#include "ctl/out.h"

#include <string.h>

const char *ctl_flow_header(const json_t *flow, const char *name)
{
	const json_t *headers =
		json_object_get(json_object_get(json_object_get(flow, "l7"), "http"), "headers");
	const json_t *header;
	size_t i;

	json_array_foreach (headers, i, header) {
		const char *key = json_string_value(json_object_get(header, "key"));

		if (key && !strcasecmp(key, name))
			return json_string_value(json_object_get(header, "value"));
	}
	return NULL;
}

static const struct {
	const char *hubble, *ours;
	enum ctl_out_color color;
} VERDICTS[] = {
	{"FORWARDED", "allow", CTL_OUT_GOOD},
	{"DROPPED", "deny", CTL_OUT_BAD},
	{"ERROR", "error", CTL_OUT_WARN},
	{"AUDIT", "audit", CTL_OUT_WARN},
};

static size_t verdict_of(const json_t *flow)
{
	const char *word = json_string_value(json_object_get(flow, "verdict"));
	size_t i = 0;

	while (i < ARRAY_SIZE(VERDICTS) && (!word || strcmp(word, VERDICTS[i].hubble)))
		i++;
	return i;
}

const char *ctl_flow_verdict(const json_t *flow)
{
	const char *word = json_string_value(json_object_get(flow, "verdict"));
	size_t i = verdict_of(flow);

	return i < ARRAY_SIZE(VERDICTS) ? VERDICTS[i].ours : word ? word : "-";
}

void ctl_flow_endpoint(const json_t *flow, const char *which, char buf[80])
{
	const char *ip = json_string_value(json_object_get(json_object_get(flow, "IP"), which));
	const json_t *l4 = json_object_get(flow, "l4");
	const json_t *proto = json_object_get(l4, "TCP");
	char port[32];

	if (!proto)
		proto = json_object_get(l4, "UDP");
	snprintf(port, sizeof(port), "%s_port", which);
	buf[0] = '\0';
	if (ip && proto)
		snprintf(buf, 80, strchr(ip, ':') ? "[%.50s]:%lld" : "%.50s:%lld", ip,
			(long long)json_integer_value(json_object_get(proto, port)));
}

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void print_http(const json_t *flow, FILE *to)
{
	const json_t *http = json_object_get(json_object_get(flow, "l7"), "http");

	if (http)
		ctl_out_text(to, " %s %s", text(http, "method") ? text(http, "method") : "-",
			text(http, "url") ? text(http, "url") : "-");
}

static void print_source(const json_t *flow, FILE *to)
{
	const json_t *source = json_object_get(flow, "source");
	const json_t *id = json_object_get(source, "identity");
	const json_t *label;
	const char *comma = " ";
	size_t i;

	if (!json_is_integer(id))
		return;
	ctl_out_text(to, " id=%lld", (long long)json_integer_value(id));
	json_array_foreach (json_object_get(source, "labels"), i, label) {
		/* The two that every identity has say nothing. */
		if (!json_is_string(label) ||
			strstr(json_string_value(label), "io.kubernetes.pod.namespace=") ||
			strstr(json_string_value(label), "io.cilium.k8s.policy.cluster="))
			continue;
		ctl_out_text(to, "%s%s", comma, json_string_value(label));
		comma = ",";
	}
}

void ctl_flow_print(const json_t *flow, FILE *to)
{
	static const struct {
		const char *header, *as;
	} MORE[] = {{"X-Identityd-Role", "role"}, {"X-Identityd-Policy", "policy"},
		{"X-Identityd-Sub", "sub"}, {"X-Request-Id", "reqid"}};
	const char *reason = ctl_flow_header(flow, "X-Identityd-Reason");
	size_t i = verdict_of(flow);
	char source[80], destination[80];

	fputs(i < ARRAY_SIZE(VERDICTS) ? ctl_out_color(to, VERDICTS[i].color) : "", to);
	ctl_out_text(to, "%-5s", ctl_flow_verdict(flow));
	fputs(ctl_out_color(to, CTL_OUT_PLAIN), to);
	ctl_flow_endpoint(flow, "source", source);
	ctl_flow_endpoint(flow, "destination", destination);
	ctl_out_text(to, " %s %s -> %s", reason ? reason : "-", *source ? source : "-",
		*destination ? destination : "-");
	print_http(flow, to);
	print_source(flow, to);
	for (size_t k = 0; k < ARRAY_SIZE(MORE); k++) {
		const char *value = ctl_flow_header(flow, MORE[k].header);

		if (value)
			ctl_out_text(to, " %s=%s", MORE[k].as, value);
	}
	fputc('\n', to);
}
