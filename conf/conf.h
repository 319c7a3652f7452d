/*
 * The configuration as the rest of the program sees it: plain structs, filled
 * from one YAML file by the key table in conf/keys.c, checked as a whole.
 * Immutable after loading. Durations are milliseconds unless a name says
 * otherwise; texts are NUL-terminated and never empty unless said.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/diag.h"
#include "base/doc.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf_pos {
	unsigned line;
	unsigned column;
};

struct conf_strings {
	char **items;
	size_t n;
};

enum conf_bpf_mode {
	CONF_BPF_AUTO,
	CONF_BPF_REQUIRED,
	CONF_BPF_OFF,
};

enum conf_audit_to {
	CONF_AUDIT_NONE,
	CONF_AUDIT_FILE,
	CONF_AUDIT_STDOUT,
};

enum conf_dpop {
	CONF_DPOP_OFF,
	CONF_DPOP_OPTIONAL,
	CONF_DPOP_REQUIRED,
};

enum conf_client {
	CONF_CLIENT_REQUIRED,
	CONF_CLIENT_OPTIONAL,
};

/* The parts of the kernel's work that have a mode, as in bpfmap/abi.h. */
enum conf_mode_of {
	CONF_MODE_OF_CONNECT,
	CONF_MODE_OF_PACKETS,
	CONF_MODE_OF_REVOKED,
	CONF_MODE_OF_KILL,
	CONF_MODES,
};

struct conf_listen {
	struct conf_pos pos;
	char *unix_path; /* exactly one of unix_path and tcp_host */
	int mode;        /* of the unix socket */
	char *group;     /* name or number; NULL: the daemon's */
	/* Who may connect to it, names or numbers; both empty: whom mode and group let in. */
	struct conf_strings users, groups;
	char *tcp_host; /* a literal address */
	uint16_t tcp_port;
	struct conf_strings allow; /* ranges of addresses that may connect; empty: all */
	struct {
		char *cert; /* NULL: no TLS */
		char *key;
		char *client_ca;                  /* NULL: clients show no certificate */
		int client;                       /* enum conf_client */
		struct conf_strings client_names; /* empty: any that client_ca signed */
	} tls;
};

/* What a condition looks at; for each a field of its name. */
enum conf_about {
	CONF_ABOUT_CLAIM,
	CONF_ABOUT_ACTOR,
	CONF_ABOUT_CERT,
	CONF_ABOUT_SCOPE,
	CONF_ABOUT_SOURCE,
	CONF_ABOUT_WORKLOAD,
};

enum conf_test {
	CONF_TEST_EQUALS,
	CONF_TEST_ANY,
	CONF_TEST_ALL,
	CONF_TEST_EXISTS,
	CONF_TEST_PREFIX,
	CONF_TEST_GLOB,
	CONF_TEST_AT_LEAST,
	CONF_TEST_AT_MOST,
};

/* As it is written: exactly one of the first six; of the others see conf_condition_test. */
struct conf_condition {
	struct conf_pos pos;
	struct conf_strings claim, actor, cert; /* path: one segment or several */
	struct conf_strings scope;              /* all of them, no test */
	struct conf_strings source;             /* networks, no test */
	struct conf_strings workload;           /* labels, all of them, no test */
	bool proxied;
	struct conf_strings equals, any, all, prefix, glob;
	char *at_least, *at_most; /* numbers */
	bool exists;
};

enum conf_about conf_condition_about(const struct conf_condition *condition);

/* The one test of a condition that passed the check; its texts, where it has some. */
enum conf_test conf_condition_test(
	const struct conf_condition *condition, const struct conf_strings **ret_values);

/* claim_NAME for HAProxy, and the claim that it is. */
struct conf_export {
	struct conf_pos pos;
	char *name;
	struct conf_strings claim;
};

/* Which tokens a provider is asked about (RFC 7662). */
enum conf_introspect {
	CONF_INTROSPECT_OPAQUE, /* those that only it can read */
	CONF_INTROSPECT_ALWAYS, /* these, and signed ones besides */
};

/* How we say who we are. */
enum conf_auth {
	CONF_AUTH_BASIC,
	CONF_AUTH_POST,
	CONF_AUTH_CERTIFICATE,
};

