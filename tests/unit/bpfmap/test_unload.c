#include "bpfmap/link.h"
#include "bpfmap/pin.h"
#include "bpfmap/pin.h"
#include "tests/unit/bpfmap/kernel.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

Suite *suite_unload(void);

static unsigned count_pins(void)
{
	DIR *dir = opendir(kernel.bpf);
	const struct dirent *entry;
	unsigned n = 0;

	while (dir && (entry = readdir(dir)))
		n += entry->d_name[0] != '.' && !strstr(entry->d_name, ".debug");
	if (dir)
		closedir(dir);
	return n;
}

START_TEST(removes_everything)
{
	/* Goal: no pin stays, and the program is off even while somebody holds its link. */
	char why[BPFMAP_WHY] = "";
	struct bpfmap_status status;
	uint64_t cgroup = 1;
	struct connection c;
	struct bpfmap *map;
	unsigned n = 0;
	int fd, listener;

	kernel_load(NULL, 0, 16);
	ck_assert_uint_eq(count_pins(), BPFMAP_MAPS + BPFMAP_PROGRAMS);
	map = kernel_open();
	ck_assert_int_eq(bpfmap_link_open(kernel.bpf, "sock_ops", &fd), 0);
	ck_assert_int_eq(bpfmap_unload(kernel.bpf, &n, why), 0);
	ck_assert_uint_eq(n, BPFMAP_MAPS + BPFMAP_PROGRAMS);
	ck_assert_uint_eq(count_pins(), 0);
	ck_assert_int_eq(bpfmap_link_cgroup(fd, &cgroup), 0);
	ck_assert_uint_eq(cgroup, 0);
	listener = kernel_listen(kernel.cgroup, "127.0.0.1");
	c = kernel_connect(listener, "127.0.0.1", 0);
	ck_assert(kernel_wait_entry(map, &c.key, false));
	ck_assert_int_eq(bpfmap_status(map, &status), 0);
	ck_assert(!status.attached);
	ck_assert_uint_eq(status.counters[BPFMAP_COUNT_FLOWS_OPENED], 0);
	kernel_close(&c);
	close(listener);
	close(fd);
	bpfmap_close(map);
}
END_TEST

START_TEST(nothing_there)
{
	/* Goal: removing what is not there is no error and says zero. */
	char why[BPFMAP_WHY] = "";
	unsigned n = 9;

	ck_assert_int_eq(bpfmap_unload(kernel.bpf, &n, why), 0);
	ck_assert_uint_eq(n, 0);
}
END_TEST

Suite *suite_unload(void)
{
	Suite *suite = suite_create("bpfmap/unload");
	TCase *tcase = tcase_create("all");

	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, kernel_setup, kernel_teardown);
	tcase_add_test(tcase, removes_everything);
	tcase_add_test(tcase, nothing_there);
	suite_add_tcase(suite, tcase);
	return suite;
}
