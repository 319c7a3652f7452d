/*
 * A question about policies from the command line: who, where to, with what.
 */
#ifndef CTL_POLICY_ASK_H
#define CTL_POLICY_ASK_H

#include "conf/conf.h"
#include "ctl/policy.h"

#define CTL_POLICY_PATHS_MAX  64
#define CTL_POLICY_LABELS_MAX 64
#define CTL_POLICY_NAMED_MAX  32

struct ctl_policy_ask {
	const char *paths[CTL_POLICY_PATHS_MAX]; /* --policy */
	size_t n_policies;                       /* so many of them were given */
	size_t n_paths;                          /* those, or the ones of --config */
	const char *config;                      /* --config */
	struct span labels[CTL_POLICY_LABELS_MAX];
	size_t n_labels;
	const char *src_cidr;
	struct span dst[CTL_POLICY_LABELS_MAX];
	size_t n_dst;
	const char *service;
	uint16_t port_number; /* --port, or the service's; 0 may be meant */
	bool has_port;
	enum policy_proto proto;
	struct policy_named_port named[CTL_POLICY_NAMED_MAX];
	char names[CTL_POLICY_NAMED_MAX][16];
	size_t n_named;
	const char *cluster;
	struct ctl_policy_request http;
	bool has_http;
	bool json;
	const char *batch;
	struct conf *conf;                    /* of --config */
	char *own[2 * CTL_POLICY_LABELS_MAX]; /* labels that were made here */
	size_t n_own;
};

void ctl_policy_ask_done(struct ctl_policy_ask *ask);

static inline void cleanup_fn_ctl_policy_ask(struct ctl_policy_ask *ask)
{
	ctl_policy_ask_done(ask);
}

/* Reads the options. CTL_OK, or CTL_USAGE after a complaint. */
enum ctl_exit ctl_policy_ask_parse(int argc, char **argv, struct ctl_policy_ask *ask) must_check;

/* NAME=NUMBER of a named port. */
bool ctl_policy_ask_named(struct ctl_policy_ask *ask, const char *text);

/*
 * Reads --config and adds what it says, and the command line does not: paths
 * of policies, the cluster, namespace and cluster of the caller, and with
 * --service its labels and ports.
 */
enum ctl_exit ctl_policy_ask_config(const char *name, struct ctl_policy_ask *ask) must_check;

#endif
