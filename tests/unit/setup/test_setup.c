#include "setup/setup.h"

#include "bpfmap/pin.h"
#include "tests/unit/bpfmap/kernel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *suite_setup(void);

static char text[4096]; /* what the last run printed */

/* The fixture's bpffs goes: setup mounts its own. */
static void without_bpffs(void)
{
	kernel_setup();
	ck_assert_int_eq(umount(kernel.bpf), 0);
	ck_assert_int_eq(rmdir(kernel.bpf), 0);
}

static struct setup_options options_of_test(void)
{
	static char group[16];

	snprintf(group, sizeof(group), "%d", KERNEL_GROUP);
	return (struct setup_options){
		.bpffs_path = kernel.bpf,
		.cgroup = kernel.cgroup,
		.group = group,
		.max_flows = 64,
		KERNEL_ROOM,
		.verbose = true,
	};
}

static int run(int (*action)(const struct setup_options *, char *),
	const struct setup_options *options, char *why)
{
	struct setup_options with_out = *options;
	int err;

	memset(text, 0, sizeof(text));
	with_out.out = fmemopen(text, sizeof(text) - 1, "w");
	ck_assert_ptr_nonnull(with_out.out);
	err = action(&with_out, why);
	fclose(with_out.out);
	return err;
}

static void apply(const struct setup_options *options)
{
	char why[SETUP_WHY] = "";
	int err = run(setup_apply, options, why);

	ck_assert_msg(!err, "setup_apply: %d %s", err, why);
}

START_TEST(twice_keeps_entries)
{
	/* Goal: a second run changes nothing that is at work, and each says what it did. */
	const struct bpfmap_binding binding = {.identity = 7, .subject = 70};
	struct setup_options options = options_of_test();
	struct bpfmap_flow flow;
	enum bpfmap_bound bound;
	struct connection c;
	struct bpfmap *map;
	int listener;

	apply(&options);
	ck_assert_ptr_nonnull(strstr(text, "bpffs: mounted"));
	ck_assert_ptr_nonnull(strstr(text, "maps: 10 created, 0 kept, room for 64 flows"));
	ck_assert_ptr_nonnull(strstr(text, "programs: attached to"));
	ck_assert_ptr_nonnull(strstr(text, "probe: a connection appeared"));
	map = kernel_open();
	listener = kernel_listen(kernel.cgroup, "127.0.0.1");
	c = kernel_connect(listener, "127.0.0.1", 0);
	ck_assert(kernel_wait_entry(map, &c.key, true));
	ck_assert_int_eq(bpfmap_flow_bind(map, &c.key, &binding, &bound), 0);
	options.max_flows = 128;
	apply(&options);
	ck_assert_ptr_nonnull(strstr(text, "bpffs: found"));
	ck_assert_ptr_nonnull(strstr(text, "maps: 0 created, 10 kept, room for 64 flows"));
	ck_assert_ptr_nonnull(strstr(text, "warning: bpf.max_flows is 128"));
	ck_assert_ptr_nonnull(strstr(text, "settings: as they were"));
	ck_assert_ptr_nonnull(strstr(text, "programs: updated in place"));
	ck_assert_int_eq(bpfmap_flow_get(map, &c.key, &flow), 0);
	ck_assert_uint_eq(flow.identity, 7);
	kernel_close(&c);
	ck_assert(kernel_wait_entry(map, &c.key, false));
	close(listener);
	bpfmap_close(map);
}
END_TEST

START_TEST(remove_undoes_everything)
{
	/* Goal: after --remove there is no pin, no mount, no folder and no program. */
	struct setup_options options = options_of_test();
	char why[SETUP_WHY] = "";
	struct bpfmap_status status;
	struct connection c;
	struct bpfmap *map;
	int listener;

	apply(&options);
	map = kernel_open();
	ck_assert_int_eq(run(setup_remove, &options, why), 0);
	ck_assert_ptr_nonnull(strstr(text, "pins: 20 removed"));
	ck_assert_ptr_nonnull(strstr(text, "unmounted"));
	ck_assert_int_eq(access(kernel.bpf, F_OK), -1);
	listener = kernel_listen(kernel.cgroup, "127.0.0.1");
	c = kernel_connect(listener, "127.0.0.1", 0);
	usleep(20000);
	ck_assert_int_eq(bpfmap_status(map, &status), 0);
	ck_assert(!status.attached);
	/* The one that was opened was the probe's. */
	ck_assert_uint_eq(status.counters[BPFMAP_COUNT_FLOWS_OPENED], 1);
	kernel_close(&c);
	close(listener);
	bpfmap_close(map);
	ck_assert_int_eq(run(setup_remove, &options, why), 0);
	ck_assert_ptr_nonnull(strstr(text, "nothing to remove"));
}
END_TEST

