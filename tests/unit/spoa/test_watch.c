#include "tests/unit/spoa/suites.h"

#include "conf/conf.h"
#include "spoa/watch.h"
#include "tests/unit/spoa/help.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* A map that is there or not, and a program that feeds it or not, as the test says. */
static struct {
	bool fake;
	int open_rc;
	bool attached;
	unsigned n_open;
	char dir[1100];
} kernel;

int __real_bpfmap_open(const char *dir, struct bpfmap **ret, char why[BPFMAP_WHY]);
int __wrap_bpfmap_open(const char *dir, struct bpfmap **ret, char why[BPFMAP_WHY]);
int __wrap_bpfmap_status(struct bpfmap *map, struct bpfmap_status *ret);
void __wrap_bpfmap_close(struct bpfmap *map);

int __wrap_bpfmap_open(const char *dir, struct bpfmap **ret, char why[BPFMAP_WHY])
{
	snprintf(kernel.dir, sizeof(kernel.dir), "%s", dir);
	if (!kernel.fake)
		return __real_bpfmap_open(dir, ret, why);
	if (kernel.open_rc) {
		snprintf(why, BPFMAP_WHY, "the test says no");
		return kernel.open_rc;
	}
	*ret = (struct bpfmap *)&kernel;
	kernel.n_open++;
	return 0;
}

int __wrap_bpfmap_status(struct bpfmap *map, struct bpfmap_status *ret)
{
	ck_assert_ptr_eq(map, &kernel);
	*ret = (struct bpfmap_status){.attached = kernel.attached};
	return 0;
}

void __wrap_bpfmap_close(struct bpfmap *map)
{
	if (map)
		kernel.n_open--;
}

static char dir[64];
static char pin[100];
static struct spoa_watch watch;

static void setup(void)
{
	help_mkdir(dir);
	snprintf(pin, sizeof(pin), "%s/" BPFMAP_PIN_FLOWS, dir);
	memset(&kernel, 0, sizeof(kernel));
}

static void teardown(void)
{
	spoa_watch_done(&watch);
	spoa_watch_done(&watch);
	ck_assert_uint_eq(kernel.n_open, 0);
	help_rmdir(dir);
}

static void is_state(enum spoa_enforcement enforcement)
{
	ck_assert_str_eq(
		spoa_enforcement_name(watch.enforcement), spoa_enforcement_name(enforcement));
	ck_assert_int_eq(watch.maps != NULL, enforcement == SPOA_ENFORCEMENT_ON);
}

START_TEST(missing)
{
	/* Without the folder: off does not care, auto goes on and says why, required refuses. */
	ck_assert_int_eq(spoa_watch_init(&watch, CONF_BPF_OFF, "/nonexistent/bpf"), 0);
	is_state(SPOA_ENFORCEMENT_OFF);
	ck_assert(!spoa_watch_look(&watch));
	ck_assert_int_eq(spoa_watch_init(&watch, CONF_BPF_AUTO, "/nonexistent/bpf"), 0);
	is_state(SPOA_ENFORCEMENT_NONE);
	ck_assert_ptr_nonnull(strstr(watch.why, "/nonexistent/bpf"));
	ck_assert(!spoa_watch_look(&watch));
	ck_assert_int_lt(spoa_watch_init(&watch, CONF_BPF_REQUIRED, "/nonexistent/bpf"), 0);
	ck_assert_str_ne(watch.why, "");
}
END_TEST

START_TEST(comes_and_goes)
{
	/* Maps that appear enforce; gone, replaced or detached they are lost until they are back. */
	kernel.fake = true;
	kernel.attached = true;
	kernel.open_rc = -ENOENT;
	ck_assert_int_eq(spoa_watch_init(&watch, CONF_BPF_AUTO, dir), 0);
	is_state(SPOA_ENFORCEMENT_NONE);
	kernel.open_rc = 0;
	help_write(pin, "1");
	ck_assert(spoa_watch_look(&watch));
	is_state(SPOA_ENFORCEMENT_ON);
	ck_assert_str_eq(watch.why, "");
	ck_assert(!spoa_watch_look(&watch));
	kernel.attached = false;
	ck_assert(spoa_watch_look(&watch));
	is_state(SPOA_ENFORCEMENT_LOST);
	ck_assert_str_ne(watch.why, "");
	ck_assert(!spoa_watch_look(&watch));
	kernel.attached = true;
	ck_assert(spoa_watch_look(&watch));
	is_state(SPOA_ENFORCEMENT_ON);
	ck_assert_int_eq(unlink(pin), 0);
	ck_assert(spoa_watch_look(&watch));
	is_state(SPOA_ENFORCEMENT_LOST);
	kernel.open_rc = -ENOENT;
	ck_assert(!spoa_watch_look(&watch));
	is_state(SPOA_ENFORCEMENT_LOST); /* never back to "was never there" */
}
END_TEST

START_TEST(replaced)
{
	/* Another pin at the same path is another map. */
	char other[110];

	kernel.fake = true;
	kernel.attached = true;
	help_write(pin, "1");
	ck_assert_int_eq(spoa_watch_init(&watch, CONF_BPF_REQUIRED, dir), 0);
	is_state(SPOA_ENFORCEMENT_ON);
	snprintf(other, sizeof(other), "%s.new", pin);
	help_write(other, "2");
	ck_assert_int_eq(rename(other, pin), 0);
	ck_assert(spoa_watch_look(&watch));
	is_state(SPOA_ENFORCEMENT_LOST);
	ck_assert(spoa_watch_look(&watch));
	is_state(SPOA_ENFORCEMENT_ON);
}
END_TEST

START_TEST(not_attached)
{
	/* Maps that no program feeds enforce nothing, and required refuses them. */
	kernel.fake = true;
	help_write(pin, "1");
	ck_assert_int_eq(spoa_watch_init(&watch, CONF_BPF_AUTO, dir), 0);
	is_state(SPOA_ENFORCEMENT_NONE);
	ck_assert_int_lt(spoa_watch_init(&watch, CONF_BPF_REQUIRED, dir), 0);
	ck_assert_ptr_nonnull(strstr(watch.why, "identityd-setup"));
}
END_TEST

START_TEST(long_path)
{
	/* The longest path that the configuration allows is looked at as it is. */
	char path[1025];

	memset(path, 'x', sizeof(path) - 1);
	for (size_t i = 0; i < sizeof(path); i += 100)
		path[i] = '/';
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(spoa_watch_init(&watch, CONF_BPF_AUTO, path), 0);
	ck_assert_str_eq(kernel.dir, path);
}
END_TEST

Suite *suite_watch(void)
{
	Suite *suite = suite_create("watch");
	TCase *tc = tcase_create("watch");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, missing);
	tcase_add_test(tc, comes_and_goes);
	tcase_add_test(tc, replaced);
	tcase_add_test(tc, not_attached);
	tcase_add_test(tc, long_path);
	suite_add_tcase(suite, tc);
	return suite;
}
