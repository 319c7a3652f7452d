/* The kernel's programs and the engine of user space, asked the same questions. */
#include "bpfmap/harness.skel.h"
#include "bpfmap/mark.h"
#include "bpfmap/policy.h"
#include "bpfmap/state.h"
#include "policy/kernel.h"
#include "tests/unit/bpfmap/harness.h"
#include "tests/unit/bpfmap/kernel.h"
#include "tests/unit/policy/random.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

Suite *suite_equivalence(void);

#define FIRST 300 /* the first caller's identity */
#define PORTS 6
#define EACH  (RANDOM_SERVICES * RANDOM_CALLERS * PORTS * 2)
#define ALL   100000

static const uint16_t ports[PORTS] = {1, 80, 443, 8000, 8080, 65535};

/* The harness on the pinned maps. */
static struct harness_bpf *load_harness(void)
{
	struct harness_bpf *skeleton = harness_bpf__open();

	ck_assert_ptr_nonnull(skeleton);
	for (int i = 0; i < BPFMAP_MAPS; i++) {
		char path[PATH_MAX];
		int fd;

		ck_assert_int_eq(bpfmap_pin_path(kernel.bpf, bpfmap_pins[i].name, path), 0);
		fd = bpf_obj_get(path);
		ck_assert_int_eq(bpf_map__reuse_fd(bpf_object__find_map_by_name(
							   skeleton->obj, bpfmap_pins[i].name),
					 fd),
			0);
		close(fd);
	}
	ck_assert_int_eq(harness_bpf__load(skeleton), 0);
	return skeleton;
}

/* The same policies into the kernel: service s is 10.0.s.1, its number there s + 1. */
static void write_index(struct bpfmap *map, const struct policy_index *index)
{
	struct policy_kernel_rules from = {0};
	struct bpfmap_target targets[RANDOM_SERVICES];
	struct bpfmap_policy policy = {.targets = targets, .n_targets = RANDOM_SERVICES};
	struct bpfmap_rule *rules;
	char why[BPFMAP_WHY] = "";
	uint32_t epoch;

	for (uint8_t s = 0; s < RANDOM_SERVICES; s++)
		targets[s] = (struct bpfmap_target){
			.addr = {10, 0, s, 1}, .len = 4, .prefix = 32, .service = 1u + s};
	ck_assert_int_eq(policy_kernel_of_anybody(index, &from), 0);
	for (uint32_t c = 0; c < RANDOM_CALLERS; c++)
		ck_assert_int_eq(policy_kernel_of_caller(index, c, &from), 0);
	rules = calloc(from.n + 1, sizeof(*rules));
	for (size_t i = 0; i < from.n; i++) {
		const struct policy_kernel_rule *rule = &from.items[i];
		bool any = rule->caller == POLICY_KERNEL_ANYBODY;

		rules[i] = (struct bpfmap_rule){.service = rule->service + 1,
			.identity = any ? 0 : FIRST + rule->caller,
			.direction = BPFMAP_INGRESS,
			.protocol = rule->proto,
			.port_lo = rule->first,
			.port_hi = rule->last,
			.deny = rule->deny};
	}
	policy.rules = rules;
	policy.n_rules = from.n;
	ck_assert_msg(!bpfmap_policy_swap(map, &policy, &epoch, why), "%s", why);
	free(rules);
	policy_kernel_rules_done(&from);
}

/* BPF_PROG_TEST_RUN of the judgement that connect() gets, behind headers that nobody reads. */
static bool kernel_allows(int program, uint32_t s, uint32_t c, uint8_t proto, uint16_t port)
{
	const struct harness_case question = {.what = HARNESS_CONNECT,
		.cookie = 5,
		.mark = bpfmap_mark_encode(FIRST + c, 255),
		.family = BPFMAP_FAMILY_IPV4,
		.protocol = proto,
		.addr = {10, 0, (uint8_t)s, 1},
		.port = {(uint8_t)(port >> 8), (uint8_t)port}};
	uint8_t packet[34 + sizeof(question)] = {[12] = 8, [14] = 0x45};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		.repeat = 1);

	memcpy(packet + 34, &question, sizeof(question));
	ck_assert_int_eq(bpf_prog_test_run_opts(program, &opts), 0);
	ck_assert_uint_le(opts.retval, 1);
	return opts.retval;
}

static void compare(int program, const struct policy_index *index, size_t asked[2])
{
	for (uint32_t i = 0; i < EACH; i++) {
		const uint32_t s = i % RANDOM_SERVICES, c = i / RANDOM_SERVICES % RANDOM_CALLERS;
		const uint16_t port = ports[i / RANDOM_SERVICES / RANDOM_CALLERS % PORTS];
		const bool tcp = i < EACH / 2;
		struct policy_answer answer;
		bool kernel_says =
			kernel_allows(program, s, c, tcp ? IPPROTO_TCP : IPPROTO_UDP, port);

		policy_index_judge_l4(
			index, c, s, tcp ? POLICY_PROTO_TCP : POLICY_PROTO_UDP, port, &answer);
		ck_assert_msg(kernel_says == (answer.verdict == POLICY_ALLOW),
			"after %zu: service %u, caller %u, %s %u: the kernel says %d",
			asked[0] + asked[1], s, c, tcp ? "TCP" : "UDP", port, kernel_says);
		asked[kernel_says]++;
	}
}

START_TEST(same_answers)
{
	/* Goal: 100,000 times by chance, the kernel says at connect what user space says. */
	struct harness_bpf *skeleton;
	size_t asked[2] = {0};
	struct bpfmap *map;

	kernel_load(NULL, 0, 16);
	skeleton = load_harness();
	map = kernel_open();
	while (asked[0] + asked[1] < ALL) {
		struct policy_index *index = random_index();

		write_index(map, index);
		compare(bpf_program__fd(skeleton->progs.harness), index, asked);
		policy_index_free(index);
	}
	ck_assert_uint_gt(asked[0], ALL / 5);
	ck_assert_uint_gt(asked[1], ALL / 5);
	bpfmap_close(map);
	harness_bpf__destroy(skeleton);
}
END_TEST

Suite *suite_equivalence(void)
{
	Suite *suite = suite_create("bpfmap/equivalence");
	TCase *tcase = tcase_create("all");

	tcase_set_timeout(tcase, 240);
	tcase_add_checked_fixture(tcase, kernel_setup, kernel_teardown);
	tcase_add_test(tcase, same_answers);
	suite_add_tcase(suite, tcase);
	return suite;
}
