#include "ctl/map_json.h"

#include "bpfmap/control.h"
#include "bpfmap/dump.h"
#include "bpfmap/events.h"
#include "bpfmap/sweep.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <netinet/in.h>
#include <string.h>

struct address {
	char text[INET6_ADDRSTRLEN + 16];
};

static struct address host_of(uint8_t family, const uint8_t *addr)
{
	struct address a = {""};

	inet_ntop(family == BPFMAP_FAMILY_IPV4 ? AF_INET : AF_INET6, addr, a.text, sizeof(a.text));
	return a;
}

static struct address with_port(uint8_t family, const uint8_t *addr, uint16_t port)
{
	struct address host = host_of(family, addr), a;

	snprintf(a.text, sizeof(a.text), family == BPFMAP_FAMILY_IPV4 ? "%.45s:%u" : "[%.45s]:%u",
		host.text, port);
	return a;
}

static int print(FILE *to, json_t *object)
{
	int rc = object ? json_dumpf(object, to, JSON_COMPACT | JSON_ENSURE_ASCII) : -1;

	json_decref(object);
	if (rc)
		return object ? -EIO : -ENOMEM;
	return fputc('\n', to) == EOF ? -EIO : 0;
}

static const struct {
	uint32_t flag;
	const char *name;
} FLAGS[] = {
	{BPFMAP_FLOW_SHARED, "shared"},
	{BPFMAP_FLOW_REVOKED, "revoked"},
	{BPFMAP_FLOW_KILL, "kill"},
	{BPFMAP_FLOW_TOLD, "told"},
	{BPFMAP_FLOW_DYING, "dying"},
};

static json_t *flags_of(uint32_t flags)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(FLAGS); i++)
		if (flags & FLAGS[i].flag)
			json_array_append_new(list, json_string(FLAGS[i].name));
	return list;
}

/* Numbers of 64 bits are text: JSON's readers keep 53. */
static json_t *number_text(uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, n);
	return json_string(text);
}

struct showing {
	FILE *to;
	const char *client; /* only this one's, or NULL */
	unsigned n;
};

static int show_flow(void *arg, const struct bpfmap_flow_key *key, const struct bpfmap_flow *flow)
{
	const struct address remote = with_port(key->family, key->remote_addr, key->remote_port);
	const struct address local = with_port(key->family, key->local_addr, key->local_port);
	struct showing *s = arg;

	if (s->client && strcmp(s->client, remote.text))
		return 0;
	s->n++;
	return print(
		s->to, json_pack("{s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o}", "map", "flows",
			       "remote", remote.text, "local", local.text, "identity",
			       (json_int_t)flow->identity, "flags", flags_of(flow->flags),
			       "expires_boot_ns", number_text(flow->expires), "cookie",
			       number_text(flow->cookie), "subject", number_text(flow->subject)));
}

static int show_flows(struct bpfmap *map, struct showing *s)
{
	return bpfmap_flows_each(map, show_flow, s);
}

static int show_stats(struct bpfmap *map, struct showing *s)
{
	static const char *const verdicts[] = {"passed", "audited", "stopped"};
	cleanup(free) struct bpfmap_traffic *traffic = NULL;
	size_t n = 0;
	int err = bpfmap_traffic(map, &traffic, &n);

	for (size_t i = 0; i < n && !err; i++) {
		const struct bpfmap_traffic *t = &traffic[i];

		err = print(s->to,
			json_pack("{s:s, s:I, s:s, s:s, s:o, s:o}", "map", "stats", "identity",
				(json_int_t)t->key.identity, "verdict",
				t->key.verdict < ARRAY_SIZE(verdicts) ? verdicts[t->key.verdict]
								      : "unknown",
				"direction",
				t->key.direction == BPFMAP_INGRESS ? "ingress" : "egress",
				"packets", number_text(t->sum.packets), "bytes",
				number_text(t->sum.bytes)));
	}
	return err;
}

static const char *protocol_name(uint8_t protocol)
{
	return protocol == IPPROTO_TCP ? "tcp" : protocol == IPPROTO_UDP ? "udp" : "other";
}

static uint16_t port_of(const uint8_t port[2])
{
	return (uint16_t)(port[0] << 8 | port[1]);
}

