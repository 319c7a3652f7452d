#include "setup/ipcache.h"

#include "bpfmap/ipcache.h"
#include "bpfmap/pin.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PIN_MODE 0640
#define PASS     0011 /* through a folder: for group and others */

static void say(FILE *out, const char *what, const char *path)
{
	if (out)
		fprintf(out, "%s: %s\n", what, path);
}

/* Not what is above the bpffs: whoever mounted it answers for the way there. */
static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == BPF_FS_MAGIC;
}

static int open_folder(const char *path, FILE *out, char *why)
{
	struct stat st;

	if (stat(path, &st))
		return bpfmap_why(why, -errno, "%s: %s", path, strerror(errno));
	if ((st.st_mode & PASS) == PASS)
		return 0;
	if (chmod(path, (st.st_mode & 07777) | PASS))
		return bpfmap_why(why, -errno, "%s: chmod: %s", path, strerror(errno));
	say(out, "may be passed through", path);
	return 0;
}

/* dir and its parents, as long as they are in a bpffs. */
static int open_way(const char *dir, FILE *out, char *why)
{
	char path[PATH_MAX];
	int err = 0;

	if (strlen(dir) >= sizeof(path))
		return bpfmap_why(why, -ENAMETOOLONG, "the path of the ipcache is too long");
	memcpy(path, dir, strlen(dir) + 1);
	while (!err && path[0] && is_bpffs(path)) {
		char *slash = strrchr(path, '/');

		err = open_folder(path, out, why);
		if (!slash)
			break;
		*slash = '\0';
	}
	return err;
}

static int open_pin(const char *path, gid_t group, FILE *out, char *why)
{
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? 0
				       : bpfmap_why(why, -errno, "%s: %s", path, strerror(errno));
	if (st.st_uid == 0 && st.st_gid == group && (st.st_mode & 07777) == PIN_MODE)
		return 0;
	/* The group before the mode: never readable for another one. */
	if (lchown(path, 0, group) || chmod(path, PIN_MODE))
		return bpfmap_why(why, -errno, "%s: %s", path, strerror(errno));
	say(out, "may be read by the group", path);
	return 0;
}

int setup_ipcache_grant(const char *dir, const char *group, FILE *out, char why[SETUP_WHY])
{
	static const char *const NAMES[] = {BPFMAP_IPCACHE_V1, BPFMAP_IPCACHE_V2};
	gid_t gid;
	int err = setup_group(group, &gid, why);
	unsigned found = 0;

	for (unsigned i = 0; !err && i < ARRAY_SIZE(NAMES); i++) {
		char path[PATH_MAX];

		err = bpfmap_pin_path(dir, NAMES[i], path);
		if (err)
			return bpfmap_why(why, err, "the path of the ipcache is too long");
		err = bpfmap_ipcache_check(path, i + 1, why);
		if (err == -ENOENT) {
			err = 0;
			continue;
		}
		if (!err)
			err = open_pin(path, gid, out, why);
		found += !err;
	}
	if (!err && !found)
		say(out, "Cilium has pinned no ipcache yet", dir);
	return err || !found ? err : open_way(dir, out, why);
}
