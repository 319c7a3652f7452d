/*
 * What policy files say, as the engine holds it. Internal to the room: others
 * see policy/policy.h. Everything lives in the set's arena.
 *
 * Sources: cilium pkg/policy/api (schema), pkg/k8s/apis/cilium.io/utils
 * (scoping), pkg/policy/types (matching).
 */
#ifndef POLICY_MODEL_H
#define POLICY_MODEL_H

#include "policy/names.h"
#include "policy/pattern.h"
#include "policy/policy.h"

#include <stdint.h>

#define POLICY_NONE UINT32_MAX

enum policy_op {
	POLICY_IN,
	POLICY_NOT_IN, /* also true when the key is missing, as in Kubernetes */
	POLICY_EXISTS,
	POLICY_ABSENT,
};

/* One requirement of a selector. */
struct policy_need {
	uint32_t source; /* POLICY_NAME_NONE: any */
	uint32_t key;
	enum policy_op op;
	uint32_t n_values;
	const uint32_t *values;
};

/* All must hold. Equal selectors of a set are one. */
struct policy_selector {
	const struct policy_need *needs;
	uint32_t n;
};

struct policy_cidr_rule {
	struct policy_range cidr;
	const struct policy_range *except;
	size_t n_except;
};

enum policy_peer_kind {
	POLICY_PEER_LABELS,
	POLICY_PEER_ENTITY,
	POLICY_PEER_CIDR,
};

struct policy_peer {
	enum policy_peer_kind kind;
	uint32_t selector; /* LABELS */
	uint32_t entities; /* ENTITY: POLICY_ENTITY_* bits, any of which will do */
	const struct policy_cidr_rule *cidr; /* CIDR */
};

struct policy_port {
	uint8_t proto;        /* POLICY_PROTO_ANY or an IP protocol */
	uint16_t first, last; /* inclusive; 0 to 65535: every port */
	uint32_t name;        /* of a named port, else POLICY_NAME_NONE */
};

struct policy_header {
	const char *name;
	const char *value; /* NULL: only presence counts */
	size_t n_value;
	bool log_only; /* headerMatches with mismatch LOG: never fails the rule */
};

struct policy_http {
	uint32_t method, path, host; /* patterns of the set; POLICY_NONE: any */
	const struct policy_header *headers;
	size_t n_headers;
};

/* One entry of toPorts, or one of icmps. */
struct policy_group {
	const struct policy_port *ports;
	size_t n_ports;
	const struct policy_http *http;
	size_t n_http; /* 0: no L7 rules */
	bool is_icmp;
	bool has_headers; /* some of http looks at headers */
};

/* One entry of ingress or ingressDeny. */
struct policy_rule {
	uint32_t spec;
	uint16_t entry; /* its place in the list */
	bool deny;
	bool any_peer;
	const struct policy_peer *peers; /* none, and not any_peer: selects nobody */
	size_t n_peers;
	bool any_port;
	const struct policy_group *groups;
	size_t n_groups;
};

struct policy_spec {
	uint32_t object;
	uint16_t index;    /* in specs; 0 for spec */
	bool of_list;      /* it came from specs */
	bool node;         /* nodeSelector: only endpoints that are hosts */
	uint32_t subject;  /* selector */
	bool default_deny; /* selected endpoints refuse what no rule allows */
	uint32_t first_rule, n_rules;
};

struct policy_object {
	uint32_t name;
	uint32_t namespace; /* POLICY_NAME_NONE: clusterwide */
	uint32_t file;
	unsigned line;
	bool audit;
};

struct policy_set {
	struct policy_arena arena;
	struct policy_names names;
	struct policy_options options;
	uint32_t cluster_name;  /* the local cluster's */
	uint32_t key_namespace; /* io.kubernetes.pod.namespace */
	uint32_t key_cluster;   /* io.cilium.k8s.policy.cluster */
	uint32_t source_k8s, source_reserved;
	uint32_t reserved[POLICY_ENTITIES]; /* names of the reserved labels, by entity */

	struct policy_object *objects;
	size_t n_objects, room_objects;
	struct policy_spec *specs;
	size_t n_specs, room_specs;
	struct policy_rule *rules;
	size_t n_rules, room_rules;
	struct policy_selector *selectors;
	size_t n_selectors, room_selectors;
	uint32_t *selector_slots; /* to find equal ones; open addressing, place + 1 */
	size_t n_selector_slots;
	struct policy_pattern *patterns;
	size_t n_patterns, room_patterns;
	uint32_t *pattern_slots;
	size_t n_pattern_slots;
	bool needs_headers;
	bool has_audit;               /* some policy only observes */
	struct policy_lookup *lookup; /* selectors by a label that they demand */
};

/* Makes room for one more item in an array of the set. 0 or -ENOMEM. */
int policy_set_room(void *array_pointer, size_t n, size_t *room, size_t size) must_check;