struct conf_introspection {
	char *url;    /* NULL: it is not asked */
	int use;      /* enum conf_introspect */
	char *prefix; /* what its opaque tokens begin with; NULL: anything */
	int auth;     /* enum conf_auth */
	char *client_id;
	char *client_secret_file;
	char *cert_file;
	char *key_file;
	int64_t ttl;
	int64_t negative_ttl;
	bool audience_required;
};

struct conf_provider {
	struct conf_pos pos;
	char *name;  /* unique, [a-z0-9-]+ */
	int profile; /* place in CONF_PROFILES; what it presets is in the other fields */
	char *issuer; /* never NULL after loading: spiffe://DOMAIN or x509:NAME where there is none */
	struct conf_strings issuer_aliases;
	struct conf_strings tenants;    /* of {tenantid} in issuer; empty: any */
	struct conf_strings audiences;  /* empty only without tokens */
	struct conf_strings algorithms; /* RS256 ... HS512 */
	struct conf_strings types;      /* lower case; empty: any */
	bool type_required;
	int64_t leeway;
	int64_t max_lifetime;           /* 0: no limit */
	int64_t max_token_size;         /* bytes */
	struct conf_condition *require; /* about claims, actors and scopes only */
	size_t n_require;
	struct conf_strings subject_claim, audience_claim, client_id_claim, scope_claim;
	struct conf_export *exports;
	size_t n_exports;
	bool padding;
	struct conf_strings header_claims;
	char *trust_domain; /* SPIFFE; NULL: none */
	char *trust_bundle; /* of client certificates; NULL: they are no credential */
	/* Where the keys come from: secret_file, jwks_file, jwks_uri, else discovery of the issuer. */
	char *secret_file;
	char *jwks_file;
	char *jwks_uri;
	bool allow_http;
	char *pem_uri; /* one PEM file for each key id behind it, instead of a set */
	char *jwks_token_file;
	char *ca_file;
	struct conf_strings networks; /* where its servers may be besides public addresses */
	char *proxy;
	int64_t refresh;                  /* fetch the keys again after this long */
	int64_t refresh_min, refresh_max; /* bounds of what the provider says instead */
	int64_t keep;                     /* keys end when it cannot be reached for so long */
	struct conf_introspection introspection;
	int dpop; /* enum conf_dpop */
	int64_t dpop_max_age;
	bool dpop_nonce;
	bool certificate_required;
	bool id_tokens;
	bool logout_subject;
	struct conf_strings logout_audiences; /* empty: no back-channel logout */
};

enum conf_assertion_alg {
	CONF_ASSERTION_ES256,
	CONF_ASSERTION_EDDSA,
	CONF_ASSERTION_HS256,
};

/* What we sign for one backend about a caller. */
struct conf_assertion {
	struct conf_pos pos;
	char *name; /* unique */
	char *audience;
	int64_t ttl;
	int algorithm;              /* enum conf_assertion_alg */
	char *secret_file;          /* with HS256 and only then */
	struct conf_strings claims; /* some of exports */
	struct conf_strings services;
};

/* What callers of one host or service are told (RFC 9728). */
struct conf_resource {
	struct conf_pos pos;
	char *host;    /* NULL: any */
	char *service; /* NULL: any */
	char *metadata;
	char *scope; /* NULL: none */
};

/* Does it have tokens, so that keys are needed? Otherwise only client certificates. */
bool conf_provider_has_tokens(const struct conf_provider *provider);

/* Are its keys a set that has to be read or fetched, and not a secret or none? */
bool conf_provider_has_key_set(const struct conf_provider *provider);

/* Who vouches for a number that is written in the file. */
/* What is in the etcd. */
enum conf_etcd_mode {
	CONF_ETCD_KVSTORE,     /* the kvstore of a Cilium in kvstore mode, or nobody's but ours */
	CONF_ETCD_CLUSTERMESH, /* a cluster of our own, which Cilium's agents look at */
};

/* What a label set without a number gets while etcd is away. */
enum conf_etcd_away {
	CONF_ETCD_ERROR,
	CONF_ETCD_LOCAL,
};

enum conf_number_from {
	CONF_NUMBER_FIXED, /* nobody: it is ours alone */
	CONF_NUMBER_CRD,   /* the operator: a CiliumIdentity has it, with these labels */
	CONF_NUMBER_ETCD,  /* the operator: Cilium's kvstore has it, with these labels */
};

