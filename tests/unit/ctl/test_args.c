#include "tests/unit/ctl/suites.h"

#include "ctl/args.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *text;
	int rc;
	int64_t seconds;
} DURATIONS[] = {
	{"300", 0, 300},
	{"300s", 0, 300},
	{"5m", 0, 300},
	{"2h", 0, 7200},
	{"1d", 0, 86400},
	{"0", 0, 0},
	{"-60s", 0, -60},
	{"9223372036854775807", 0, INT64_MAX},
	{"9223372036854775808", -EINVAL, 7},
	{"9223372036854775807m", -EINVAL, 7},
	{"-9223372036854775807d", -EINVAL, 7},
	{"", -EINVAL, 7},
	{"-", -EINVAL, 7},
	{"--5", -EINVAL, 7},
	{"+5", -EINVAL, 7},
	{" 5", -EINVAL, 7},
	{"- 5", -EINVAL, 7},
	{"5 s", -EINVAL, 7},
	{"5S", -EINVAL, 7},
	{"5ms", -EINVAL, 7},
	{"5s5", -EINVAL, 7},
	{"s", -EINVAL, 7},
	{"0x10", -EINVAL, 7},
};

START_TEST(durations)
{
	/* Goal: a duration is a whole number and at most one unit; else the output stays. */
	int64_t seconds = 7;

	ck_assert_int_eq(ctl_args_duration(DURATIONS[_i].text, &seconds), DURATIONS[_i].rc);
	ck_assert_int_eq(seconds, DURATIONS[_i].seconds);
}
END_TEST

START_TEST(files)
{
	/* Goal: a file is read whole up to its ceiling, and one byte more is -EFBIG. */
	char name[64];
	char *data = NULL;
	size_t n = 0;
	FILE *f;

	snprintf(name, sizeof(name), "/tmp/unit_ctl.%d.args", (int)getpid());
	f = fopen(name, "w");
	ck_assert_ptr_nonnull(f);
	fwrite("ab\0cd", 1, 5, f);
	fclose(f);
	ck_assert_int_eq(ctl_args_read_file(name, 4, &data, &n), -EFBIG);
	ck_assert_ptr_null(data);
	ck_assert_int_eq(ctl_args_read_file(name, 5, &data, &n), 0);
	ck_assert_uint_eq(n, 5);
	ck_assert_mem_eq(data, "ab\0cd", 6);
	ctl_args_wipe(data, n);
	unlink(name);
	data = NULL;
	ck_assert_int_eq(ctl_args_read_file(name, 5, &data, &n), -ENOENT);
	ck_assert_int_eq(ctl_args_read_file("/tmp", 5, &data, &n), -EISDIR);
	ck_assert_ptr_null(data);
	ctl_args_wipe(NULL, 0);
}
END_TEST

Suite *suite_args(void)
{
	Suite *s = suite_create("ctl/args");
	TCase *tc = tcase_create("args");

	tcase_add_loop_test(tc, durations, 0, ARRAY_SIZE(DURATIONS));
	tcase_add_test(tc, files);
	suite_add_tcase(s, tc);
	return s;
}