/* The number of a selector with these needs, sorted here. needs is copied. */
int policy_set_selector(struct policy_set *set, struct policy_need *needs, uint32_t n,
	uint32_t *ret_selector) must_check;

struct policy_label {
	uint32_t source, key, value;
};

struct policy_party {
	uint32_t entities; /* POLICY_ENTITY_* bits */
	struct policy_address address;
	size_t n_labels;
	struct policy_label labels[];
};

/* Does the party carry what the selector demands? */
bool policy_selector_holds(
	const struct policy_selector *selector, const struct policy_party *party);

/* The selectors that the party matches, as bits; hits has policy_hit_words() words. */
void policy_lookup_find(
	const struct policy_set *set, const struct policy_party *party, uint64_t *hits);
int policy_lookup_new(struct policy_set *set) must_check;
void policy_lookup_free(struct policy_lookup *lookup);

static inline size_t policy_hit_words(const struct policy_set *set)
{
	return (set->n_selectors + 63) / 64;
}

static inline bool policy_is_hit(const uint64_t *hits, uint32_t selector)
{
	return hits[selector / 64] >> (selector % 64) & 1;
}

/* Is the address in the range and in none of its exceptions? */
bool policy_cidr_holds(const struct policy_cidr_rule *rule, const struct policy_address *address);

/* Does the rule's from* choose the party, whose selectors are hits? */
bool policy_rule_chooses(
	const struct policy_rule *rule, const struct policy_party *party, const uint64_t *hits);

enum policy_entry_flags {
	POLICY_ENTRY_DENY = 1,
	POLICY_ENTRY_AUDIT = 2,
	POLICY_ENTRY_L7 = 4,
};

/* One port of one rule: what a view and the kernel's map are made of. */
struct policy_entry {
	uint32_t rule, group; /* group: POLICY_NONE when the rule has no toPorts */
	uint16_t first, last;
	uint8_t proto;
	uint8_t flags;
};

struct policy_entries {
	struct policy_entry *items;
	size_t n, room;
};

/* A rule that concerns the target, and its entries there. */
struct policy_target_rule {
	uint32_t rule;
	uint32_t first, n;
};

struct policy_target {
	bool narrow;                      /* its entries are all of one port */
	bool refuses;                     /* by default, when every policy counts */
	bool refuses_enforced;            /* ... when those in audit mode do not */
	struct policy_entries anybody;    /* of rules that name no peer */
	struct policy_entries entries;    /* of the others */
	struct policy_target_rule *rules; /* the others */
	size_t n_rules, room_rules;
};

struct policy_view {
	const struct policy_target *target;
	struct policy_entries entries;
};

/* Appends what the target's rules say about the party, whose selectors are hits. 0 or -ENOMEM. */
int policy_target_view(const struct policy_set *set, const struct policy_target *target,
	const struct policy_party *party, const uint64_t *hits,
	struct policy_entries *entries) must_check;

/* Does the request fit one of the group's HTTP rules? 1 and *ret_http, 0, or -1: a limit. */
int policy_match_group(const struct policy_set *set, const struct policy_group *group,
	const struct policy_request *request, struct policy_scratch *scratch, uint32_t *ret_http);

struct policy_question {
	enum policy_proto proto;
	uint16_t port;
	const struct policy_request *request; /* NULL: L3 and L4 only */
};

/* "shop/web:ingress[0]". */
struct policy_text;
void policy_cause_rule(struct policy_text *text, const struct policy_set *set, uint32_t number);

/* What of an HTTP rule does not fit: "path", "header X-A", ...; NULL: all fits. */
const char *policy_match_fault(const struct policy_set *set, const struct policy_http *http,
	const struct policy_request *request, struct policy_scratch *scratch, const char **ret_of);

/* Which demand of a selector the party fails; NULL: none. */
const struct policy_need *policy_selector_fault(
	const struct policy_selector *selector, const struct policy_party *party);

/* The number that the rule's port has at the endpoint; false: no port of that name. */
bool policy_port_resolve(const struct policy_set *set, const struct policy_endpoint *endpoint,
	const struct policy_port *port, struct policy_entry *entry);

/* Does the spec's selector choose the party, whose selectors are hits? */
bool policy_spec_concerns(
	const struct policy_spec *spec, const struct policy_party *party, const uint64_t *hits);

/* What the index holds, for whoever looks closer: a service at all its ports, a caller. */
struct policy_index;
const struct policy_target *policy_index_target(const struct policy_index *index, size_t service);
const struct policy_party *policy_index_party(const struct policy_index *index, uint32_t caller);

/* policy_view_judge() on entries that lie elsewhere than in a view. */
void policy_judge_entries(const struct policy_set *set, const struct policy_target *target,
	const struct policy_entry *items, size_t n, const struct policy_question *question,
	struct policy_scratch *scratch, struct policy_answer *ret_answer);

#endif
