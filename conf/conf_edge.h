/*
 * Of the configuration, what is about the program's edges: sockets, kernel, audit
 * log, etcd. Included by conf/conf.h.
 */
#ifndef CONF_CONF_EDGE_H
#define CONF_CONF_EDGE_H

#include "conf/conf_text.h"

#include <stdint.h>

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

#endif
