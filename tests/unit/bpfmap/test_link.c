#include "bpfmap/link.h"

#include "bpfmap/pin.h"
#include "tests/unit/bpfmap/kernel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *suite_link(void);

START_TEST(missing)
{
	/* Goal: no pinned link is -ENOENT. */
	int fd = -1;

	ck_assert_int_eq(bpfmap_link_open(kernel.bpf, "sock_ops", &fd), -ENOENT);
	ck_assert_int_eq(fd, -1);
}
END_TEST

START_TEST(names_its_cgroup)
{
	/* Goal: the id of the link is the inode number of the cgroup's folder. */
	uint64_t id = 0;
	struct stat st;
	int fd = -1;

	kernel_load(NULL, 0, 16);
	ck_assert_int_eq(stat(kernel.cgroup, &st), 0);
	ck_assert_int_eq(bpfmap_link_open(kernel.bpf, "sock_ops", &fd), 0);
	ck_assert_int_eq(bpfmap_link_cgroup(fd, &id), 0);
	ck_assert_uint_eq(id, st.st_ino);
	ck_assert_int_eq(bpf_link_detach(fd), 0);
	ck_assert_int_eq(bpfmap_link_cgroup(fd, &id), 0);
	ck_assert_uint_eq(id, 0);
}
END_TEST

START_TEST(map_is_no_link)
{
	/* Goal: a pinned map under the link's name is refused. */
	int fd = -1;

	kernel_pin_map("sock_ops", BPF_MAP_TYPE_ARRAY, 4, 4, 1);
	ck_assert_int_lt(bpfmap_link_open(kernel.bpf, "sock_ops", &fd), 0);
	ck_assert_int_eq(fd, -1);
}
END_TEST

Suite *suite_link(void)
{
	Suite *suite = suite_create("bpfmap/link");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, kernel_setup, kernel_teardown);
	tcase_add_test(tcase, missing);
	tcase_add_test(tcase, names_its_cgroup);
	tcase_add_test(tcase, map_is_no_link);
	suite_add_tcase(suite, tcase);
	return suite;
}
