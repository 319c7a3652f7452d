#include "setup/bpffs.h"

#include "tests/unit/bpfmap/kernel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *suite_bpffs(void);

static char path[PATH_MAX];

static void in_folder(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", kernel.top, name);
}

static void check_owner(void)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0750);
	ck_assert_uint_eq(st.st_uid, 0);
	ck_assert_uint_eq(st.st_gid, KERNEL_GROUP);
}

START_TEST(mounts_once)
{
	/* Goal: the folder and its parents are made, mounted once, and gone after unmounting. */
	enum setup_unmounted how = SETUP_NOT_EMPTY;
	char why[SETUP_WHY] = "";
	bool mounted = false;

	in_folder("run/identityd/bpf");
	ck_assert(!setup_bpffs_there(path));
	ck_assert_int_eq(setup_bpffs_mount(path, KERNEL_GROUP, &mounted, why), 0);
	ck_assert(mounted);
	ck_assert(setup_bpffs_there(path));
	check_owner();
	ck_assert_int_eq(chmod(path, 0777), 0);
	ck_assert_int_eq(setup_bpffs_mount(path, KERNEL_GROUP, &mounted, why), 0);
	ck_assert(!mounted);
	check_owner();
	ck_assert_int_eq(setup_bpffs_unmount(path, &how, why), 0);
	ck_assert_int_eq(how, SETUP_UNMOUNTED);
	ck_assert(!setup_bpffs_there(path));
	ck_assert_int_eq(access(path, F_OK), -1);
	in_folder("run/identityd");
	ck_assert_int_eq(rmdir(path), 0);
	in_folder("run");
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(covers_another_filesystem)
{
	/* Goal: a mount that is no bpffs is covered by one, and reappears. */
	enum setup_unmounted how;
	char why[SETUP_WHY] = "";
	bool mounted = false;

	in_folder("covered");
	ck_assert_int_eq(mkdir(path, 0755), 0);
	ck_assert_int_eq(mount("t", path, "tmpfs", 0, NULL), 0);
	ck_assert_int_eq(setup_bpffs_mount(path, KERNEL_GROUP, &mounted, why), 0);
	ck_assert(mounted);
	ck_assert_int_eq(setup_bpffs_unmount(path, &how, why), 0);
	ck_assert_int_eq(how, SETUP_UNMOUNTED);
	ck_assert(!setup_bpffs_there(path));
	ck_assert_int_eq(umount(path), 0);
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(leaves_what_is_not_ours)
{
	/* Goal: somebody else's bpffs, and a folder in it, are used and never unmounted. */
	enum setup_unmounted how = SETUP_UNMOUNTED;
	char why[SETUP_WHY] = "";
	bool mounted = true;

	snprintf(path, sizeof(path), "%s%s", kernel.bpf, _i ? "/below" : "");
	ck_assert_int_eq(setup_bpffs_mount(path, KERNEL_GROUP, &mounted, why), 0);
	ck_assert(!mounted);
	check_owner();
	ck_assert_int_eq(setup_bpffs_unmount(path, &how, why), 0);
	ck_assert_int_eq(how, SETUP_NOT_OURS);
	ck_assert(setup_bpffs_there(path));
}
END_TEST

START_TEST(leaves_pins_of_others)
{
	/* Goal: a bpffs of ours that holds a foreign pin stays mounted. */
	enum setup_unmounted how = SETUP_UNMOUNTED;
	char why[SETUP_WHY] = "", pin[PATH_MAX + 8];
	bool mounted = false;
	int fd;

	in_folder("mine");
	ck_assert_int_eq(setup_bpffs_mount(path, KERNEL_GROUP, &mounted, why), 0);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "test", 4, 4, 1, NULL);
	snprintf(pin, sizeof(pin), "%s/foreign", path);
	ck_assert_int_eq(bpf_obj_pin(fd, pin), 0);
	ck_assert_int_eq(setup_bpffs_unmount(path, &how, why), 0);
	ck_assert_int_eq(how, SETUP_NOT_EMPTY);
	ck_assert_int_eq(unlink(pin), 0);
	ck_assert_int_eq(setup_bpffs_unmount(path, &how, why), 0);
	ck_assert_int_eq(how, SETUP_UNMOUNTED);
	close(fd);
}
END_TEST

START_TEST(bad_paths)
{
	/* Goal: a relative path, and a path through a file, are refused with a sentence. */
	char why[SETUP_WHY] = "";
	bool mounted = false;

	ck_assert_int_eq(setup_bpffs_mount("run/bpf", 0, &mounted, why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "absolute"));
	ck_assert_int_eq(setup_bpffs_mount("/proc/self/status/bpf", 0, &mounted, why), -ENOTDIR);
	ck_assert_ptr_nonnull(strstr(why, "/proc/self/status/bpf"));
	ck_assert(!mounted);
}
END_TEST

START_TEST(cgroup_paths)
{
	/* Goal: an absolute cgroup stays, a relative one lies below the cgroup2 mount. */
	char why[SETUP_WHY] = "", cgroup[PATH_MAX], relative[PATH_MAX];
	const char *slash = strstr(kernel.cgroup, "/identityd-test");
	size_t root = (size_t)(slash - kernel.cgroup);

	ck_assert_int_eq(setup_cgroup_path("/some/where", cgroup, why), 0);
	ck_assert_str_eq(cgroup, "/some/where");
	snprintf(relative, sizeof(relative), "%s", kernel.cgroup + root + 1);
	ck_assert_int_eq(setup_cgroup_path(relative, cgroup, why), 0);
	ck_assert_str_eq(cgroup, kernel.cgroup);
	memset(relative, 'x', sizeof(relative) - 1);
	relative[sizeof(relative) - 1] = '\0';
	ck_assert_int_eq(setup_cgroup_path(relative, cgroup, why), -ENAMETOOLONG);
}
END_TEST

Suite *suite_bpffs(void)
{
	Suite *suite = suite_create("setup/bpffs");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, kernel_setup, kernel_teardown);
	tcase_add_test(tcase, mounts_once);
	tcase_add_test(tcase, covers_another_filesystem);
	tcase_add_loop_test(tcase, leaves_what_is_not_ours, 0, 2);
	tcase_add_test(tcase, leaves_pins_of_others);
	tcase_add_test(tcase, bad_paths);
	tcase_add_test(tcase, cgroup_paths);
	suite_add_tcase(suite, tcase);
	return suite;
}
