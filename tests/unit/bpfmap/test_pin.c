#include "bpfmap/pin.h"

#include "tests/unit/bpfmap/kernel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

Suite *suite_pin(void);

START_TEST(missing)
{
	/* Goal: a pin that is not there is -ENOENT, and why says what to run. */
	char why[BPFMAP_WHY] = "";
	uint32_t entries;
	int fd = -1;

	ck_assert_int_eq(
		bpfmap_pin_open(kernel.bpf, BPFMAP_MAP_FLOWS, 0, &fd, &entries, why), -ENOENT);
	ck_assert_ptr_nonnull(strstr(why, "identityd-setup"));
	ck_assert_int_eq(fd, -1);
}
END_TEST

static const struct {
	enum bpfmap_map map;
	unsigned type, key, value, n;
	int err;
	const char *expected, *found;
} layouts[] = {
	{BPFMAP_MAP_FLOWS, BPF_MAP_TYPE_HASH, 40, 96, 9, 0, "", ""},
	{BPFMAP_MAP_FLOWS, BPF_MAP_TYPE_HASH, 24, 24, 9, -EPROTO, "hash, key 40, value 96",
		"hash, key 24, value 24"},
	{BPFMAP_MAP_FLOWS, BPF_MAP_TYPE_HASH, 40, 40, 9, -EPROTO, "value 96", "value 40"},
	{BPFMAP_MAP_FLOWS, BPF_MAP_TYPE_LRU_HASH, 40, 96, 9, -EPROTO, "expected hash",
		"found lru_hash"},
	{BPFMAP_MAP_FLOWS, BPF_MAP_TYPE_STACK, 0, 96, 9, -EPROTO, "expected hash",
		"found another type"},
	{BPFMAP_MAP_SETTINGS, BPF_MAP_TYPE_ARRAY, 4, 80, 1, 0, "", ""},
	{BPFMAP_MAP_SETTINGS, BPF_MAP_TYPE_ARRAY, 4, 8, 1, -EPROTO, "value 80", "value 8"},
	{BPFMAP_MAP_COUNTERS, BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, BPFMAP_COUNTERS, 0, "", ""},
	{BPFMAP_MAP_COUNTERS, BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, BPFMAP_COUNTERS - 1, -EPROTO,
		"room for 11", "room for 10"},
	{BPFMAP_MAP_COUNTERS, BPF_MAP_TYPE_ARRAY, 4, 8, BPFMAP_COUNTERS, -EPROTO,
		"expected percpu_array", "found array"},
};

START_TEST(layout)
{
	/* Goal: type, sizes and room are checked, and both layouts are named. */
	char why[BPFMAP_WHY] = "";
	uint32_t entries = 0;
	int fd = -1, err;

	kernel_pin_map(bpfmap_pins[layouts[_i].map].name, layouts[_i].type, layouts[_i].key,
		layouts[_i].value, layouts[_i].n);
	err = bpfmap_pin_open(kernel.bpf, layouts[_i].map, 0, &fd, &entries, why);
	ck_assert_int_eq(err, layouts[_i].err);
	ck_assert_ptr_nonnull(strstr(why, layouts[_i].expected));
	ck_assert_ptr_nonnull(strstr(why, layouts[_i].found));
	ck_assert_int_eq(fd >= 0, !err);
	if (!err)
		ck_assert_uint_eq(entries, layouts[_i].n);
}
END_TEST

START_TEST(version)
{
	/* Goal: settings of another ABI version are refused, and both versions are named. */
	struct bpfmap_settings settings = {.version = BPFMAP_ABI_VERSION};
	const uint32_t zero = 0;
	char why[BPFMAP_WHY] = "";
	uint32_t entries;
	int fd;

	kernel_pin_map(BPFMAP_PIN_SETTINGS, BPF_MAP_TYPE_ARRAY, 4, sizeof(settings), 1);
	ck_assert_int_eq(
		bpfmap_pin_open(kernel.bpf, BPFMAP_MAP_SETTINGS, 0, &fd, &entries, why), 0);
	ck_assert_int_eq(bpfmap_pin_version(fd, kernel.bpf, why), -EPROTO);
	ck_assert_int_eq(bpf_map_update_elem(fd, &zero, &settings, 0), 0);
	ck_assert_int_eq(bpfmap_pin_version(fd, kernel.bpf, why), 0);
	settings.version = 99;
	ck_assert_int_eq(bpf_map_update_elem(fd, &zero, &settings, 0), 0);
	ck_assert_int_eq(bpfmap_pin_version(fd, kernel.bpf, why), -EPROTO);
	ck_assert_ptr_nonnull(strstr(why, "expected ABI version 2"));
	ck_assert_ptr_nonnull(strstr(why, "found version 99"));
}
END_TEST

START_TEST(long_path)
{
	/* Goal: a path that does not fit is an error, never a cut path. */
	char dir[PATH_MAX], path[PATH_MAX];

	memset(dir, 'x', sizeof(dir));
	dir[PATH_MAX - 3] = '\0';
	ck_assert_int_eq(bpfmap_pin_path(dir, "f", path), 0);
	ck_assert_int_eq(bpfmap_pin_path(dir, "fl", path), -ENAMETOOLONG);
}
END_TEST

Suite *suite_pin(void)
{
	Suite *suite = suite_create("bpfmap/pin");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, kernel_setup, kernel_teardown);
	tcase_add_test(tcase, missing);
	tcase_add_loop_test(tcase, layout, 0, ARRAY_SIZE(layouts));
	tcase_add_test(tcase, version);
	tcase_add_test(tcase, long_path);
	suite_add_tcase(suite, tcase);
	return suite;
}
