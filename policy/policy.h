/*
 * CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy, ingress side: which
 * identity may reach which service, at which port, with which HTTP request.
 *
 * A set is filled from documents (policy/load.h), made ready, and immutable
 * from then on. Targets are what policies protect: services with labels.
 * Parties are who asks: labels or an address. A view is what the rules for one
 * target say about one party; policy_view_judge() asks it.
 *
 * Semantics: docs/POLICY.md. Sources: cilium Documentation/security/policy,
 * pkg/policy, and what Cilium's own engine answered (the vectors in tests).
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "base/diag.h"
#include "base/doc.h"
#include "base/mem.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_RULES_MAX     65536 /* entries of ingress and ingressDeny in a set */
#define POLICY_SELECTORS_MAX 65536
#define POLICY_PORTS_MAX     40    /* of one toPorts entry: cilium maxPorts */
#define POLICY_PATTERN_MAX   1024  /* bytes of one regular expression */
#define POLICY_INPUT_MAX     16384 /* bytes of a path with query, a method or a host */

/* IP protocol numbers; ANY stands for each of them. */
enum policy_proto {
	POLICY_PROTO_ANY = 0,
	POLICY_PROTO_ICMP = 1,
	POLICY_PROTO_IGMP = 2,
	POLICY_PROTO_TCP = 6,
	POLICY_PROTO_UDP = 17,
	POLICY_PROTO_ICMPV6 = 58,
	POLICY_PROTO_VRRP = 112,
	POLICY_PROTO_SCTP = 132,
};

/* "TCP" and so on, whatever the case; -1: no such protocol. */
int policy_proto_find(const char *word);
const char *policy_proto_name(int proto);

/* Peers that are not chosen by their own labels (cilium pkg/policy/api/entity.go). */
enum policy_entity {
	POLICY_ENTITY_ALL,
	POLICY_ENTITY_WORLD,
	POLICY_ENTITY_WORLD4,
	POLICY_ENTITY_WORLD6,
	POLICY_ENTITY_CLUSTER,
	POLICY_ENTITY_MESH,
	POLICY_ENTITY_HOST,
	POLICY_ENTITY_INIT,
	POLICY_ENTITY_INGRESS,
	POLICY_ENTITY_UNMANAGED,
	POLICY_ENTITY_REMOTE_NODE,
	POLICY_ENTITY_HEALTH,
	POLICY_ENTITY_NONE,
	POLICY_ENTITY_API_SERVER,
};
#define POLICY_ENTITIES (POLICY_ENTITY_API_SERVER + 1)

const char *policy_entity_name(enum policy_entity entity);

struct policy_address {
	uint8_t bytes[16]; /* network order */
	uint8_t len;       /* 4 or 16; 0: none */
};

/* "10.1.2.3" or "2001:db8::5"; 0 or -EINVAL. */
int policy_address_parse(const char *text, struct policy_address *ret_address) must_check;

/* Addresses that share their first bits; the others are zero. */
struct policy_range {
	struct policy_address net;
	uint8_t bits;
};

/* "10.0.0.0/8", or an address alone, which is then the whole range; 0 or -EINVAL. */
int policy_range_parse(const char *text, struct policy_range *ret_range) must_check;

struct policy_options {
	const char *cluster; /* name of the local cluster; NULL: "default" */
	bool audit;          /* every policy only observes */
	bool judge_only;     /* take rules that would change a request (mismatch ADD, DELETE,
				REPLACE): fit for questions, not for enforcement */
};

struct policy_set;

/* An empty set, or NULL without memory. */
struct policy_set *policy_set_new(const struct policy_options *options) must_check;
void policy_set_free(struct policy_set *set);

/*
 * Adds what one document holds. Mistakes go to diag, what is fine but not
 * enforced here (egress) to notes; both with position and the field's path. A
 * document with a mistake adds nothing. 0, -EINVAL (look at diag) or -ENOMEM.
 */
int policy_set_add(struct policy_set *set, const char *file, const struct base_doc *doc,
	struct base_diag *diag, struct base_diag *notes) must_check;

/* Compiles what was added. Nothing can be added afterwards. 0 or -ENOMEM. */
int policy_set_ready(struct policy_set *set) must_check;

size_t policy_set_policies(const struct policy_set *set);
size_t policy_set_rules(const struct policy_set *set);