struct conf_role {
	struct conf_pos pos;
	char *name;     /* unique */
	char *provider; /* NULL: any; else a provider's name */
	struct conf_condition *when;
	size_t n_when;
	struct conf_strings labels; /* source:key=value */
	struct conf_pos labels_pos;
	uint32_t number; /* 0: allocated */
	struct conf_pos number_pos;
	int number_from;             /* enum conf_number_from */
	struct conf_strings srcaddr; /* literal addresses, at most one of each family */
	int64_t max_identities;      /* where labels depend on the caller */
	char *route;                 /* NULL: none */
	char *assertion;             /* NULL: by the service */
	bool require_binding;
	bool kill_on_expiry;
};

enum conf_roles_match {
	CONF_MATCH_FIRST,
	CONF_MATCH_ALL,
};

enum conf_policy_mode {
	CONF_POLICY_ENFORCE,
	CONF_POLICY_AUDIT,
};

/* What a backend of HAProxy fronts. */
struct conf_service {
	struct conf_pos pos;
	char *name; /* unique */
	char *namespace;
	struct conf_strings labels; /* source:key=value */
	struct conf_pos labels_pos;
	int64_t port;
	uint16_t ports[32];
	size_t n_ports;
	struct conf_strings named_ports; /* NAME=NUMBER */
	struct conf_pos named_pos;
	struct conf_strings addresses;
	struct conf_pos addresses_pos;
};

/* Workloads that the operator knows by their addresses. */
struct conf_workload {
	struct conf_pos pos;
	struct conf_strings addresses; /* networks, within workloads.ranges */
	struct conf_strings labels;    /* source:key=value */
	struct conf_pos labels_pos;
	char *pod; /* NULL: not known */
};

/* What a token is worth whose workload the kernel does not confirm. */
enum conf_mismatch {
	CONF_MISMATCH_DENY,
	CONF_MISMATCH_AUDIT,
};

enum conf_unknown {
	CONF_UNKNOWN_ALLOW,
	CONF_UNKNOWN_DENY,
};

/* The provider's name in roles of callers without a token; no provider may have it. */
#define CONF_WORKLOAD_PROVIDER "workload"

/* Where callers with these labels go. */
struct conf_route {
	struct conf_pos pos;
	struct conf_strings labels;
	struct conf_pos labels_pos;
	char *route;
};

struct conf {
	int64_t version;

	struct conf_listen *listen;
	size_t n_listen;

	struct {
		int64_t max_frame_size;   /* bytes */
		int64_t max_message_size; /* bytes */
		int64_t deadline;
		int64_t hello_timeout;
		int64_t max_connections;
		int64_t max_waiting; /* parked NOTIFYs in all */
		int64_t drain_timeout;
		int64_t max_stall;    /* 0: never mind */
		int64_t idle_timeout; /* 0: idle connections stay */
		int64_t max_in_flight;
		int64_t max_buffered, max_buffered_per_connection; /* bytes */
	} spop;

	int64_t workers;
	bool observe;
	int seccomp; /* enum spoa_filter_mode */

	struct {
		char *unix_path;
		int mode;
		char *group;               /* NULL: the daemon's */
		char *handover;            /* NULL: nobody may replace a running agent */
		struct conf_listen remote; /* without tcp_host there is none */
		char *tls_cert, *tls_key;  /* of it: both or none */
		char *client_ca;           /* who may ask: whoever has a certificate of it, */
		char *token_file;          /* or this token, */
		char *read_token_file;     /* or this one, to read alone; one of them at least */
		struct conf_strings hosts; /* further names that it is asked by */
	} admin;

	struct {
		struct conf_listen listen; /* neither unix_path nor tcp_host: no such listener */
		char *tls_cert;            /* both or none */
		char *tls_key;
	} public;

	struct {
		int64_t tokens; /* bytes for verified tokens, all workers together; 0: none */
	} cache;

	struct {
		char *path;
	} store;

