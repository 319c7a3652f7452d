/* One identity in and out of the set in force, looked at after each single write. */
#include "bpfmap/control.h"
#include "bpfmap/harness.skel.h"
#include "bpfmap/mark.h"
#include "bpfmap/policy.h"
#include "bpfmap/state.h"
#include "tests/unit/bpfmap/harness.h"
#include "tests/unit/bpfmap/kernel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

Suite *suite_identity(void);

#define SELF  300
#define OTHER 301

/* What the writes of the code under test go through. */
static struct {
	void (*after)(void); /* each write, while set */
	unsigned n;          /* so far */
	unsigned fail_at;    /* this one fails; 0: none */
} writes;

int __real_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags);
int __wrap_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags);
int __real_bpf_map_delete_elem(int fd, const void *key);
int __wrap_bpf_map_delete_elem(int fd, const void *key);

int __wrap_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	int err;

	if (++writes.n == writes.fail_at)
		return -ENOSPC;
	err = __real_bpf_map_update_elem(fd, key, value, flags);
	if (writes.after)
		writes.after();
	return err;
}

int __wrap_bpf_map_delete_elem(int fd, const void *key)
{
	int err = __real_bpf_map_delete_elem(fd, key);

	if (writes.after)
		writes.after();
	return err;
}

static struct bpfmap *map;
static struct harness_bpf *harness;

/* Service 1 refuses by default, service 2 is open, 3 is open at two ports. */
static const struct bpfmap_target TARGETS[] = {
	{.addr = {10, 0, 0, 1}, .len = 4, .prefix = 32, .service = 1},
	{.addr = {10, 0, 0, 2}, .len = 4, .prefix = 32, .service = 2},
	{.addr = {10, 0, 0, 3}, .len = 4, .prefix = 32, .service = 3},
};
static const struct bpfmap_rule ANYBODY[] = {
	{.service = 2, .port_hi = 65535},
	{.service = 3, .port_lo = 80, .port_hi = 81},
	{.service = 1, .identity = OTHER, .port_hi = 65535},
};
static const struct bpfmap_rule OWN[] = {
	{.service = 1, .identity = SELF, .port_lo = 80, .port_hi = 443},
	{.service = 1, .identity = SELF, .port_lo = 100, .port_hi = 110, .deny = true},
	{.service = 2, .identity = SELF, .port_lo = 22, .port_hi = 22, .deny = true},
	{.service = 3, .identity = SELF, .protocol = IPPROTO_TCP, .port_hi = 65535},
	{.service = 3, .identity = SELF, .port_lo = 81, .port_hi = 81, .deny = true},
};

/* Ports, the services at which SELF may use them (bits), and those of everybody who has no rule. */
static const struct {
	uint16_t port;
	unsigned own, anybody;
} MAY[] = {
	{79, 2 | 4, 2},
	{80, 1 | 2 | 4, 2 | 4},
	{100, 2 | 4, 2},
	{110, 2 | 4, 2},
	{111, 1 | 2 | 4, 2},
	{443, 1 | 2 | 4, 2},
	{444, 2 | 4, 2},
	{22, 4, 2},
	{81, 1 | 2, 2 | 4},
};

static unsigned may(uint32_t identity, uint16_t port)
{
	unsigned bits = 0;

	for (uint8_t s = 1; s <= 3; s++) {
		const struct harness_case c = {.what = HARNESS_CONNECT,
			.cookie = 5,
			.mark = bpfmap_mark_encode(identity, 255),
			.family = BPFMAP_FAMILY_IPV4,
			.protocol = IPPROTO_TCP,
			.addr = {10, 0, 0, s},
			.port = {(uint8_t)(port >> 8), (uint8_t)port}};
		uint8_t packet[34 + sizeof(c)] = {[12] = 8, [14] = 0x45};
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet,
			.data_size_in = sizeof(packet), .repeat = 1);

		memcpy(packet + 34, &c, sizeof(c));
		ck_assert_int_eq(
			bpf_prog_test_run_opts(bpf_program__fd(harness->progs.harness), &opts), 0);
		bits |= opts.retval == 1 ? 1u << (s - 1) : 0;
	}
	return bits;
}

static void is_gone(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(MAY); i++)
		ck_assert_uint_eq(may(SELF, MAY[i].port), MAY[i].anybody);
}

static void is_there(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(MAY); i++)
		ck_assert_uint_eq(may(SELF, MAY[i].port), MAY[i].own);
}

/* Half of it is there: what is more than its own is only what anybody may. */
static void never_more(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(MAY); i++)
		ck_assert_uint_eq(may(SELF, MAY[i].port) & ~(MAY[i].own | MAY[i].anybody), 0);
	ck_assert_uint_eq(may(OTHER, 100), 1 | 2);
}

/* Nothing that denies is missing as soon as something that allows is there, and the reverse. */
static bool some_allow_is_there(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(MAY); i++)
		if (may(SELF, MAY[i].port) & MAY[i].own & ~MAY[i].anybody)
			return true;
	return false;
}

static void never_an_allow_without_the_denies(void)
{
	never_more();
	if (!some_allow_is_there())
		return;
	for (size_t i = 0; i < ARRAY_SIZE(MAY); i++)
		ck_assert_uint_eq(may(SELF, MAY[i].port) & ~MAY[i].own, 0);
}

