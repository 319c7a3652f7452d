#include "bpfmap/load.h"

#include "bpfmap/link.h"
#include "bpfmap/pin.h"
#include "tests/unit/bpfmap/kernel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *suite_load(void);

static int load_at(const char *cgroup, struct bpfmap_loaded *loaded, char *why)
{
	const struct bpfmap_load load = {
		.dir = kernel.bpf,
		.cgroup = cgroup,
		.group = KERNEL_GROUP,
		.max_flows = 16,
		KERNEL_ROOM,
	};

	return bpfmap_load(&load, loaded, why);
}

static mode_t mode_of(const char *name, gid_t *ret_gid)
{
	char path[PATH_MAX];
	struct stat st = {0};

	ck_assert_int_eq(bpfmap_pin_path(kernel.bpf, name, path), 0);
	if (stat(path, &st))
		return 0;
	*ret_gid = st.st_gid;
	return st.st_mode & 0777;
}

START_TEST(first_time)
{
	/* Goal: everything is created, with the owner and mode that the agent needs. */
	static const struct {
		const char *name;
		mode_t mode;
	} pins[] = {
		{BPFMAP_PIN_FLOWS, 0640},
		{BPFMAP_PIN_OVERFLOW, 0640},
		{BPFMAP_PIN_SETTINGS, 0640},
		{BPFMAP_PIN_CONTROL, 0660},
		{BPFMAP_PIN_CELLS, 0640},
		{BPFMAP_PIN_COUNTERS, 0640},
		{BPFMAP_PIN_STATS, 0640},
		{BPFMAP_PIN_ENDPOINTS, 0660},
		{BPFMAP_PIN_POLICY, 0660},
		{BPFMAP_PIN_EVENTS, 0660},
		{"sock_ops", 0660},
		{"update", 0660},
		{"connect4", 0660},
		{"connect6", 0660},
		{"sendmsg4", 0660},
		{"sendmsg6", 0660},
		{"ingress", 0660},
		{"egress", 0660},
		{"kill", 0640},
		{"look", 0640},
	};
	struct bpfmap_loaded loaded = kernel_load(NULL, 0, 100);
	gid_t gid = 0;

	ck_assert_uint_eq(loaded.n_created, BPFMAP_MAPS);
	ck_assert_uint_eq(loaded.lacks, 0);
	ck_assert_uint_eq(loaded.max_flows, 100);
	ck_assert(loaded.settings_written);
	ck_assert_int_eq(loaded.how, BPFMAP_ATTACHED);
	for (size_t i = 0; i < ARRAY_SIZE(pins); i++) {
		ck_assert_uint_eq(mode_of(pins[i].name, &gid), pins[i].mode);
		ck_assert_uint_eq(gid, KERNEL_GROUP);
	}
	ck_assert_uint_eq(mode_of(BPFMAP_ASIDE, &gid), 0);
}
END_TEST

START_TEST(second_time_keeps_entries)
{
	/* Goal: a repetition changes nothing that is at work, whatever max_flows says now. */
	struct bpfmap_flow flow;
	struct bpfmap_loaded loaded;
	struct connection c;
	struct bpfmap *map;
	int listener;

	kernel_load(NULL, 0, 100);
	map = kernel_open();
	listener = kernel_listen(kernel.cgroup, "127.0.0.1");
	c = kernel_connect(listener, "127.0.0.1", 0);
	ck_assert(kernel_wait_entry(map, &c.key, true));
	loaded = kernel_load(NULL, 0, 200);
	ck_assert_uint_eq(loaded.n_created, 0);
	ck_assert_uint_eq(loaded.max_flows, 100);
	ck_assert(!loaded.settings_written);
	ck_assert_int_eq(loaded.how, BPFMAP_UPDATED);
	ck_assert_int_eq(bpfmap_flow_get(map, &c.key, &flow), 0);
	ck_assert_uint_eq(flow.cookie, c.cookie);
	kernel_close(&c);
	ck_assert(kernel_wait_entry(map, &c.key, false));
	close(listener);
	bpfmap_close(map);
}
END_TEST

START_TEST(moves_to_another_cgroup)
{
	/* Goal: another cgroup in the configuration takes over from the old one. */
	struct bpfmap_loaded loaded;
	char other[320], why[BPFMAP_WHY] = "";
	struct connection in_old, in_new;
	struct bpfmap *map;
	int old_listener, new_listener;

	kernel_load(NULL, 0, 16);
	map = kernel_open();
	kernel_make_cgroup("moved", other);
	ck_assert_int_eq(load_at(other, &loaded, why), 0);
	ck_assert_int_eq(loaded.how, BPFMAP_MOVED);
	old_listener = kernel_listen(kernel.cgroup, "127.0.0.1");
	new_listener = kernel_listen(other, "127.0.0.1");
	in_old = kernel_connect(old_listener, "127.0.0.1", 0);
	in_new = kernel_connect(new_listener, "127.0.0.1", 0);
	ck_assert(kernel_wait_entry(map, &in_new.key, true));
	ck_assert(kernel_wait_entry(map, &in_old.key, false));
	kernel_close(&in_old);
	kernel_close(&in_new);
	close(old_listener);
	close(new_listener);
	bpfmap_close(map);
	rmdir(other);
}
END_TEST