START_TEST(refuses_another_layout)
{
	/* Goal: pins of another layout are refused with both layouts, and stay as they are. */
	struct setup_options options = options_of_test();
	char why[SETUP_WHY] = "", path[PATH_MAX];

	apply(&options);
	ck_assert_int_eq(bpfmap_pin_path(kernel.bpf, BPFMAP_PIN_FLOWS, path), 0);
	ck_assert_int_eq(unlink(path), 0);
	kernel_pin_map(BPFMAP_PIN_FLOWS, BPF_MAP_TYPE_HASH, 24, 24, 9);
	ck_assert_int_eq(run(setup_apply, &options, why), -EPROTO);
	ck_assert_ptr_nonnull(strstr(why, "key 40, value 96"));
	ck_assert_ptr_nonnull(strstr(why, "key 24, value 24"));
	ck_assert_int_eq(run(setup_remove, &options, why), 0);
	apply(&options);
}
END_TEST

START_TEST(ports_are_written)
{
	/* Goal: a changed list of ports reaches the settings that the program reads. */
	const uint16_t ports[] = {8080, 8443};
	struct setup_options options = options_of_test();
	struct bpfmap_settings settings;
	const uint32_t zero = 0;
	char path[PATH_MAX];
	int fd;

	apply(&options);
	options.ports = ports;
	options.n_ports = 2;
	apply(&options);
	ck_assert_ptr_nonnull(strstr(text, "settings: written, listed ports"));
	ck_assert_int_eq(bpfmap_pin_path(kernel.bpf, BPFMAP_PIN_SETTINGS, path), 0);
	fd = bpf_obj_get(path);
	ck_assert_int_eq(bpf_map_lookup_elem(fd, &zero, &settings), 0);
	ck_assert_uint_eq(settings.version, BPFMAP_ABI_VERSION);
	ck_assert_uint_eq(settings.n_ports, 2);
	ck_assert_uint_eq(settings.ports[0], 8080);
	ck_assert_uint_eq(settings.ports[1], 8443);
	ck_assert_uint_eq(settings.ports[2], 0);
	close(fd);
}
END_TEST

START_TEST(failing_probe_is_an_error)
{
	/* Goal: when no connection appears in the map the run fails, and says why. */
	const struct bpfmap_flow_key key = {.family = BPFMAP_FAMILY_IPV4};
	struct setup_options options = options_of_test();
	const struct bpfmap_flow flow = {0};
	char why[SETUP_WHY] = "";

	options.max_flows = 1;
	apply(&options);
	kernel_put(&key, &flow);
	ck_assert_int_eq(run(setup_apply, &options, why), -ENXIO);
	ck_assert_ptr_nonnull(strstr(why, "did not appear"));
	ck_assert_ptr_null(strstr(text, "probe:"));
}
END_TEST

static const struct {
	const char *cgroup, *group;
	int err;
	const char *word;
} mistakes[] = {
	{"/sys/fs/cgroup/there/is/none", NULL, -ENOENT, "bpf.cgroup"},
	{"/tmp", NULL, -EINVAL, "cgroup2"},
	{NULL, "no-such-group-here", -ENOENT, "groupadd"},
	{NULL, "99999999999999999999", -ENOENT, "group"},
	{NULL, "12x", -ENOENT, "group"},
};

START_TEST(mistakes_are_sentences)
{
	/* Goal: what the operator got wrong is named together with the way out. */
	struct setup_options options = options_of_test();
	char why[SETUP_WHY] = "";

	if (mistakes[_i].cgroup)
		options.cgroup = mistakes[_i].cgroup;
	if (mistakes[_i].group)
		options.group = mistakes[_i].group;
	ck_assert_int_eq(run(setup_apply, &options, why), mistakes[_i].err);
	ck_assert_msg(strstr(why, mistakes[_i].word) != NULL, "%s", why);
}
END_TEST

static int both_refused(void *arg)
{
	const struct setup_options options = options_of_test();
	char why[SETUP_WHY] = "";

	(void)arg;
	if (setup_apply(&options, why) != -EPERM || !strstr(why, "root"))
		return 1;
	return setup_remove(&options, why) == -EPERM ? 0 : 2;
}

START_TEST(only_root)
{
	/* Goal: an ordinary user is told to be root, before anything else. */
	ck_assert_int_eq(kernel_unprivileged(KERNEL_USER, KERNEL_GROUP, both_refused, NULL), 0);
}
END_TEST

Suite *suite_setup(void)
{
	Suite *suite = suite_create("setup/setup");
	TCase *tcase = tcase_create("all");

	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, without_bpffs, kernel_teardown);
	tcase_add_test(tcase, twice_keeps_entries);
	tcase_add_test(tcase, remove_undoes_everything);
	tcase_add_test(tcase, refuses_another_layout);
	tcase_add_test(tcase, ports_are_written);
	tcase_add_test(tcase, failing_probe_is_an_error);
	tcase_add_loop_test(tcase, mistakes_are_sentences, 0, ARRAY_SIZE(mistakes));
	tcase_add_test(tcase, only_root);
	suite_add_tcase(suite, tcase);
	return suite;
}
