/* Who may read Cilium's ipcache, and who not. */
#include "setup/ipcache.h"

#include "bpfmap/ipcache.h"
#include "tests/unit/bpfmap/kernel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *suite_ipcache(void);

static char dir[128], pin[160], group[16];

static void setup(void)
{
	kernel_setup();
	ck_assert_int_eq(chown(kernel.bpf, 0, 0), 0);
	ck_assert_int_eq(chmod(kernel.bpf, 0700), 0);
	snprintf(dir, sizeof(dir), "%s/tc", kernel.bpf);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	ck_assert_int_eq(chown(dir, 0, 0), 0);
	snprintf(pin, sizeof(pin), "%s/" BPFMAP_IPCACHE_V2, dir);
	snprintf(group, sizeof(group), "%d", KERNEL_GROUP);
}

static void make(const char *path, unsigned value)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	int fd = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "ipcache", 24, value, 16, &opts);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bpf_obj_pin(fd, path), 0);
	close(fd);
}

static void is(const char *path, gid_t gid, mode_t mode)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_gid, gid);
	ck_assert_uint_eq(st.st_mode & 07777, mode);
}

static int try_open(void *arg)
{
	cleanup(bpfmap_ipcache) struct bpfmap_ipcache *ipcache = NULL;
	char why[BPFMAP_WHY];

	(void)arg;
	return bpfmap_ipcache_open(dir, &ipcache, why) ? 2 : 1;
}

/* What grant says, or why it fails. */
static char *grant(int want)
{
	static char text[1024];
	FILE *out = fmemopen(text, sizeof(text), "w");
	char why[SETUP_WHY] = "";

	memset(text, 0, sizeof(text));
	ck_assert_int_eq(setup_ipcache_grant(dir, group, out, why), want);
	fclose(out);
	if (want)
		snprintf(text, sizeof(text), "%s", why);
	return text;
}

START_TEST(grants)
{
	/* Goal: the group may read afterwards, nobody else; a repetition changes and says nothing. */
	ck_assert_ptr_nonnull(strstr(grant(0), "no ipcache yet"));
	is(dir, 0, 0700);
	make(pin, 24);
	ck_assert_int_eq(kernel_unprivileged(KERNEL_USER, KERNEL_GROUP, try_open, NULL), 2);
	ck_assert_ptr_nonnull(strstr(grant(0), "may be read by the group"));
	is(pin, KERNEL_GROUP, 0640);
	is(dir, 0, 0711);
	is(kernel.bpf, 0, 0711);
	is(kernel.top, 0, 0755);
	ck_assert_int_eq(kernel_unprivileged(KERNEL_USER, KERNEL_GROUP, try_open, NULL), 1);
	ck_assert_int_eq(kernel_unprivileged(KERNEL_NOBODY, KERNEL_NOBODY, try_open, NULL), 2);
	ck_assert_str_eq(grant(0), "");
}
END_TEST

START_TEST(made_anew)
{
	/* Goal: the pin that Cilium makes anew needs the right again, and gets it. */
	make(pin, 24);
	(void)grant(0);
	ck_assert_int_eq(unlink(pin), 0);
	make(pin, 24);
	ck_assert_int_eq(kernel_unprivileged(KERNEL_USER, KERNEL_GROUP, try_open, NULL), 2);
	(void)grant(0);
	ck_assert_int_eq(kernel_unprivileged(KERNEL_USER, KERNEL_GROUP, try_open, NULL), 1);
}
END_TEST

START_TEST(other_maps)
{
	/* Goal: a map of that name that is no ipcache stays root's alone. */
	make(pin, 40);
	ck_assert_ptr_nonnull(strstr(grant(-EPROTO), "no map that we can read"));
	is(pin, 0, 0600);
	is(dir, 0, 0700);
}
END_TEST

START_TEST(no_group)
{
	/* Goal: a group that does not exist is named, and nothing changes. */
	make(pin, 24);
	snprintf(group, sizeof(group), "nobody-has-it");
	ck_assert_ptr_nonnull(strstr(grant(-ENOENT), "nobody-has-it"));
	is(pin, 0, 0600);
}
END_TEST

Suite *suite_ipcache(void)
{
	Suite *suite = suite_create("setup/ipcache");
	TCase *tcase = tcase_create("kernel");

	tcase_add_checked_fixture(tcase, setup, kernel_teardown);
	tcase_add_test(tcase, grants);
	tcase_add_test(tcase, made_anew);
	tcase_add_test(tcase, other_maps);
	tcase_add_test(tcase, no_group);
	suite_add_tcase(suite, tcase);
	return suite;
}
