/*
 * One entry of ingress or ingressDeny, and its parts.
 */
#ifndef POLICY_RULE_H
#define POLICY_RULE_H

#include "policy/field.h"
#include "policy/model.h"

/* An entry on its way: what was read so far. */
struct policy_draft {
	struct policy_rule *rule;
	bool has_peers;   /* some from* is there */
	bool no_peers;    /* ... and is an empty list, which selects nobody */
	const char *kind; /* which from* has entries; they exclude each other */
};

/* fromEndpoints and the other from* fields of an entry; out is a struct policy_draft. */
int policy_peers_endpoints(struct policy_reader *r, const struct policy_at *at, void *out);
int policy_peers_nodes(struct policy_reader *r, const struct policy_at *at, void *out);
int policy_peers_cidr(struct policy_reader *r, const struct policy_at *at, void *out);
int policy_peers_cidr_set(struct policy_reader *r, const struct policy_at *at, void *out);
int policy_peers_entities(struct policy_reader *r, const struct policy_at *at, void *out);
int policy_peers_empty(struct policy_reader *r, const struct policy_at *at, void *out);

/* What an entry of a list of ports looks like. */
struct policy_port_schema {
	const struct policy_field *fields; /* out is a struct policy_port */
	size_t n_fields;
	const char *needed;      /* the field that must be there */
	enum policy_proto proto; /* unless a field says otherwise */
};

/* Such a list into a group. 0 with mistakes in diag, or -ENOMEM. */
int policy_port_list(struct policy_reader *r, const struct policy_at *at,
	const struct policy_port_schema *schema, struct policy_group *group) must_check;

/* toPorts and icmps. */
int policy_ports_read(struct policy_reader *r, const struct policy_at *at, void *out);
int policy_icmps_read(struct policy_reader *r, const struct policy_at *at, void *out);

/* rules.http of a toPorts entry; out is a struct policy_group. */
int policy_http_read(struct policy_reader *r, const struct policy_at *at, void *out);

/* A whole entry. 0 with mistakes in diag, or -ENOMEM. */
int policy_rule_read(
	struct policy_reader *r, const struct policy_at *at, struct policy_rule *rule) must_check;

#endif
