#include "setup/setup.h"

#include "bpfmap/load.h"
#include "bpfmap/pin.h"
#include "setup/bpffs.h"
#include "setup/probe.h"

#include <errno.h>
#include <grp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

__attribute__((format(printf, 2, 3))) static void say(
	const struct setup_options *options, const char *fmt, ...)
{
	va_list args;

	if (!options->out)
		return;
	va_start(args, fmt);
	vfprintf(options->out, fmt, args);
	va_end(args);
	fputc('\n', options->out);
}

static int check_root(char *why)
{
	if (geteuid() == 0)
		return 0;
	return bpfmap_why(why, -EPERM, "only root can do this: run identityd-setup as root");
}

int setup_group(const char *group, gid_t *ret_gid, char why[SETUP_WHY])
{
	const struct group *entry;
	unsigned long number;
	char *end;

	if (!group) {
		*ret_gid = 0;
		return 0;
	}
	errno = 0;
	number = strtoul(group, &end, 10);
	if (group[0] >= '0' && group[0] <= '9' && !*end && !errno && number < UINT32_MAX) {
		*ret_gid = (gid_t)number;
		return 0;
	}
	entry = getgrnam(group);
	if (!entry)
		return bpfmap_why(why, -ENOENT,
			"there is no group %s: create it (groupadd --system %s), or set bpf.group",
			group, group);
	*ret_gid = entry->gr_gid;
	return 0;
}

/* What this kernel lacks is named, with what is lost. */
static void say_missing(const struct setup_options *options, const struct bpfmap_loaded *loaded)
{
	for (int i = 0; i < BPFMAP_PROGRAMS; i++) {
		const struct bpfmap_program_info *info = &bpfmap_programs[i];

		if (loaded->lacks & 1U << i)
			say(options, "warning: %s: this kernel refuses it (%s): %s", info->pin,
				strerror(-loaded->lack_errors[i]), info->lost);
		if (loaded->left_out & 1U << i)
			say(options, "warning: %s: left out: %s", info->pin, info->lost);
	}
}

static void say_loaded(
	const struct setup_options *options, const char *cgroup, const struct bpfmap_loaded *loaded)
{
	static const char *const how[] = {
		[BPFMAP_ATTACHED] = "attached to",
		[BPFMAP_UPDATED] = "updated in place on",
		[BPFMAP_MOVED] = "moved to",
	};

	say(options, "maps: %u created, %u kept, room for %u flows", loaded->n_created,
		BPFMAP_MAPS - loaded->n_created, loaded->max_flows);
	if (loaded->max_flows != options->max_flows)
		say(options,
			"warning: bpf.max_flows is %u, but a map keeps its room: "
			"to change it run with --remove and again",
			options->max_flows);
	say(options, "settings: %s, %s", loaded->settings_written ? "written" : "as they were",
		options->n_ports ? "listed ports" : "every port");
	say(options, "programs: %s %s", how[loaded->how], cgroup);
	say_missing(options, loaded);
	if (loaded->n_seeded)
		say(options, "flows: %u connections were open before and are tracked now",
			loaded->n_seeded);
	if (loaded->how == BPFMAP_MOVED)
		say(options, "warning: entries of connections still open in the former cgroup "
			     "stay until their addresses and ports are used again");
}

static int probe(const struct setup_options *options, const char *cgroup, char *why)
{
	enum setup_probed probed;
	int err = setup_probe(
		options->bpffs_path, cgroup, options->ports, options->n_ports, &probed, why);

	if (err)
		return err;
	if (probed == SETUP_PROBE_SKIPPED)
		say(options, "warning: probe: skipped, %s", why);
	else
		say(options, "probe: a connection appeared in the flows map and went again");
	return 0;
}

int setup_apply(const struct setup_options *options, char why[SETUP_WHY])
{
	struct bpfmap_loaded loaded;
	char cgroup[PATH_MAX];
	gid_t group = 0;
	bool mounted;
	int err;

	err = check_root(why);
	if (!err)
		err = setup_group(options->group, &group, why);
	if (!err)
		err = setup_cgroup_path(options->cgroup, cgroup, why);
	if (!err)
		err = setup_bpffs_mount(options->bpffs_path, group, &mounted, why);
	if (err)
		return err;
	say(options, "bpffs: %s %s", mounted ? "mounted" : "found", options->bpffs_path);

	const struct bpfmap_load load = {
		.dir = options->bpffs_path,
		.cgroup = cgroup,
		.group = group,
		.ports = options->ports,
		.n_ports = options->n_ports,
		.clusters = options->clusters,
		.max_flows = options->max_flows,
		.max_identities = options->max_identities,
		.max_endpoints = options->max_endpoints,
		.max_policy = options->max_policy,
		.without = options->without,
		.control = options->control,
		.verbose = options->verbose,
	};
	err = bpfmap_load(&load, &loaded, why);
	if (err)
		return err;
	say_loaded(options, cgroup, &loaded);
	return probe(options, cgroup, why);
}

int setup_remove(const struct setup_options *options, char why[SETUP_WHY])
{
	static const char *const unmounted[] = {
		[SETUP_UNMOUNTED] = "unmounted",
		[SETUP_NOT_OURS] = "left as it is: somebody else mounted it",
		[SETUP_NOT_EMPTY] = "left mounted: it holds pins of others",
	};
	enum setup_unmounted how;
	unsigned n = 0;
	int err;

	err = check_root(why);
	if (err)
		return err;
	if (!setup_bpffs_there(options->bpffs_path)) {
		say(options, "no bpffs at %s: nothing to remove", options->bpffs_path);
		return 0;
	}
	err = bpfmap_unload(options->bpffs_path, &n, why);
	if (err)
		return err;
	say(options, "pins: %u removed", n);
	err = setup_bpffs_unmount(options->bpffs_path, &how, why);
	if (err)
		return err;
	say(options, "bpffs: %s %s", options->bpffs_path, unmounted[how]);
	return 0;
}
