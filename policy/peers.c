#include "policy/cidr.h"
#include "policy/rule.h"
#include "policy/selector.h"

#include <errno.h>
#include <string.h>

static const char *const ENTITIES[] = {
	[POLICY_ENTITY_ALL] = "all",
	[POLICY_ENTITY_WORLD] = "world",
	[POLICY_ENTITY_WORLD4] = "world-ipv4",
	[POLICY_ENTITY_WORLD6] = "world-ipv6",
	[POLICY_ENTITY_CLUSTER] = "cluster",
	[POLICY_ENTITY_MESH] = "cluster-mesh",
	[POLICY_ENTITY_HOST] = "host",
	[POLICY_ENTITY_INIT] = "init",
	[POLICY_ENTITY_INGRESS] = "ingress",
	[POLICY_ENTITY_UNMANAGED] = "unmanaged",
	[POLICY_ENTITY_REMOTE_NODE] = "remote-node",
	[POLICY_ENTITY_HEALTH] = "health",
	[POLICY_ENTITY_NONE] = "none",
	[POLICY_ENTITY_API_SERVER] = "kube-apiserver",
};
_Static_assert(ARRAY_SIZE(ENTITIES) == POLICY_ENTITIES, "a word for each");

const char *policy_entity_name(enum policy_entity entity)
{
	return ENTITIES[entity];
}

/*
 * Makes room for the peers of one from* list. NULL in *ret_peers: there is
 * nothing to read (empty, no list, or a second kind of list).
 */
static int open_list(struct policy_reader *r, const struct policy_at *at,
	struct policy_draft *draft, struct policy_peer **ret_peers)
{
	size_t n = at->doc->n_entries;
	struct policy_peer *peers;

	*ret_peers = NULL;
	draft->has_peers = true;
	if (!policy_is_list(r, at))
		return 0;
	if (!n) {
		draft->no_peers = true;
		return 0;
	}
	if (draft->kind)
		return policy_complain(
			r, at, "cannot be combined with %s in one entry; make two", draft->kind);
	draft->kind = at->key;
	peers = policy_arena_get(&r->set->arena, n, sizeof(*peers));
	if (!peers)
		return -ENOMEM;
	draft->rule->peers = *ret_peers = peers;
	draft->rule->n_peers = n;
	return 0;
}

static int read_selectors(struct policy_reader *r, const struct policy_at *at,
	struct policy_draft *draft, enum policy_scope scope)
{
	struct policy_peer *peers;
	int err = open_list(r, at, draft, &peers);

	for (size_t i = 0; !err && peers && i < draft->rule->n_peers; i++) {
		const struct policy_at there = policy_entry_of(at, i);

		peers[i].kind = POLICY_PEER_LABELS;
		err = policy_selector_read(r, &there, scope, &peers[i].selector, NULL);
	}
	return err;
}

int policy_peers_endpoints(struct policy_reader *r, const struct policy_at *at, void *out)
{
	return read_selectors(r, at, out, POLICY_SCOPE_PEER);
}

int policy_peers_nodes(struct policy_reader *r, const struct policy_at *at, void *out)
{
	return read_selectors(r, at, out, POLICY_SCOPE_FROM_NODE);
}

static struct policy_cidr_rule *new_cidr(struct policy_reader *r, struct policy_peer *peer)
{
	struct policy_cidr_rule *rule = policy_arena_get(&r->set->arena, 1, sizeof(*rule));

	*peer = (struct policy_peer){.kind = POLICY_PEER_CIDR, .cidr = rule};
	return rule;
}

int policy_peers_cidr(struct policy_reader *r, const struct policy_at *at, void *out)
{
	struct policy_draft *draft = out;
	struct policy_peer *peers;
	int err = open_list(r, at, draft, &peers);

	for (size_t i = 0; !err && peers && i < draft->rule->n_peers; i++) {
		const struct policy_at there = policy_entry_of(at, i);
		const char *text = policy_text(r, &there);
		struct policy_cidr_rule *rule = new_cidr(r, &peers[i]);

		if (!rule)
			return -ENOMEM;
		if (text && policy_cidr_parse(text, true, &rule->cidr))
			policy_complain(r, &there,
				"must be an address, or a range such as "
				"10.0.0.0/8");
	}
	return err;
}

