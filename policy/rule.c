#include "policy/rule.h"

#include <string.h>

static int read_mode(struct policy_reader *r, const struct policy_at *at, void *out)
{
	const char *text = policy_text(r, at);

	(void)out;
	if (text && strcmp(text, "disabled"))
		policy_complain(r, at,
			"not supported: Cilium's mutual authentication ends at its "
			"own agents; only 'disabled' is possible");
	return 0;
}

static const struct policy_field AUTHENTICATION[] = {
	{"mode", read_mode, NULL},
};

static int read_authentication(struct policy_reader *r, const struct policy_at *at, void *out)
{
	return policy_fields(r, at, AUTHENTICATION, ARRAY_SIZE(AUTHENTICATION), out);
}

#define GROUPS_WHY "groups of cloud providers are not looked up"

static const struct policy_field ALLOW[] = {
	{"fromEndpoints", policy_peers_endpoints, NULL},
	{"fromEntities", policy_peers_entities, NULL},
	{"fromCIDR", policy_peers_cidr, NULL},
	{"fromCIDRSet", policy_peers_cidr_set, NULL},
	{"fromNodes", policy_peers_nodes, NULL},
	{"fromRequires", policy_peers_empty, NULL},
	{"fromGroups", NULL, GROUPS_WHY},
	{"toPorts", policy_ports_read, NULL},
	{"icmps", policy_icmps_read, NULL},
	{"authentication", read_authentication, NULL},
};

/* Everything but the last, which is no part of a denial. */
#define N_DENY (ARRAY_SIZE(ALLOW) - 1)

int policy_rule_read(struct policy_reader *r, const struct policy_at *at, struct policy_rule *rule)
{
	struct policy_draft draft = {.rule = rule};
	int err;

	rule->any_port = true;
	err = policy_fields(r, at, ALLOW, rule->deny ? N_DENY : ARRAY_SIZE(ALLOW), &draft);
	/*
	 * No from* at all is anybody, at the ports that are given; with no port
	 * either (`ingress: [{}]`) it is nobody: only the default deny stays.
	 */
	rule->any_peer = !draft.has_peers && !rule->any_port;
	if (draft.no_peers)
		rule->n_peers = 0;
	return err;
}
