#include "bpfmap/attach.h"

#include "bpfmap/link.h"

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

DEFINE_CLEANUP(link, struct bpf_link *, (void)bpf_link__destroy)

/* BPF_OBJ_GET of links and programs asks for reading and writing; iterators are only read. */
static const mode_t modes[] = {
	[BPFMAP_PLACE_CGROUP] = 0660,
	[BPFMAP_PLACE_RUN] = 0660,
	[BPFMAP_PLACE_READ] = 0640,
};

int bpfmap_give(const char *path, gid_t group, mode_t mode, char *why)
{
	if (chown(path, 0, group) || chmod(path, mode))
		return bpfmap_why(
			why, -errno, "%s: owner and mode cannot be set: %s", path, strerror(errno));
	return 0;
}

/* The descriptor and the id (kernfs: the inode number) of the cgroup. */
int bpfmap_attach_open(struct bpfmap_attaching *a)
{
	cleanup(fd) int fd = open(a->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;
	struct stat st;

	if (fd < 0)
		return bpfmap_why(a->why, -errno,
			"cgroup %s cannot be opened (%s): bpf.cgroup must name a folder that "
			"exists before HAProxy creates its listeners",
			a->cgroup, strerror(errno));
	if (fstatfs(fd, &fs) || fstat(fd, &st))
		return bpfmap_why(a->why, -errno, "cgroup %s: %s", a->cgroup, strerror(errno));
	if (fs.f_type != CGROUP2_SUPER_MAGIC)
		return bpfmap_why(a->why, -EINVAL,
			"%s is not a cgroup of version 2: bpf.cgroup must lie below the mount "
			"of type cgroup2",
			a->cgroup);
	a->cgroup_id = st.st_ino;
	a->cgroup_fd = TAKE_FD(fd);
	return 0;
}

/*
 * The new object is pinned aside and renamed over the old pin: the old
 * program goes, with its link, only when the new one is at work.
 */
static int pin_over(const struct bpfmap_attaching *a, enum bpfmap_program id, int fd)
{
	const struct bpfmap_program_info *info = &bpfmap_programs[id];
	char path[PATH_MAX], aside[PATH_MAX];
	int err;

	err = bpfmap_pin_path(a->dir, info->pin, path);
	if (!err)
		err = bpfmap_pin_path(a->dir, BPFMAP_ASIDE, aside);
	if (err)
		return bpfmap_why(a->why, err, "the path of the bpffs is too long");
	unlink(aside); /* left by a run that was killed */
	err = bpf_obj_pin(fd, aside);
	if (err)
		return bpfmap_why(a->why, err, "%s cannot be pinned: %s", aside, strerror(-err));
	err = bpfmap_give(aside, a->group, modes[info->place], a->why);
	if (err)
		return err;
	if (rename(aside, path))
		return bpfmap_why(a->why, -errno, "%s cannot take the place of %s: %s", aside, path,
			strerror(errno));
	return 0;
}

static int attach_new(const struct bpfmap_attaching *a, enum bpfmap_program id,
	const struct bpfmap_object *object)
{
	cleanup(link) struct bpf_link *link =
		bpf_program__attach_cgroup(object->prog, a->cgroup_fd);

	if (!link)
		return bpfmap_why(a->why, -errno, "%s cannot be attached to %s: %s",
			bpfmap_programs[id].pin, a->cgroup, strerror(errno));
	return pin_over(a, id, bpf_link__fd(link));
}

static int update_link(const struct bpfmap_attaching *a, enum bpfmap_program id,
	const struct bpfmap_object *object, int link_fd)
{
	const char *pin = bpfmap_programs[id].pin;
	char path[PATH_MAX];
	int err = bpf_link_update(link_fd, bpf_program__fd(object->prog), NULL);

	if (err)
		return bpfmap_why(a->why, err, "the attached %s cannot be exchanged: %s", pin,
			strerror(-err));
	err = bpfmap_pin_path(a->dir, pin, path);
	if (err)
		return err;
	return bpfmap_give(path, a->group, modes[BPFMAP_PLACE_CGROUP], a->why);
}

static int attach_cgroup(const struct bpfmap_attaching *a, enum bpfmap_program id,
	const struct bpfmap_object *object, enum bpfmap_attach *ret_how)
{
	const char *pin = bpfmap_programs[id].pin;
	cleanup(fd) int link_fd = -1;
	uint64_t held = 0;
	int err = bpfmap_link_open(a->dir, pin, &link_fd);

	if (!err)
		err = bpfmap_link_cgroup(link_fd, &held);
	if (err && err != -ENOENT)
		return bpfmap_why(a->why, err,
			"%s/%s is there and is not our link (%s): remove it, or run with --remove",
			a->dir, pin, strerror(-err));
	if (held && held == a->cgroup_id) {
		*ret_how = BPFMAP_UPDATED;
		return update_link(a, id, object, link_fd);
	}
	*ret_how = held ? BPFMAP_MOVED : BPFMAP_ATTACHED;
	return attach_new(a, id, object);
}

static int attach_iter(const struct bpfmap_attaching *a, enum bpfmap_program id,
	const struct bpfmap_object *object)
{
	cleanup(link) struct bpf_link *link = bpf_program__attach_iter(object->prog, NULL);

	if (!link)
		return bpfmap_why(a->why, -errno, "%s cannot be attached: %s",
			bpfmap_programs[id].pin, strerror(errno));
	return pin_over(a, id, bpf_link__fd(link));
}

int bpfmap_attach(const struct bpfmap_attaching *a, enum bpfmap_program id,
	const struct bpfmap_object *object, enum bpfmap_attach *ret_how)
{
	*ret_how = BPFMAP_UPDATED;
	switch (bpfmap_programs[id].place) {
	case BPFMAP_PLACE_CGROUP:
		return attach_cgroup(a, id, object, ret_how);
	case BPFMAP_PLACE_READ:
		return attach_iter(a, id, object);
	case BPFMAP_PLACE_RUN:
		break;
	}
	return pin_over(a, id, bpf_program__fd(object->prog));
}

int bpfmap_attach_walk(const struct bpfmap_object *object)
{
	cleanup(link) struct bpf_link *link = bpf_program__attach_iter(object->prog, NULL);
	cleanup(fd) int fd = -1;
	char nothing[64];
	ssize_t n;

	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0)
		return fd;
	do
		n = read(fd, nothing, sizeof(nothing));
	while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
	return n < 0 ? -errno : 0;
}

int bpfmap_unpin(const char *dir, const char *name, unsigned *n, char *why)
{
	char path[PATH_MAX];
	int err = bpfmap_pin_path(dir, name, path);

	if (err)
		return bpfmap_why(why, err, "the path of the bpffs is too long");
	if (!unlink(path)) {
		*n += 1;
		return 0;
	}
	if (errno == ENOENT)
		return 0;
	return bpfmap_why(why, -errno, "%s cannot be removed: %s", path, strerror(errno));
}

int bpfmap_detach(const char *dir, enum bpfmap_program id, unsigned *n, char *why)
{
	const struct bpfmap_program_info *info = &bpfmap_programs[id];
	cleanup(fd) int link_fd = -1;
	int err;

	/* Without this a process that has the link open would keep the program running. */
	if (info->place == BPFMAP_PLACE_CGROUP && !bpfmap_link_open(dir, info->pin, &link_fd)) {
		err = bpf_link_detach(link_fd);
		if (err && err != -ENOLINK)
			return bpfmap_why(
				why, err, "%s cannot be detached: %s", info->pin, strerror(-err));
	}
	return bpfmap_unpin(dir, info->pin, n, why);
}
