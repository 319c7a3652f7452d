#include "policy/rule.h"

#include <errno.h>
#include <string.h>

/* Names of ICMP types (cilium pkg/policy/api/icmp.go; RFC 792, RFC 4443 and others). */
static const struct {
	uint8_t type;
	enum policy_proto proto;
	const char *name;
} ICMP_TYPES[] = {
	{0, POLICY_PROTO_ICMP, "EchoReply"},
	{3, POLICY_PROTO_ICMP, "DestinationUnreachable"},
	{5, POLICY_PROTO_ICMP, "Redirect"},
	{8, POLICY_PROTO_ICMP, "Echo"},
	{8, POLICY_PROTO_ICMP, "EchoRequest"},
	{9, POLICY_PROTO_ICMP, "RouterAdvertisement"},
	{10, POLICY_PROTO_ICMP, "RouterSelection"},
	{11, POLICY_PROTO_ICMP, "TimeExceeded"},
	{12, POLICY_PROTO_ICMP, "ParameterProblem"},
	{13, POLICY_PROTO_ICMP, "Timestamp"},
	{14, POLICY_PROTO_ICMP, "TimestampReply"},
	{40, POLICY_PROTO_ICMP, "Photuris"},
	{42, POLICY_PROTO_ICMP, "ExtendedEchoRequest"},
	{43, POLICY_PROTO_ICMP, "ExtendedEchoReply"},
	{1, POLICY_PROTO_ICMPV6, "DestinationUnreachable"},
	{2, POLICY_PROTO_ICMPV6, "PacketTooBig"},
	{3, POLICY_PROTO_ICMPV6, "TimeExceeded"},
	{4, POLICY_PROTO_ICMPV6, "ParameterProblem"},
	{128, POLICY_PROTO_ICMPV6, "EchoRequest"},
	{129, POLICY_PROTO_ICMPV6, "EchoReply"},
	{130, POLICY_PROTO_ICMPV6, "MulticastListenerQuery"},
	{131, POLICY_PROTO_ICMPV6, "MulticastListenerReport"},
	{132, POLICY_PROTO_ICMPV6, "MulticastListenerDone"},
	{133, POLICY_PROTO_ICMPV6, "RouterSolicitation"},
	{134, POLICY_PROTO_ICMPV6, "RouterAdvertisement"},
	{135, POLICY_PROTO_ICMPV6, "NeighborSolicitation"},
	{136, POLICY_PROTO_ICMPV6, "NeighborAdvertisement"},
	{137, POLICY_PROTO_ICMPV6, "RedirectMessage"},
	{138, POLICY_PROTO_ICMPV6, "RouterRenumbering"},
	{139, POLICY_PROTO_ICMPV6, "ICMPNodeInformationQuery"},
	{140, POLICY_PROTO_ICMPV6, "ICMPNodeInformationResponse"},
	{141, POLICY_PROTO_ICMPV6, "InverseNeighborDiscoverySolicitation"},
	{142, POLICY_PROTO_ICMPV6, "InverseNeighborDiscoveryAdvertisement"},
	{144, POLICY_PROTO_ICMPV6, "HomeAgentAddressDiscoveryRequest"},
	{145, POLICY_PROTO_ICMPV6, "HomeAgentAddressDiscoveryReply"},
	{146, POLICY_PROTO_ICMPV6, "MobilePrefixSolicitation"},
	{147, POLICY_PROTO_ICMPV6, "MobilePrefixAdvertisement"},
	{157, POLICY_PROTO_ICMPV6, "DuplicateAddressRequestCodeSuffix"},
	{158, POLICY_PROTO_ICMPV6, "DuplicateAddressConfirmationCodeSuffix"},
	{160, POLICY_PROTO_ICMPV6, "ExtendedEchoRequest"},
	{161, POLICY_PROTO_ICMPV6, "ExtendedEchoReply"},
};

static int read_family(struct policy_reader *r, const struct policy_at *at, void *out)
{
	struct policy_port *port = out;
	const char *text = policy_text(r, at);

	if (text && strcmp(text, "IPv4") && strcmp(text, "IPv6"))
		return policy_complain(r, at, "must be IPv4 or IPv6");
	if (text)
		port->proto = text[3] == '6' ? POLICY_PROTO_ICMPV6 : POLICY_PROTO_ICMP;
	return 0;
}

/* A number, or a name of the family, which is read before. */
static int read_type(struct policy_reader *r, const struct policy_at *at, void *out)
{
	struct policy_port *port = out;
	const struct base_doc *doc = at->doc;
	long type = -1;

	for (size_t i = 0; doc->kind == BASE_DOC_SCALAR && i < ARRAY_SIZE(ICMP_TYPES); i++)
		if (ICMP_TYPES[i].proto == port->proto && !strcmp(ICMP_TYPES[i].name, doc->text))
			type = ICMP_TYPES[i].type;
	if (type < 0 && doc->kind == BASE_DOC_SCALAR && !doc->quoted &&
		strspn(doc->text, "0123456789") == strlen(doc->text) && strlen(doc->text) < 4)
		type = strtol(doc->text, NULL, 10);
	if (type < 0 || type > 255)
		return policy_complain(
			r, at, "must be a number from 0 to 255, or the name of a type");
	port->first = port->last = (uint16_t)type;
	return 0;
}

static const struct policy_field ICMP_FIELD[] = {
	{"family", read_family, NULL},
	{"type", read_type, NULL},
};

static int read_icmp_fields(struct policy_reader *r, const struct policy_at *at, void *out)
{
	static const struct policy_port_schema SCHEMA = {
		ICMP_FIELD, ARRAY_SIZE(ICMP_FIELD), "type", POLICY_PROTO_ICMP};
	struct policy_group *group = out;

	group->is_icmp = true;
	return policy_port_list(r, at, &SCHEMA, group);
}

static const struct policy_field ICMP[] = {
	{"fields", read_icmp_fields, NULL},
};

int policy_icmps_read(struct policy_reader *r, const struct policy_at *at, void *out)
{
	struct policy_draft *draft = out;
	struct policy_group *groups;
	size_t n = at->doc->n_entries;
	int err = 0;

	if (!policy_is_list(r, at) || !n)
		return 0;
	if (draft->rule->n_groups)
		return policy_complain(r, at, "cannot be combined with toPorts; make two entries");
	groups = policy_arena_get(&r->set->arena, n, sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	draft->rule->any_port = false;
	for (size_t i = 0; !err && i < n; i++) {
		const struct policy_at there = policy_entry_of(at, i);

		err = policy_fields(r, &there, ICMP, ARRAY_SIZE(ICMP), &groups[i]);
	}
	draft->rule->groups = groups;
	draft->rule->n_groups = n;
	return err;
}