/* Does any rule look at request headers? */
bool policy_set_needs_headers(const struct policy_set *set);

/*
 * Who asks, or what is asked for: labels "source:key=value" (a source that is
 * missing is unspec; of two with one key the later counts) or, for somebody
 * outside the cluster, an address with len > 0. Good for this set only.
 */
struct policy_party;
struct policy_party *policy_party_new(const struct policy_set *set, const struct span *labels,
	size_t n, const struct policy_address *address) must_check;
/* The same from canonical text "source:key=value;...". */
struct policy_party *policy_party_of_text(
	const struct policy_set *set, struct span text) must_check;
void policy_party_free(struct policy_party *party);

struct policy_named_port {
	const char *name;
	uint16_t port;
};

/* What is protected. With only, nothing but this one port is ever asked about. */
struct policy_endpoint {
	const struct policy_party *party;
	const struct policy_named_port *named;
	size_t n_named;
	bool only;
	enum policy_proto proto;
	uint16_t port;
};

/* What the set says about one endpoint, before anybody asks. NULL without memory. */
struct policy_target;
struct policy_target *policy_target_new(
	const struct policy_set *set, const struct policy_endpoint *endpoint) must_check;
void policy_target_free(struct policy_target *target);

/* What the rules for one target, which must outlive it, say about one party. NULL without memory. */
struct policy_view;
struct policy_view *policy_view_new(const struct policy_set *set,
	const struct policy_target *target, const struct policy_party *party) must_check;
void policy_view_free(struct policy_view *view);

DEFINE_CLEANUP(policy_set, struct policy_set *, policy_set_free)
DEFINE_CLEANUP(policy_party, struct policy_party *, policy_party_free)
DEFINE_CLEANUP(policy_target, struct policy_target *, policy_target_free)
DEFINE_CLEANUP(policy_view, struct policy_view *, policy_view_free)

/* What a thread needs to match patterns; not shared. NULL without memory. */
struct policy_scratch;
struct policy_scratch *policy_scratch_new(void) must_check;
void policy_scratch_free(struct policy_scratch *scratch);
DEFINE_CLEANUP(policy_scratch, struct policy_scratch *, policy_scratch_free)

struct policy_header_field {
	struct span name, value;
};

struct policy_request {
	struct span method, host;
	struct span path;                          /* with '?' and the query, when there is one */
	const struct policy_header_field *headers; /* in the order of the request */
	size_t n_headers;
};

enum policy_verdict {
	POLICY_ALLOW,
	POLICY_DENY,
	POLICY_ERROR, /* a limit was hit; L7 only */
};

/* Why: a rule of the set, or none. */
struct policy_cause {
	uint32_t rule;  /* UINT32_MAX: no rule; the default decided */
	uint32_t group; /* entry of toPorts; UINT32_MAX: none */
	uint32_t http;  /* entry of rules.http; UINT32_MAX: none */
};

struct policy_answer {
	enum policy_verdict verdict; /* what to do */
	enum policy_verdict l4, l7;  /* l7 is meant only when has_l7 */
	bool has_l7;                 /* a rule with L7 rules concerns this party and port */
	bool selected;               /* some policy refuses here what no rule allows */
	bool audited;              /* policies in audit mode would have denied: verdict is ALLOW */
	struct policy_cause cause; /* of verdict, or, when audited, of the denial */
};

/*
 * Judges one connection, and with a request one request on it. Without a
 * request L7 rules are passed over: l7 is not decided. Allocates nothing.
 */
void policy_view_judge(const struct policy_set *set, const struct policy_view *view,
	enum policy_proto proto, uint16_t port, const struct policy_request *request,
	struct policy_scratch *scratch, struct policy_answer *ret_answer);

/*
 * The words for a cause: "shop/web:ingress[0]", "shop/web:specs[1].ingressDeny[0]",
 * with the toPorts and http entry when there are any; "default-deny" or
 * "default-allow" without a rule. Always ends with a NUL; returns its length.
 */
size_t policy_cause_text(
	const struct policy_set *set, const struct policy_answer *answer, char *buf, size_t size);

/* Where the policy of a cause with a rule stands; the file lives as long as the set. */
void policy_cause_where(const struct policy_set *set, const struct policy_cause *cause,
	const char **ret_file, unsigned *ret_line);

#endif
