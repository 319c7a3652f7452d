#include "bpfmap/plan.h"

#include "bpfmap/load.h"
#include "bpfmap/state.h"
#include "tests/unit/bpfmap/kernel.h"

#include <bpf/libbpf.h>

Suite *suite_plan(void);

static const uint32_t sizes[][4] = {/* flows, identities, endpoints, policy */
	{16, 1, 16, 16}, {1000, 64, 100, 100}, {65536, 1024, 100, 100}, {100000, 3000, 100, 100}};

START_TEST(as_the_kernel_says)
{
	/* Goal: the plan for preallocated maps is what the kernel takes, give or take 3 %. */
	const struct bpfmap_load load = {.dir = kernel.bpf,
		.cgroup = kernel.cgroup,
		.group = KERNEL_GROUP,
		.clusters = 255,
		.max_flows = sizes[_i][0],
		.max_identities = sizes[_i][1],
		.max_endpoints = sizes[_i][2],
		.max_policy = sizes[_i][3]};
	const uint32_t entries[BPFMAP_MAPS] = {[BPFMAP_MAP_FLOWS] = sizes[_i][0],
		[BPFMAP_MAP_STATS] = sizes[_i][1] * BPFMAP_STATS_PER_IDENTITY};
	struct bpfmap_loaded loaded;
	char why[BPFMAP_WHY] = "";
	struct bpfmap_plan plan;
	struct bpfmap *map;
	uint64_t is;

	ck_assert_msg(!bpfmap_load(&load, &loaded, why), "%s", why);
	map = kernel_open();
	bpfmap_plan(entries, (unsigned)libbpf_num_possible_cpus(), &plan);
	for (int i = 0; i < BPFMAP_MAPS; i++) {
		if (i == BPFMAP_MAP_ENDPOINTS || i == BPFMAP_MAP_POLICY)
			continue; /* they grow */
		ck_assert_int_eq(bpfmap_memory(map->fds[i], &is), 0);
		ck_assert_msg((plan.bytes[i] + 1024) * 100 >= is * 97 &&
				      plan.bytes[i] <= is + is / 33 + 1024,
			"%s: planned %llu, is %llu", bpfmap_pins[i].name,
			(unsigned long long)plan.bytes[i], (unsigned long long)is);
	}
	bpfmap_close(map);
}
END_TEST

Suite *suite_plan(void)
{
	Suite *suite = suite_create("bpfmap/plan");
	TCase *tcase = tcase_create("all");

	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, kernel_setup, kernel_teardown);
	tcase_add_loop_test(tcase, as_the_kernel_says, 0, ARRAY_SIZE(sizes));
	suite_add_tcase(suite, tcase);
	return suite;
}