static void use_pins(void)
{
	harness = harness_bpf__open();
	ck_assert_ptr_nonnull(harness);
	for (int i = 0; i < BPFMAP_MAPS; i++) {
		struct bpf_map *each =
			bpf_object__find_map_by_name(harness->obj, bpfmap_pins[i].name);
		char path[PATH_MAX];
		int fd;

		ck_assert_int_eq(bpfmap_pin_path(kernel.bpf, bpfmap_pins[i].name, path), 0);
		fd = bpf_obj_get(path);
		ck_assert_int_eq(bpf_map__reuse_fd(each, fd), 0);
		close(fd);
	}
	ck_assert_int_eq(harness_bpf__load(harness), 0);
}

static void setup(void)
{
	kernel_setup();
	memset(&writes, 0, sizeof(writes));
	kernel_load(NULL, 0, 16);
	map = kernel_open();
	use_pins();
}

static void teardown(void)
{
	memset(&writes, 0, sizeof(writes));
	harness_bpf__destroy(harness);
	bpfmap_close(map);
	kernel_teardown();
}

static uint32_t swap(void)
{
	const struct bpfmap_policy policy = {
		TARGETS, ARRAY_SIZE(TARGETS), ANYBODY, ARRAY_SIZE(ANYBODY)};
	char why[BPFMAP_WHY] = "";
	uint32_t epoch;

	ck_assert_msg(!bpfmap_policy_swap(map, &policy, &epoch, why), "%s", why);
	return epoch;
}

static int add(uint32_t *ret_epoch)
{
	char why[BPFMAP_WHY] = "";
	int err = bpfmap_policy_add(map, OWN, ARRAY_SIZE(OWN), ret_epoch, why);

	ck_assert_int_eq(err != 0, *why != '\0');
	return err;
}

static unsigned count_entries(void)
{
	struct bpfmap_policy_key key, *last = NULL;
	unsigned n = 0;

	while (!bpf_map_get_next_key(map->fds[BPFMAP_MAP_POLICY], last, &key)) {
		last = &key;
		n++;
	}
	return n;
}

START_TEST(comes_and_goes)
{
	/* Goal: an identity's rules come and go alone, under the epoch in force, and after every
	 * single write it may no more than its rules and those for anybody say. */
	char why[BPFMAP_WHY] = "";
	uint32_t epoch = 77, now = swap();
	unsigned before = count_entries();

	is_gone();
	writes.after = never_an_allow_without_the_denies;
	ck_assert_int_eq(add(&epoch), 0);
	ck_assert_uint_eq(epoch, now);
	is_there();
	ck_assert_int_eq(add(&epoch), 0); /* again is no other thing */
	is_there();
	ck_assert_msg(!bpfmap_policy_remove(map, OWN, ARRAY_SIZE(OWN), why), "%s", why);
	is_gone();
	ck_assert_uint_eq(count_entries(), before);
	ck_assert_msg(!bpfmap_policy_remove(map, OWN, ARRAY_SIZE(OWN), why), "%s", why);
	writes.after = NULL;
	ck_assert_int_eq(add(&epoch), 0);
	ck_assert_uint_gt(swap(), now); /* the next set does not have it */
	is_gone();
}
END_TEST

START_TEST(all_or_nothing)
{
	/* Goal: whichever write fails, nothing of the identity stays. */
	uint32_t epoch = 77;
	unsigned before, fail = 0;
	int err;

	swap();
	before = count_entries();
	do {
		writes.n = 0;
		writes.fail_at = ++fail;
		err = add(&epoch);
		writes.fail_at = 0;
		if (err) {
			ck_assert_int_eq(err, -ENOSPC);
			ck_assert_uint_eq(count_entries(), before);
			ck_assert_uint_eq(epoch, 77);
			is_gone();
		}
	} while (err);
	ck_assert_uint_gt(fail, 10);
	is_there();
}
END_TEST

START_TEST(no_room_for_one_more)
{
	/* Goal: a map that is really full refuses the identity whole, and others are as before. */
	static struct bpfmap_rule many[600];
	char why[BPFMAP_WHY] = "";
	uint32_t epoch = 77;
	unsigned before;

	swap();
	before = count_entries();
	for (uint32_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct bpfmap_rule){
			.service = 1 + i, .identity = SELF, .protocol = 6, .port_hi = 65535};
	ck_assert_int_eq(bpfmap_policy_add(map, many, ARRAY_SIZE(many), &epoch, why), -ENOSPC);
	ck_assert_ptr_nonnull(strstr(why, "bpf.max_policy"));
	ck_assert_uint_eq(count_entries(), before);
	ck_assert_uint_eq(may(OTHER, 100), 1 | 2);
	is_gone();
}
END_TEST

START_TEST(nothing_in_force)
{
	/* Goal: before the first set nothing is written and nothing restricted; rules for anybody
	 * are not one identity's. */
	char why[BPFMAP_WHY] = "";
	uint32_t epoch = 77;

	ck_assert_int_eq(add(&epoch), 0);
	ck_assert_uint_eq(epoch, 0);
	ck_assert_uint_eq(count_entries(), 0);
	swap();
	ck_assert_int_eq(bpfmap_policy_add(map, ANYBODY, 1, &epoch, why), -EINVAL);
	ck_assert_int_eq(bpfmap_policy_remove(map, ANYBODY, 1, why), -EINVAL);
}
END_TEST

Suite *suite_identity(void)
{
	Suite *suite = suite_create("bpfmap/identity");
	TCase *tcase = tcase_create("all");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, comes_and_goes);
	tcase_add_test(tcase, all_or_nothing);
	tcase_add_test(tcase, no_room_for_one_more);
	tcase_add_test(tcase, nothing_in_force);
	suite_add_tcase(suite, tcase);
	return suite;
}
