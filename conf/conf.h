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
#include "conf/conf_caller.h"
#include "conf/conf_edge.h"
#include "conf/conf_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
