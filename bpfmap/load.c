#include "bpfmap/load.h"

#include "bpfmap/flows.skel.h"
#include "bpfmap/link.h"
#include "bpfmap/pin.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

/* BPF_OBJ_GET of a link asks for reading and writing, and the agent wants its status. */
#define LINK_MODE 0660

DEFINE_CLEANUP(skeleton, struct flows_bpf *, flows_bpf__destroy)
DEFINE_CLEANUP(link, struct bpf_link *, (void)bpf_link__destroy)

struct loading {
	const struct bpfmap_load *load;
	struct flows_bpf *skeleton; /* borrowed */
	struct bpf_map *maps[BPFMAP_MAPS];
	bool reused[BPFMAP_MAPS];
	struct bpfmap_loaded loaded;
	char *why;
};

static int print_nothing(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level, (void)fmt, (void)args;
	return 0;
}

__attribute__((format(printf, 2, 0))) static int print_all(
	enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_DEBUG ? 0 : vfprintf(stderr, fmt, args);
}

static int give_to_group(const char *path, gid_t group, mode_t mode, char *why)
{
	if (chown(path, 0, group) || chmod(path, mode))
		return bpfmap_why(
			why, -errno, "%s: owner and mode cannot be set: %s", path, strerror(errno));
	return 0;
}

/* A map that is pinned already is used as it is, whatever room it has. */
static int reuse_map(struct loading *l, enum bpfmap_map id)
{
	const char *dir = l->load->dir;
	cleanup(fd) int fd = -1;
	uint32_t entries;
	int err;

	err = bpfmap_pin_open(dir, id, 0, &fd, &entries, l->why);
	if (err == -ENOENT)
		return 0;
	if (!err && id == BPFMAP_MAP_SETTINGS)
		err = bpfmap_pin_version(fd, dir, l->why);
	if (err)
		return err;
	err = bpf_map__reuse_fd(l->maps[id], fd);
	if (err)
		return bpfmap_why(l->why, err, "%s/%s cannot be used again: %s", dir,
			bpfmap_pins[id].name, strerror(-err));
	l->reused[id] = true;
	if (id == BPFMAP_MAP_FLOWS)
		l->loaded.max_flows = entries;
	return 0;
}

static int prepare_maps(struct loading *l)
{
	int err;

	l->maps[BPFMAP_MAP_FLOWS] = l->skeleton->maps.flows;
	l->maps[BPFMAP_MAP_OVERFLOW] = l->skeleton->maps.overflow;
	l->maps[BPFMAP_MAP_SETTINGS] = l->skeleton->maps.settings;
	l->maps[BPFMAP_MAP_STATS] = l->skeleton->maps.stats;
	l->loaded.max_flows = l->load->max_flows;
	err = bpf_map__set_max_entries(l->skeleton->maps.flows, l->load->max_flows);
	if (err)
		return bpfmap_why(
			l->why, err, "the flows map cannot have room for %u", l->load->max_flows);
	for (int i = 0; i < BPFMAP_MAPS; i++) {
		err = reuse_map(l, i);
		if (err)
			return err;
	}
	return 0;
}

static int load_program(struct loading *l)
{
	int err = flows_bpf__load(l->skeleton);

	if (err == -EPERM)
		return bpfmap_why(l->why, err,
			"the kernel refuses to load the program: "
			"run as root, or with CAP_BPF and CAP_NET_ADMIN");
	if (err)
		return bpfmap_why(l->why, err,
			"the kernel refuses the program (%s): --verbose prints its reason",
			strerror(-err));
	return 0;
}

/*
 * Before the pin appears, so that no agent ever opens settings without a
 * version. Written only when they differ: a program may be reading them.
 */
static int write_settings(struct loading *l)
{
	int fd = bpf_map__fd(l->maps[BPFMAP_MAP_SETTINGS]);
	struct bpfmap_settings now, next = {
					    .version = BPFMAP_ABI_VERSION,
					    .n_ports = (uint32_t)l->load->n_ports,
				    };
	const uint32_t zero = 0;
	int err;

	for (size_t i = 0; i < l->load->n_ports; i++)
		next.ports[i] = l->load->ports[i];
	err = bpf_map_lookup_elem(fd, &zero, &now);
	if (!err && memcmp(&now, &next, sizeof(now))) {
		err = bpf_map_update_elem(fd, &zero, &next, BPF_EXIST);
		l->loaded.settings_written = true;
	}
	if (err)
		return bpfmap_why(
			l->why, err, "the settings cannot be written: %s", strerror(-err));
	return 0;
}

static int pin_map(struct loading *l, enum bpfmap_map id)
{
	const struct bpfmap_pin *pin = &bpfmap_pins[id];
	char path[PATH_MAX];
	int err;

	err = bpfmap_pin_path(l->load->dir, pin->name, path);
	if (err)
		return err;
	if (!l->reused[id]) {
		err = bpf_obj_pin(bpf_map__fd(l->maps[id]), path);
		if (err)
			return bpfmap_why(
				l->why, err, "%s cannot be pinned: %s", path, strerror(-err));
		l->loaded.n_created++;
	}
	return give_to_group(path, l->load->group, pin->mode, l->why);
}