static int show_endpoint(void *arg, const void *key, const void *value)
{
	const struct bpfmap_endpoint_key *k = key;
	const struct bpfmap_endpoint *v = value;
	const struct showing *s = arg;

	return print(
		s->to, json_pack("{s:s, s:I, s:s, s:i, s:s, s:i, s:I}", "map", "endpoints", "epoch",
			       (json_int_t)k->epoch, "address", host_of(k->family, k->addr).text,
			       "prefix", (int)(k->prefixlen - BPFMAP_ENDPOINT_BITS), "protocol",
			       protocol_name(k->protocol), "port", port_of(k->port), "service",
			       (json_int_t)v->service));
}

static int show_rule(void *arg, const void *key, const void *value)
{
	const struct bpfmap_policy_key *k = key;
	const uint32_t *verdict = value;
	const struct showing *s = arg;
	const unsigned bits = k->prefixlen - BPFMAP_POLICY_BITS;
	const unsigned lo = port_of(k->port);

	return print(
		s->to, json_pack("{s:s, s:I, s:I, s:I, s:s, s:s, s:i, s:i, s:s}", "map", "policy",
			       "epoch", (json_int_t)k->epoch, "service", (json_int_t)k->service,
			       "identity", (json_int_t)k->identity, "direction",
			       k->direction == BPFMAP_INGRESS ? "ingress" : "egress", "protocol",
			       protocol_name(k->protocol), "port_lo", (int)lo, "port_hi",
			       (int)(lo + (65536U >> bits) - 1), "verdict",
			       *verdict == BPFMAP_POLICY_ALLOW ? "allow" : "deny"));
}

static int show_endpoints(struct bpfmap *map, struct showing *s)
{
	return bpfmap_each(map, BPFMAP_MAP_ENDPOINTS, show_endpoint, s);
}

static int show_policy(struct bpfmap *map, struct showing *s)
{
	return bpfmap_each(map, BPFMAP_MAP_POLICY, show_rule, s);
}

static int show_control(struct bpfmap *map, struct showing *s)
{
	struct bpfmap_control c;
	json_t *object, *modes;
	int err = bpfmap_control_get(map, &c);

	if (err)
		return err;
	modes = json_object();
	for (int i = 0; i < BPFMAP_PARTS; i++)
		json_object_set_new(
			modes, bpfmap_part_name(i), json_string(bpfmap_mode_name(c.mode[i])));
	object = json_pack("{s:s, s:I, s:o, s:b, s:I, s:o}", "map", "control", "epoch",
		(json_int_t)c.epoch, "modes", modes, "deny_unmarked", c.deny_unmarked,
		"events_per_second", (json_int_t)c.events_per_second, "break_glass_until_boot_ns",
		number_text(c.break_glass_until));
	return print(s->to, object);
}

static int show_settings(struct bpfmap *map, struct showing *s)
{
	struct bpfmap_settings settings;
	json_t *ports;
	int err = bpfmap_settings_get(map, &settings);

	if (err)
		return err;
	ports = json_array();
	for (uint32_t i = 0; i < settings.n_ports && i < BPFMAP_PORTS_MAX; i++)
		json_array_append_new(ports, json_integer(settings.ports[i]));
	return print(s->to, json_pack("{s:s, s:I, s:I, s:o}", "map", "settings", "version",
				    (json_int_t)settings.version, "clusters",
				    (json_int_t)settings.clusters, "ports", ports));
}

static int (*const SHOW[BPFMAP_MAPS])(struct bpfmap *map, struct showing *s) = {
	[BPFMAP_MAP_FLOWS] = show_flows,
	[BPFMAP_MAP_SETTINGS] = show_settings,
	[BPFMAP_MAP_CONTROL] = show_control,
	[BPFMAP_MAP_STATS] = show_stats,
	[BPFMAP_MAP_ENDPOINTS] = show_endpoints,
	[BPFMAP_MAP_POLICY] = show_policy,
};

bool ctl_map_json_knows(int id)
{
	return SHOW[id] != NULL;
}

int ctl_map_json(struct bpfmap *map, enum bpfmap_map id, FILE *to)
{
	struct showing s = {.to = to};

	return SHOW[id](map, &s);
}

int ctl_map_json_client(struct bpfmap *map, const char *client, FILE *to, unsigned *ret_n)
{
	struct showing s = {.to = to, .client = client};
	int err = show_flows(map, &s);

	*ret_n = s.n;
	return err;
}
