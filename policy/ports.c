#include "policy/rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	enum policy_proto proto;
} PROTOCOLS[] = {
	{"ANY", POLICY_PROTO_ANY},
	{"TCP", POLICY_PROTO_TCP},
	{"UDP", POLICY_PROTO_UDP},
	{"SCTP", POLICY_PROTO_SCTP},
	{"ICMP", POLICY_PROTO_ICMP},
	{"ICMPv6", POLICY_PROTO_ICMPV6},
	{"VRRP", POLICY_PROTO_VRRP},
	{"IGMP", POLICY_PROTO_IGMP},
};

int policy_proto_find(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(PROTOCOLS); i++)
		if (!strcasecmp(PROTOCOLS[i].name, word))
			return (int)PROTOCOLS[i].proto;
	return -1;
}

const char *policy_proto_name(int proto)
{
	for (size_t i = 0; i < ARRAY_SIZE(PROTOCOLS); i++)
		if ((int)PROTOCOLS[i].proto == proto)
			return PROTOCOLS[i].name;
	return "?";
}

/* RFC 6335 5.1: letters, digits and single hyphens inside, at most 15, a letter among them. */
static bool is_service_name(const char *text)
{
	size_t n = strlen(text);
	bool letter = false;

	if (!n || n > 15 || text[0] == '-' || text[n - 1] == '-' || strstr(text, "--"))
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = (char)(text[i] | 0x20);

		if (c >= 'a' && c <= 'z')
			letter = true;
		else if (text[i] != '-' && !(text[i] >= '0' && text[i] <= '9'))
			return false;
	}
	return letter;
}

static int read_protocol(struct policy_reader *r, const struct policy_at *at, void *out)
{
	struct policy_port *port = out;
	const char *text = policy_text(r, at);
	int proto = text ? policy_proto_find(text) : 0;

	if (proto < 0)
		return policy_complain(r, at,
			"must be TCP, UDP, SCTP, ICMP, ICMPv6, VRRP, IGMP or "
			"ANY");
	port->proto = (uint8_t)proto;
	return 0;
}

static int read_named(struct policy_reader *r, struct policy_port *port, const char *text)
{
	char name[16];

	for (size_t i = 0; i <= strlen(text); i++) /* names compare without case */
		name[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i];
	return policy_names_add(&r->set->names, &r->set->arena, span_of(name), &port->name);
}

static int read_port(struct policy_reader *r, const struct policy_at *at, void *out)
{
	struct policy_port *port = out;
	const char *text = policy_text(r, at);
	unsigned value = 0;

	if (!text)
		return 0;
	if (is_service_name(text))
		return read_named(r, port, text);
	for (const char *p = text; *p && value <= 65535; p++)
		value = *p >= '0' && *p <= '9' ? value * 10 + (unsigned)(*p - '0') : 65536;
	if (!*text || value > 65535 || (text[0] == '0' && text[1]))
		return policy_complain(
			r, at, "must be a number from 0 to 65535, or the name of a port");
	port->first = (uint16_t)value;
	port->last = value ? (uint16_t)value : 65535;
	return 0;
}

/* Read after the port. */
static int read_end(struct policy_reader *r, const struct policy_at *at, void *out)
{
	struct policy_port *port = out;
	long end;

	if (!policy_number(r, at, 0, 65535, &end) || !end)
		return 0;
	if (port->name)
		return policy_complain(r, at, "a named port has no range");
	if (end < port->first)
		return policy_complain(r, at, "lies below 'port'");
	port->last = (uint16_t)end;
	return 0;
}

static const struct policy_field PORT[] = {
	{"port", read_port, NULL},
	{"endPort", read_end, NULL},
	{"protocol", read_protocol, NULL},
};

int policy_port_list(struct policy_reader *r, const struct policy_at *at,
	const struct policy_port_schema *schema, struct policy_group *group)
{
	struct policy_port *ports;
	size_t n = at->doc->n_entries;
	int err = 0;

	if (!policy_is_list(r, at))
		return 0;
	if (n > POLICY_PORTS_MAX)
		return policy_complain(r, at, "more than %d entries", POLICY_PORTS_MAX);
	ports = policy_arena_get(&r->set->arena, n, sizeof(*ports));
	if (!ports)
		return -ENOMEM;
	for (size_t i = 0; !err && i < n; i++) {
		const struct policy_at there = policy_entry_of(at, i);

		ports[i].proto = (uint8_t)schema->proto;
		err = policy_fields(r, &there, schema->fields, schema->n_fields, &ports[i]);
		if (there.doc->kind == BASE_DOC_MAP && !policy_get(&there, schema->needed))
			policy_complain(r, &there, "needs '%s'", schema->needed);
	}
	group->ports = ports;
	group->n_ports = n;
	return err;
}

static int read_port_list(struct policy_reader *r, const struct policy_at *at, void *out)
{
	static const struct policy_port_schema SCHEMA = {
		PORT, ARRAY_SIZE(PORT), "port", POLICY_PROTO_ANY};

	return policy_port_list(r, at, &SCHEMA, out);
}

static const struct policy_field L7_RULES[] = {
	{"http", policy_http_read, NULL},
	{"dns", NULL, "DNS rules are for egress"},
	{"kafka", NULL, "only HTTP rules are enforced here"},
	{"l7proto", NULL, "only HTTP rules are enforced here"},
	{"l7", NULL, "only HTTP rules are enforced here"},
};

/* Read after the ports: Cilium takes L7 rules for numbered or named TCP ports only. */
static int read_l7(struct policy_reader *r, const struct policy_at *at, void *out)
{
	struct policy_group *group = out;
	int err = policy_fields(r, at, L7_RULES, ARRAY_SIZE(L7_RULES), group);

	for (size_t i = 0; !err && group->n_http && i < group->n_ports; i++) {
		const struct policy_port *port = &group->ports[i];

		if (port->proto != POLICY_PROTO_TCP)
			policy_complain(r, at, "L7 rules need protocol TCP, not %s",
				policy_proto_name(port->proto));
		else if (!port->name && !port->first && port->last)
			policy_complain(r, at, "L7 rules cannot be used with port 0");
	}
	if (!err && group->n_http && r->of_node)
		policy_complain(r, at, "L7 rules cannot be used with nodeSelector");
	return err;
}

static const char TLS[] = "HAProxy ends TLS, not the policy";

static const struct policy_field TO_PORTS[] = {
	{"ports", read_port_list, NULL},
	{"rules", read_l7, NULL},
	{"terminatingTLS", NULL, TLS},
	{"originatingTLS", NULL, TLS},
	{"serverNames", NULL, TLS},
	{"listener", NULL, "Cilium does not allow it on ingress either"},
};

static const struct policy_field DENY_PORTS[] = {
	{"ports", read_port_list, NULL},
};

int policy_ports_read(struct policy_reader *r, const struct policy_at *at, void *out)
{
	struct policy_rule *rule = ((struct policy_draft *)out)->rule;
	struct policy_group *groups;
	size_t n = at->doc->n_entries;
	int err = 0;

	if (!policy_is_list(r, at) || !n)
		return 0;
	groups = policy_arena_get(&r->set->arena, n, sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	rule->any_port = false;
	for (size_t i = 0; !err && i < n; i++) {
		const struct policy_at there = policy_entry_of(at, i);

		err = policy_fields(r, &there, rule->deny ? DENY_PORTS : TO_PORTS,
			rule->deny ? ARRAY_SIZE(DENY_PORTS) : ARRAY_SIZE(TO_PORTS), &groups[i]);
	}
	rule->groups = groups;
	rule->n_groups = n;
	return err;
}