/* The descriptor and the id (kernfs: the inode number) of the cgroup. */
static int open_cgroup(struct loading *l, int *ret_fd, uint64_t *ret_id)
{
	const char *path = l->load->cgroup;
	cleanup(fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;
	struct stat st;

	if (fd < 0)
		return bpfmap_why(l->why, -errno,
			"cgroup %s cannot be opened (%s): bpf.cgroup must name a folder that "
			"exists before HAProxy creates its listeners",
			path, strerror(errno));
	if (fstatfs(fd, &fs) || fstat(fd, &st))
		return bpfmap_why(l->why, -errno, "cgroup %s: %s", path, strerror(errno));
	if (fs.f_type != CGROUP2_SUPER_MAGIC)
		return bpfmap_why(l->why, -EINVAL,
			"%s is not a cgroup of version 2: bpf.cgroup must lie below the mount "
			"of type cgroup2",
			path);
	*ret_id = st.st_ino;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/*
 * The new link is pinned aside and renamed over the old pin: the old program
 * goes, with its link, only when the new one is at work.
 */
static int attach_new(struct loading *l, int cgroup_fd)
{
	cleanup(link) struct bpf_link *link = NULL;
	char path[PATH_MAX], aside[PATH_MAX];
	int err;

	err = bpfmap_pin_path(l->load->dir, BPFMAP_PIN_SOCK_OPS, path);
	if (!err)
		err = bpfmap_pin_path(l->load->dir, BPFMAP_LINK_ASIDE, aside);
	if (err)
		return bpfmap_why(l->why, err, "the path of the bpffs is too long");
	link = bpf_program__attach_cgroup(l->skeleton->progs.identityd_sock_ops, cgroup_fd);
	if (!link)
		return bpfmap_why(l->why, -errno, "the program cannot be attached to %s: %s",
			l->load->cgroup, strerror(errno));
	unlink(aside); /* left by a run that was killed */
	err = bpf_link__pin(link, aside);
	if (err)
		return bpfmap_why(l->why, err, "%s cannot be pinned: %s", aside, strerror(-err));
	err = give_to_group(aside, l->load->group, LINK_MODE, l->why);
	if (err)
		return err;
	if (rename(aside, path))
		return bpfmap_why(l->why, -errno, "%s cannot take the place of %s: %s", aside, path,
			strerror(errno));
	return 0;
}

static int update_link(struct loading *l, int link_fd)
{
	char path[PATH_MAX];
	int err;

	err = bpf_link_update(
		link_fd, bpf_program__fd(l->skeleton->progs.identityd_sock_ops), NULL);
	if (err)
		return bpfmap_why(l->why, err, "the attached program cannot be exchanged: %s",
			strerror(-err));
	l->loaded.how = BPFMAP_UPDATED;
	err = bpfmap_pin_path(l->load->dir, BPFMAP_PIN_SOCK_OPS, path);
	if (err)
		return err;
	return give_to_group(path, l->load->group, LINK_MODE, l->why);
}

static int attach(struct loading *l)
{
	cleanup(fd) int cgroup_fd = -1;
	cleanup(fd) int link_fd = -1;
	uint64_t wanted = 0, held = 0;
	int err;

	err = open_cgroup(l, &cgroup_fd, &wanted);
	if (err)
		return err;
	err = bpfmap_link_open(l->load->dir, &link_fd);
	if (!err)
		err = bpfmap_link_cgroup(link_fd, &held);
	if (err && err != -ENOENT)
		return bpfmap_why(l->why, err,
			"%s/%s is there and is not our link (%s): remove it, or run with --remove",
			l->load->dir, BPFMAP_PIN_SOCK_OPS, strerror(-err));
	if (held && held == wanted)
		return update_link(l, link_fd);
	l->loaded.how = held ? BPFMAP_MOVED : BPFMAP_ATTACHED;
	return attach_new(l, cgroup_fd);
}

int bpfmap_load(
	const struct bpfmap_load *load, struct bpfmap_loaded *ret_loaded, char why[BPFMAP_WHY])
{
	cleanup(skeleton) struct flows_bpf *skeleton = NULL;
	struct loading l = {.load = load, .why = why};
	int err;

	if (load->n_ports > BPFMAP_PORTS_MAX || !load->max_flows)
		return bpfmap_why(why, -EINVAL, "at most %d ports, and room for at least one flow",
			BPFMAP_PORTS_MAX);
	libbpf_set_print(load->verbose ? print_all : print_nothing);
	skeleton = flows_bpf__open();
	if (!skeleton)
		return bpfmap_why(why, -errno, "the program cannot be read: %s", strerror(errno));
	l.skeleton = skeleton;
	err = prepare_maps(&l);
	if (!err)
		err = load_program(&l);
	if (!err)
		err = write_settings(&l);
	for (int i = 0; i < BPFMAP_MAPS && !err; i++)
		err = pin_map(&l, i);
	if (!err)
		err = attach(&l);
	if (err)
		return err;
	*ret_loaded = l.loaded;
	return 0;
}
