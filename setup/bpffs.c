#include "setup/bpffs.h"

#include "bpfmap/pin.h"

#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

/* The mount's source tells ours from others' when it comes to unmounting. */
#define SOURCE "identityd"

static_assert(SETUP_WHY == BPFMAP_WHY, "one size of sentence");

static inline void cleanup_fn_mounts(FILE **f)
{
	if (*f)
		endmntent(*f);
}

static inline void cleanup_fn_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* The parents get 0755, the last folder 0750. */
static int make_folders(const char *path, char *why)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (path[0] != '/' || len >= sizeof(part))
		return bpfmap_why(why, -EINVAL, "bpf.path must be an absolute path: %s", path);
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, i == len ? 0750 : 0755) && errno != EEXIST)
			return bpfmap_why(
				why, -errno, "%s cannot be created: %s", part, strerror(errno));
	}
	return 0;
}

bool setup_bpffs_there(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == BPF_FS_MAGIC;
}

static int mount_bpffs(const char *path, gid_t group, char *why)
{
	char data[64];

	snprintf(data, sizeof(data), "mode=0750,gid=%u", group);
	if (!mount(SOURCE, path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, data))
		return 0;
	if (errno == ENODEV)
		return bpfmap_why(why, -errno,
			"this kernel has no bpffs (CONFIG_BPF_SYSCALL): set bpf.mode to off");
	return bpfmap_why(
		why, -errno, "a bpffs cannot be mounted at %s: %s", path, strerror(errno));
}

int setup_bpffs_mount(const char *path, gid_t group, bool *ret_mounted, char why[SETUP_WHY])
{
	bool there;
	int err;

	err = make_folders(path, why);
	if (err)
		return err;
	there = setup_bpffs_there(path);
	if (!there) {
		err = mount_bpffs(path, group, why);
		if (err)
			return err;
	}
	/* Kernels before gid= ignore it silently; and an older run may have had another group. */
	if (chown(path, 0, group) || chmod(path, 0750))
		return bpfmap_why(
			why, -errno, "%s: owner and mode cannot be set: %s", path, strerror(errno));
	*ret_mounted = !there;
	return 0;
}

/* The last line counts: a later mount covers an earlier one. */
static bool is_ours(const char *path)
{
	cleanup(mounts) FILE *mounts = setmntent("/proc/self/mounts", "re");
	cleanup(free) char *real = realpath(path, NULL);
	char buf[3 * PATH_MAX];
	struct mntent entry;
	bool ours = false;

	while (mounts && real && getmntent_r(mounts, &entry, buf, sizeof(buf))) {
		if (!strcmp(entry.mnt_dir, real))
			ours = !strcmp(entry.mnt_type, "bpf") && !strcmp(entry.mnt_fsname, SOURCE);
	}
	return ours;
}

/* Every bpffs has two files of the kernel's own, maps.debug and progs.debug. */
static bool is_empty(const char *path)
{
	cleanup(dir) DIR *dir = opendir(path);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		const char *dot = strrchr(entry->d_name, '.');

		if (entry->d_name[0] != '.' && (!dot || strcmp(dot, ".debug")))
			return false;
	}
	return dir != NULL;
}

int setup_bpffs_unmount(const char *path, enum setup_unmounted *ret_how, char why[SETUP_WHY])
{
	if (!is_ours(path)) {
		*ret_how = SETUP_NOT_OURS;
		return 0;
	}
	if (!is_empty(path)) {
		*ret_how = SETUP_NOT_EMPTY;
		return 0;
	}
	if (umount2(path, UMOUNT_NOFOLLOW))
		return bpfmap_why(why, -errno,
			"%s cannot be unmounted (%s): does a shell stand in it?", path,
			strerror(errno));
	/* Whatever else lies in the folder below the mount is not ours to remove. */
	(void)!rmdir(path);
	*ret_how = SETUP_UNMOUNTED;
	return 0;
}

int setup_cgroup_path(const char *cgroup, char ret_path[PATH_MAX], char why[SETUP_WHY])
{
	cleanup(mounts) FILE *mounts = NULL;
	char buf[3 * PATH_MAX];
	const char *root = NULL;
	struct mntent entry;
	int n;

	mounts = cgroup[0] == '/' ? NULL : setmntent("/proc/self/mounts", "re");
	while (mounts && !root && getmntent_r(mounts, &entry, buf, sizeof(buf))) {
		if (!strcmp(entry.mnt_type, "cgroup2"))
			root = entry.mnt_dir;
	}
	if (cgroup[0] != '/' && !root)
		return bpfmap_why(why, -ENODEV,
			"no cgroup2 is mounted: mount one (mount -t cgroup2 none DIR), "
			"or set bpf.mode to off");
	n = snprintf(ret_path, PATH_MAX, "%s%s%s", root ? root : "", root ? "/" : "", cgroup);
	if (n < 0 || n >= PATH_MAX)
		return bpfmap_why(why, -ENAMETOOLONG, "the path of the cgroup is too long");
	return 0;
}
