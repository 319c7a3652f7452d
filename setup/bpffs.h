/* The bpffs of one agent: a folder, a mount, an owner. */
#ifndef SETUP_BPFFS_H
#define SETUP_BPFFS_H

#include "base/mem.h"
#include "setup/setup.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * Makes the folder, mounts a bpffs unless the folder is on one already, and
 * gives it to root:group with mode 0750. 0 or -errno, with why.
 */
int setup_bpffs_mount(
	const char *path, gid_t group, bool *ret_mounted, char why[SETUP_WHY]) must_check;

/* Is there a bpffs at path? */
bool setup_bpffs_there(const char *path);

enum setup_unmounted {
	SETUP_UNMOUNTED,
	SETUP_NOT_OURS,  /* mounted by somebody else, or a folder below such a mount */
	SETUP_NOT_EMPTY, /* somebody else's pins are in it */
};

/* 0 or -errno, with why. */
int setup_bpffs_unmount(
	const char *path, enum setup_unmounted *ret_how, char why[SETUP_WHY]) must_check;

/*
 * A cgroup's path: an absolute one as it is, else below the first mount of
 * type cgroup2. 0, -ENODEV there is no such mount, -ENAMETOOLONG; with why.
 */
int setup_cgroup_path(const char *cgroup, char ret_path[PATH_MAX], char why[SETUP_WHY]) must_check;

#endif