static int read_range(struct policy_reader *r, const struct policy_at *at, void *out)
{
	struct policy_cidr_rule *rule = out;
	const char *text = policy_text(r, at);

	if (text && policy_cidr_parse(text, false, &rule->cidr))
		policy_complain(r, at, "must be a range such as 10.0.0.0/8");
	return 0;
}

/* Reads the exceptions after the range, since they must lie within. */
static int read_except(struct policy_reader *r, const struct policy_at *at, void *out)
{
	struct policy_cidr_rule *rule = out;
	struct policy_range *except;

	if (!policy_is_list(r, at))
		return 0;
	except = policy_arena_get(&r->set->arena, at->doc->n_entries, sizeof(*except));
	if (!except)
		return -ENOMEM;
	for (size_t i = 0; i < at->doc->n_entries; i++) {
		const struct policy_at there = policy_entry_of(at, i);
		const char *text = policy_text(r, &there);

		if (text && policy_cidr_parse(text, false, &except[i]))
			policy_complain(r, &there, "must be a range such as 10.9.0.0/16");
		else if (text && !policy_cidr_has(&rule->cidr, &except[i].net))
			policy_complain(r, &there, "does not lie within 'cidr'");
	}
	rule->except = except;
	rule->n_except = at->doc->n_entries;
	return 0;
}

static const char CIDR_GROUPS[] = "CiliumCIDRGroup objects are not read";

static const struct policy_field CIDR_SET[] = {
	{"cidr", read_range, NULL},
	{"except", read_except, NULL},
	{"cidrGroupRef", NULL, CIDR_GROUPS},
	{"cidrGroupSelector", NULL, CIDR_GROUPS},
};

int policy_peers_cidr_set(struct policy_reader *r, const struct policy_at *at, void *out)
{
	struct policy_draft *draft = out;
	struct policy_peer *peers;
	int err = open_list(r, at, draft, &peers);

	for (size_t i = 0; !err && peers && i < draft->rule->n_peers; i++) {
		const struct policy_at there = policy_entry_of(at, i);
		struct policy_cidr_rule *rule = new_cidr(r, &peers[i]);
		size_t found = r->diag->n_found;

		if (!rule)
			return -ENOMEM;
		err = policy_fields(r, &there, CIDR_SET, ARRAY_SIZE(CIDR_SET), rule);
		if (!err && r->diag->n_found == found && !policy_get(&there, "cidr"))
			policy_complain(r, &there, "needs 'cidr'");
	}
	return err;
}

int policy_peers_entities(struct policy_reader *r, const struct policy_at *at, void *out)
{
	struct policy_draft *draft = out;
	struct policy_peer *peers;
	int err = open_list(r, at, draft, &peers);

	for (size_t i = 0; !err && peers && i < draft->rule->n_peers; i++) {
		const struct policy_at there = policy_entry_of(at, i);
		const char *text = policy_text(r, &there);
		size_t entity = 0;

		while (text && entity < POLICY_ENTITIES && strcmp(ENTITIES[entity], text))
			entity++;
		if (text && entity == POLICY_ENTITIES)
			policy_complain(r, &there, "there is no such entity");
		peers[i] =
			(struct policy_peer){.kind = POLICY_PEER_ENTITY, .entities = 1u << entity};
	}
	return err;
}

/* A list that Cilium no longer allows to have entries. */
int policy_peers_empty(struct policy_reader *r, const struct policy_at *at, void *out)
{
	(void)out;
	if (policy_is_list(r, at) && at->doc->n_entries)
		policy_complain(r, at,
			"not supported: removed from Cilium 1.19; use "
			"matchExpressions in fromEndpoints");
	return 0;
}
