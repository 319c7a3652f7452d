/* The part of the key table about callers that are known by their addresses. */
#include "conf/keys_table.h"

static_assert(offsetof(struct conf_workload, pos) == 0, "bind writes the position there");

static const struct conf_key ENTRY[] = {
	{"addresses", CONF_TEXTS, AT(conf_workload, addresses), RANGE(1, 256), .required = true,
		.reloadable = true, .example = "[10.0.1.7]",
		.help = "Addresses or networks of the workload, within ranges."},
	{"labels", CONF_TEXTS, AT(conf_workload, labels), RANGE(1, LABELS_MAX), .required = true,
		.reloadable = true, .pos = offsetof(struct conf_workload, labels_pos),
		.example = "[k8s:io.kubernetes.pod.namespace=shop, k8s:app=cart]",
		.help = "Its labels as source:key=value, where the source is k8s when left out."},
	{"pod", CONF_TEXT, AT(conf_workload, pod), RANGE(1, 253), .reloadable = true,
		.example = "cart-0", .help = "Name of its pod, compared with that of a token."},
};

static const struct conf_key WORKLOADS[] = {
	{"ranges", CONF_TEXTS, AT(conf, workloads.ranges), RANGE(0, 256), .fallback = "[]",
		.reloadable = true,
		.help = "Networks whose addresses belong to workloads, by the connection as the "
			"kernel has it; outside of them nobody is known by an address."},
	{"ipcache", CONF_PATH, AT(conf, workloads.ipcache), RANGE(2, 1024),
		.example = "/sys/fs/bpf/tc/globals",
		.help = "Folder where Cilium pins its ipcache, which is only read; without it "
			"only entries count."},
	{"labels_file", CONF_PATH, AT(conf, workloads.labels_file), RANGE(2, 1024),
		.example = "/etc/identityd/identities.json",
		.help = "What the numbers in the ipcache mean, as cilium identity list -o json or "
			"kubectl get ciliumidentities -o json prints it; read again when it "
			"changes."},
	{"mismatch", CONF_ENUM, AT(conf, workloads.mismatch),
		RANGE(CONF_MISMATCH_DENY, CONF_MISMATCH_AUDIT), .words = "deny audit",
		.fallback = "deny", .reloadable = true,
		.help = "What becomes of a service account's token that comes from the address of "
			"another workload: deny, or audit (allowed and always written down)."},
	{"unknown", CONF_ENUM, AT(conf, workloads.unknown),
		RANGE(CONF_UNKNOWN_ALLOW, CONF_UNKNOWN_DENY), .words = "allow deny",
		.fallback = "allow", .reloadable = true,
		.help = "What becomes of such a token from an address that is no known "
			"workload's: behind a NAT, on the host's network, outside of ranges."},
	{"entries", CONF_SECTIONS, AT(conf, workloads.entries), RANGE(0, 1024), .reloadable = true,
		.section = SECTIONS_OF(ENTRY, conf_workload),
		.second = offsetof(struct conf, workloads.n_entries),
		.example = "[{addresses: [10.0.1.7], ...}]",
		.help = "Workloads that the operator knows; they count before the ipcache."},
};

const struct conf_section conf_keys_workloads = {WORKLOADS, ARRAY_SIZE(WORKLOADS), 0, NULL};
