/* identityd-setup: prepares the kernel side for identityd, once, as root. */
#include "base/diag.h"
#include "bpfmap/program.h"
#include "conf/conf.h"
#include "setup/ipcache.h"
#include "setup/setup.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum {
	EXIT_OK,
	EXIT_FAILED,
	EXIT_USAGE,
};

struct arguments {
	const char *config;
	uint32_t without; /* bits 1 << enum bpfmap_program */
	bool remove;
	bool grant;
	bool verbose;
};

static const char usage[] =
	"usage: identityd-setup --config FILE [--remove | --grant-ipcache] [--verbose]\n"
	"\n"
	"Mounts the bpffs, creates and pins the maps, attaches the kernel programs\n"
	"to HAProxy's cgroup and proves it with a connection. May be repeated.\n"
	"\n"
	"  --config FILE  the agent's configuration (section bpf)\n"
	"  --remove       detach, remove the pins, unmount\n"
	"  --grant-ipcache\n"
	"                 nothing but: let the group read Cilium's ipcache\n"
	"                 (workloads.ipcache); again after each start of Cilium's agent\n"
	"  --without NAME leave this kernel program out, and take it away if it is\n"
	"                 there: connect4, connect6, sendmsg4, sendmsg6, ingress,\n"
	"                 egress, kill, look; may be given several times\n"
	"  --verbose      libbpf's own messages too\n"
	"  --help, --version\n";

/* A program that is not required, by name. */
static bool may_lack(const char *name, uint32_t *without)
{
	enum bpfmap_program program = bpfmap_program_named(name);

	if (program == BPFMAP_PROGRAMS || bpfmap_programs[program].required)
		return false;
	*without |= 1U << program;
	return true;
}

/* -1 to go on, else the exit status. */
static int parse_arguments(int argc, char **argv, struct arguments *ret)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"remove", no_argument, NULL, 'r'},
		{"grant-ipcache", no_argument, NULL, 'g'},
		{"without", required_argument, NULL, 'w'},
		{"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (c == 'c') {
			ret->config = optarg;
		} else if (c == 'r') {
			ret->remove = true;
		} else if (c == 'g') {
			ret->grant = true;
		} else if (c == 'v') {
			ret->verbose = true;
		} else if (c == 'w' && may_lack(optarg, &ret->without)) {
			continue;
		} else if (c == 'h' || c == 'V') {
			fputs(c == 'h' ? usage : "identityd-setup " IDENTITYD_VERSION "\n", stdout);
			return EXIT_OK;
		} else {
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc && ret->config && !(ret->remove && ret->grant))
		return -1;
	fputs(usage, stderr);
	return EXIT_USAGE;
}

static int load_conf(const char *path, struct conf **ret_conf)
{
	struct base_diag diag;
	int err;

	base_diag_init(&diag, path);
	err = conf_load(path, ret_conf, &diag);
	base_diag_print(&diag, stderr);
	base_diag_done(&diag);
	return err;
}

/* What holds from the first moment, before any agent has run. */
static struct bpfmap_control first_control(const struct conf *conf)
{
	struct bpfmap_control control = {
		.events_per_second = (uint32_t)conf->bpf.events_per_second,
		.deny_unmarked = conf->bpf.unmarked == 1,
	};

	static_assert((int)CONF_MODES == (int)BPFMAP_PARTS, "a mode for each part");
	for (int i = 0; i < BPFMAP_PARTS; i++)
		control.mode[i] = (uint8_t)conf->bpf.modes[i];
	return control;
}

static int run(const struct conf *conf, const struct arguments *arguments)
{
	const struct setup_options options = {
		.bpffs_path = conf->bpf.path,
		.cgroup = conf->bpf.cgroup,
		.group = conf->bpf.group,
		.ports = conf->bpf.ports,
		.n_ports = conf->bpf.n_ports,
		.clusters = conf->bpf.clusters ? 511 : 255,
		.max_flows = (uint32_t)conf->bpf.max_flows,
		.max_identities = (uint32_t)conf->bpf.max_identities,
		.max_endpoints = (uint32_t)conf->bpf.max_endpoints,
		.max_policy = (uint32_t)conf->bpf.max_policy,
		.without = arguments->without,
		.control = first_control(conf),
		.verbose = arguments->verbose,
		.out = stdout,
	};
	char why[SETUP_WHY];
	int err;

	err = arguments->remove ? setup_remove(&options, why) : setup_apply(&options, why);
	if (!err)
		return EXIT_OK;
	fflush(stdout);
	fprintf(stderr, "identityd-setup: %s\n", why);
	return EXIT_FAILED;
}

static int grant(const struct conf *conf)
{
	char why[SETUP_WHY];

	if (!conf->workloads.ipcache) {
		puts("workloads.ipcache is not set: nothing to do");
		return EXIT_OK;
	}
	if (!setup_ipcache_grant(conf->workloads.ipcache, conf->bpf.group, stdout, why))
		return EXIT_OK;
	fflush(stdout);
	fprintf(stderr, "identityd-setup: %s\n", why);
	return EXIT_FAILED;
}

int main(int argc, char **argv)
{
	cleanup(conf) struct conf *conf = NULL;
	struct arguments arguments = {0};
	int status;

	status = parse_arguments(argc, argv, &arguments);
	if (status >= 0)
		return status;
	if (load_conf(arguments.config, &conf))
		return EXIT_FAILED;
	if (arguments.grant)
		return grant(conf);
	/* What an earlier configuration made can still be removed. */
	if (conf->bpf.mode == CONF_BPF_OFF && !arguments.remove) {
		puts("bpf: off: nothing to do");
		return EXIT_OK;
	}
	return run(conf, &arguments);
}