START_TEST(removed_cgroup)
{
	/* Goal: when the cgroup is gone status says so, and the next run attaches anew. */
	struct bpfmap_status status = {.attached = true};
	struct bpfmap_loaded loaded;
	char other[320], why[BPFMAP_WHY] = "";
	struct bpfmap *map;

	kernel_make_cgroup("removed", other);
	ck_assert_int_eq(load_at(other, &loaded, why), 0);
	map = kernel_open();
	ck_assert_int_eq(bpfmap_status(map, &status), 0);
	ck_assert(status.attached);
	ck_assert_int_eq(rmdir(other), 0);
	for (int i = 0; i < 400 && status.attached; i++) {
		usleep(5000);
		ck_assert_int_eq(bpfmap_status(map, &status), 0);
	}
	ck_assert(!status.attached);
	loaded = kernel_load(NULL, 0, 16);
	ck_assert_int_eq(loaded.how, BPFMAP_ATTACHED);
	ck_assert_int_eq(bpfmap_status(map, &status), 0);
	ck_assert(status.attached);
	bpfmap_close(map);
}
END_TEST

START_TEST(refuses_another_layout)
{
	/* Goal: a pin of another layout is refused before anything is created. */
	struct bpfmap_loaded loaded;
	char why[BPFMAP_WHY] = "";
	gid_t gid;

	kernel_pin_map(BPFMAP_PIN_FLOWS, BPF_MAP_TYPE_HASH, 24, 24, 9);
	ck_assert_int_eq(load_at(kernel.cgroup, &loaded, why), -EPROTO);
	ck_assert_ptr_nonnull(strstr(why, "expected hash, key 40, value 96"));
	ck_assert_ptr_nonnull(strstr(why, "found hash, key 24, value 24"));
	ck_assert_uint_eq(mode_of(BPFMAP_PIN_SETTINGS, &gid), 0);
	ck_assert_uint_eq(mode_of("sock_ops", &gid), 0);
}
END_TEST

START_TEST(bad_options)
{
	/* Goal: a cgroup that is none, too many ports and an empty map are said, not tried. */
	static const uint16_t ports[BPFMAP_PORTS_MAX + 1];
	struct bpfmap_load load = {
		.dir = kernel.bpf, .cgroup = kernel.cgroup, .max_flows = 1, KERNEL_ROOM};
	struct bpfmap_loaded loaded;
	char why[BPFMAP_WHY] = "";

	ck_assert_int_eq(load_at("/sys/fs/cgroup/there/is/none", &loaded, why), -ENOENT);
	ck_assert_ptr_nonnull(strstr(why, "bpf.cgroup"));
	ck_assert_int_eq(load_at("/tmp", &loaded, why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "cgroup2"));
	load.ports = ports;
	load.n_ports = ARRAY_SIZE(ports);
	ck_assert_int_eq(bpfmap_load(&load, &loaded, why), -EINVAL);
	load.n_ports = 0;
	load.max_flows = 0;
	ck_assert_int_eq(bpfmap_load(&load, &loaded, why), -EINVAL);
}
END_TEST

static int load_unprivileged(void *arg)
{
	struct bpfmap_loaded loaded;
	char why[BPFMAP_WHY] = "";

	(void)arg;
	return load_at(kernel.cgroup, &loaded, why) == -EPERM && strstr(why, "root") ? 0 : 1;
}

START_TEST(without_rights)
{
	/* Goal: who may not load programs gets -EPERM and a sentence. */
	ck_assert_int_eq(
		kernel_unprivileged(KERNEL_USER, KERNEL_GROUP, load_unprivileged, NULL), 0);
}
END_TEST

Suite *suite_load(void)
{
	Suite *suite = suite_create("bpfmap/load");
	TCase *tcase = tcase_create("all");

	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, kernel_setup, kernel_teardown);
	tcase_add_test(tcase, first_time);
	tcase_add_test(tcase, second_time_keeps_entries);
	tcase_add_test(tcase, moves_to_another_cgroup);
	tcase_add_test(tcase, removed_cgroup);
	tcase_add_test(tcase, refuses_another_layout);
	tcase_add_test(tcase, bad_options);
	tcase_add_test(tcase, without_rights);
	suite_add_tcase(suite, tcase);
	return suite;
}
