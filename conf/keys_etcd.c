/* The part of the key table about etcd. */
#include "conf/keys_table.h"

static const struct conf_key ETCD[] = {
	{"endpoints", CONF_TEXTS, AT(conf, etcd.endpoints), RANGE(0, 16), .fallback = "[]",
		.example = "[https://etcd.example.com:2379]",
		.help = "Members of the etcd that agents share numbers and revocations through; "
			"the next one is asked when one does not answer."},
	{"mode", CONF_ENUM, AT(conf, etcd.mode), RANGE(CONF_ETCD_KVSTORE, CONF_ETCD_CLUSTERMESH),
		.words = "kvstore clustermesh", .fallback = "kvstore",
		.help = "Whose it is: Cilium's kvstore (or nobody's but ours), or a cluster of our "
			"own that Cilium's agents connect to as they do to a ClusterMesh."},
	{"prefix", CONF_TEXT, AT(conf, etcd.prefix), RANGE(1, 64), .fallback = "cilium",
		.help = "What every key of Cilium's begins with; only tests have another."},
	{"node", CONF_TEXT, AT(conf, etcd.node), RANGE(1, 253), .example = "edge-1",
		.help = "Name of this agent in the keys that say who uses a number; without it "
			"the machine's. No two agents may have the same."},
	{"cluster_id", CONF_INT, AT(conf, etcd.cluster_id), RANGE(0, 511), .fallback = "0",
		.help = "Number of the cluster of identity.cluster, and so of the range that "
			"numbers come from."},
	{"ca_file", CONF_PATH, AT(conf, etcd.ca_file), RANGE(2, 1024),
		.example = "/etc/identityd/etcd-ca.pem",
		.help = "CAs that sign etcd's certificates; without it the system's."},
	{"cert_file", CONF_PATH, AT(conf, etcd.cert_file), RANGE(2, 1024),
		.example = "/etc/identityd/etcd.pem", .needs = "key_file",
		.help = "Our client certificate for etcd, with its chain."},
	{"key_file", CONF_PATH, AT(conf, etcd.key_file), RANGE(2, 1024),
		.example = "/etc/identityd/etcd.key", .needs = "cert_file",
		.help = "The private key of cert_file."},
	{"user", CONF_TEXT, AT(conf, etcd.user), RANGE(1, 128), .example = "identityd",
		.needs = "password_file", .help = "User of etcd, where it asks for one."},
	{"password_file", CONF_PATH, AT(conf, etcd.password_file), RANGE(2, 1024),
		.example = "/etc/identityd/etcd.password", .needs = "user",
		.help = "Password of user; a final newline does not count."},
	{"allow_http", CONF_BOOL, AT(conf, etcd.allow_http), RANGE(0, 1), .fallback = "false",
		.help = "Endpoints may be http, on other machines, too."},
	{"timeout", CONF_DURATION, AT(conf, etcd.timeout), RANGE(100 * MS, 60 * S),
		.fallback = "2s", .help = "Time for one answer of etcd."},
	{"lease", CONF_DURATION, AT(conf, etcd.lease), RANGE(1 * S, 24 * H), .fallback = "15m",
		.help = "How long what we have in etcd outlives us; after so long without etcd "
			"no number is marked."},
	{"settle", CONF_DURATION, AT(conf, etcd.settle), RANGE(0, 10 * M), .fallback = "5s",
		.help = "How long a number is published before it is marked, and still published "
			"after it is no longer marked."},
	{"when_away", CONF_ENUM, AT(conf, etcd.when_away), RANGE(CONF_ETCD_ERROR, CONF_ETCD_LOCAL),
		.words = "error local", .fallback = "error",
		.help = "What new labels get while etcd is away: an error (identity_unavailable), "
			"or a local number until it is back."},
	{"revocations", CONF_BOOL, AT(conf, etcd.revocations), RANGE(0, 1), .fallback = "true",
		.help = "Share revocations with the other agents."},
};

const struct conf_section conf_keys_etcd = {ETCD, ARRAY_SIZE(ETCD), 0, NULL};