	struct {
		int mode; /* enum conf_bpf_mode */
		char *path;
		char *cgroup;
		char *group;
		uint16_t ports[32];
		size_t n_ports; /* 0: every listener in the cgroup */
		int64_t max_flows;
		int64_t max_identities;
		int64_t max_endpoints;
		int64_t max_policy;
		int clusters;          /* 0: 255, 1: 511 */
		int modes[CONF_MODES]; /* off, audit, enforce */
		int unmarked;          /* 0: allow, 1: deny */
		int64_t events_per_second;
	} bpf;

	struct {
		int level;                    /* enum base_log_level */
		int64_t decisions_per_second; /* log lines for decisions that are not ok; 0: all */
	} log;

	struct {
		int to; /* enum conf_audit_to */
		char *path;
		int64_t max_size; /* bytes; 0: never rotated */
		int64_t keep;     /* rotated files */
		int64_t queue;    /* bytes for each worker */
		char *node;       /* NULL: cluster and host name */
		int64_t allowed;  /* one of so many allowed requests is written; 0: none */
		bool keep_query;
		struct conf_strings headers; /* of the request, to be written */
		struct conf_strings redact;  /* of these, or any, those without their value */
		char *pseudonym_key_file;    /* NULL: sub is written as it is */
	} audit;

	struct {
		char *namespace; /* k8s:io.kubernetes.pod.namespace of every identity */
		char *cluster;   /* k8s:io.cilium.k8s.policy.cluster */
		int64_t local_min, local_max; /* range of locally allocated numbers */
		int64_t max;                  /* identities that came up with callers */
		int64_t unused;               /* after which their numbers are released; 0: never */
		int64_t quarantine;           /* before a released number may mean something else */
	} identity;

	struct conf_provider *providers;
	size_t n_providers;

	int roles_match; /* enum conf_roles_match */
	struct conf_role *roles;
	size_t n_roles;

	struct {
		struct conf_strings paths; /* files and folders; empty: no policy */
		struct conf_pos paths_pos;
		int mode; /* enum conf_policy_mode */
	} policy;

	struct conf_service *services;
	size_t n_services;

	struct conf_route *routes;
	size_t n_routes;

	struct {
		char *realm;
		struct conf_resource *resources;
		size_t n_resources;
	} challenge;

	struct {
		char *issuer; /* NULL only without assertions */
		int64_t key_lifetime;
	} assertion;
	struct conf_assertion *assertions;
	size_t n_assertions;

	struct {
		int64_t replay_entries;
	} dpop;

	struct {
		int64_t max_entries;
	} revocation;

	struct {
		struct conf_strings ranges; /* empty: nobody is known by an address */
		char *ipcache;              /* folder of Cilium's pins; NULL: not looked at */
		char *labels_file;          /* NULL: none */
		int mismatch;               /* enum conf_mismatch */
		int unknown;                /* enum conf_unknown */
		struct conf_workload *entries;
		size_t n_entries;
	} workloads;

	struct {
		struct conf_strings endpoints; /* empty: there is no etcd */
		int mode;                      /* enum conf_etcd_mode */
		char *prefix;
		char *node; /* NULL: the machine's name */
		int64_t cluster_id;
		char *ca_file; /* these may be NULL */
		char *cert_file, *key_file;
		char *user, *password_file;
		bool allow_http;
		int64_t timeout, lease, settle; /* ms */
		int when_away;                  /* enum conf_etcd_away */
		bool revocations;
	} etcd;

	struct conf_strings exports; /* claim names that become claim_NAME */

	struct base_doc *doc; /* the tree it was read from: positions for conf_check_reload */
};

/*
 * Reads and checks a whole file. 0 and *ret_conf; or -EINVAL with every
 * mistake in diag (also for a file that cannot be read), or -ENOMEM.
 */
int conf_load(const char *path, struct conf **ret_conf, struct base_diag *diag) must_check;

/* The same from memory; file is only a name for messages: it goes into diag. */
int conf_parse(const char *file, const char *text, size_t n, struct conf **ret_conf,
	struct base_diag *diag) must_check;

void conf_free(struct conf *conf);

/*
 * Names in diag every key that differs and that only a restart can change,
 * with its position in the next file (or that of its section, when it is not
 * written there). Returns how many there are.
 */
size_t conf_check_reload(const struct conf *now, const struct conf *next, struct base_diag *diag);

DEFINE_CLEANUP(conf, struct conf *, conf_free)

#endif
