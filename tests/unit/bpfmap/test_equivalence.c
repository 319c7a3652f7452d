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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Suite *suite_equivalence(void);

#define FIRST 300 /* the first caller's identity */
#define EACH  300 /* questions about each set of policies */
#define ALL   100000
#define NONE  RANDOM_SERVICES /* a destination that no service has */

/* How the kernel is asked: the program, and the address as it is given to it. */
static const struct way {
	const char *name;
	uint8_t what, address[16];
	uint8_t at;     /* byte of it that is the service */
	uint8_t family; /* for packets, as the socket has it */
} ways[] = {
	{"connect4, sendmsg4", HARNESS_ADDRESS4, {10, 0, 0, 1}, 2, 0},
	{"connect6, sendmsg6", HARNESS_ADDRESS6, {0x20, 1, 0xd, 0xb8, [15] = 1}, 7, 0},
	{"connect6, sendmsg6 mapped", HARNESS_ADDRESS6,
		{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}, 14, 0},
	{"packet IPv4", HARNESS_MARKED, {10, 0, 0, 1}, 2, BPFMAP_FAMILY_IPV4},
	{"packet IPv6", HARNESS_MARKED, {0x20, 1, 0xd, 0xb8, [15] = 1}, 7, BPFMAP_FAMILY_IPV6},
};

/* Where rules begin and end, one beside, and anywhere. */
static uint16_t random_port(void)
{
	static const uint16_t edges[] = {0, 1, 80, 443, 8000, 8080, 9000, 65535};
	uint16_t port = edges[random_next() % ARRAY_SIZE(edges)];

	switch (random_next() % 4) {
	case 0:
		return (uint16_t)(port + random_next() % 3 - 1);
	case 1:
		return (uint16_t)random_next();
	default:
		return port;
	}
}

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

/* The same policies into the kernel: service s is 10.0.s.1 and 2001:db8:0:s::1, number s + 1. */
static void write_index(struct bpfmap *map, const struct policy_index *index)
{
	struct policy_kernel_rules from = {0};
	struct bpfmap_target targets[2 * RANDOM_SERVICES];
	struct bpfmap_policy policy = {.targets = targets, .n_targets = ARRAY_SIZE(targets)};
	struct bpfmap_rule *rules;
	char why[BPFMAP_WHY] = "";
	uint32_t epoch;

	for (uint8_t s = 0; s < RANDOM_SERVICES; s++) {
		targets[2 * s] = (struct bpfmap_target){
			.addr = {10, 0, s, 1}, .len = 4, .prefix = 32, .service = 1u + s};
		targets[2 * s + 1] =
			(struct bpfmap_target){.addr = {0x20, 1, 0xd, 0xb8, [7] = s, [15] = 1},
				.len = 16,
				.prefix = 128,
				.service = 1u + s};
	}
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

struct question {
	const struct way *way;
	uint32_t service, caller;
	uint8_t proto;
	uint16_t port;
};

static struct question random_question(void)
{
	return (struct question){
		.way = &ways[random_next() % ARRAY_SIZE(ways)],
		.service = random_next() % 50 ? random_next() % RANDOM_SERVICES : NONE,
		.caller = random_next() % RANDOM_CALLERS,
		.proto = random_next() % 2 ? IPPROTO_TCP : IPPROTO_UDP,
		.port = random_port(),
	};
}

/* BPF_PROG_TEST_RUN of the judgement, behind headers that nobody reads. */
static bool kernel_allows(int program, const struct question *q)
{
	struct harness_case c = {.what = q->way->what,
		.cookie = 5,
		.mark = bpfmap_mark_encode(FIRST + q->caller, 255),
		.family = q->way->family,
		.protocol = q->proto,
		.port = {(uint8_t)(q->port >> 8), (uint8_t)q->port}};
	uint8_t packet[34 + sizeof(c)] = {[12] = 8, [14] = 0x45};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		.repeat = 1);

	memcpy(c.addr, q->way->address, sizeof(c.addr));
	c.addr[q->way->at] = (uint8_t)q->service;
	memcpy(packet + 34, &c, sizeof(c));
	ck_assert_int_eq(bpf_prog_test_run_opts(program, &opts), 0);
	ck_assert_uint_le(opts.retval, 1);
	return opts.retval;
}

/* A destination of no service is free. */
static bool engine_allows(const struct policy_index *index, const struct question *q)
{
	struct policy_answer answer;

	if (q->service == NONE)
		return true;
	policy_index_judge_l4(
		index, q->caller, q->service, (enum policy_proto)q->proto, q->port, &answer);
	return answer.verdict == POLICY_ALLOW;
}

static void compare(
	int program, const struct policy_index *index, size_t asked[ARRAY_SIZE(ways)][2])
{
	for (uint32_t i = 0; i < EACH; i++) {
		const struct question q = random_question();
		bool kernel_says = kernel_allows(program, &q);

		ck_assert_msg(kernel_says == engine_allows(index, &q),
			"%s: service %u, caller %u, protocol %u, port %u: the kernel says %d",
			q.way->name, q.service, q.caller, q.proto, q.port, kernel_says);
		asked[q.way - ways][kernel_says]++;
	}
}

/* 100,000 questions, or as many for each way as make soak wants. */
static size_t wanted(void)
{
	const char *soak = getenv("IDENTITYD_SOAK");

	return soak ? strtoul(soak, NULL, 10) * ARRAY_SIZE(ways) : ALL;
}

START_TEST(same_answers)
{
	/* Goal: 100,000 times by chance, the kernel says what user space says: at connect and for
	 * unconnected UDP, by IPv4, IPv6 and mapped addresses, and for packets. */
	size_t asked[ARRAY_SIZE(ways)][2] = {0}, n = 0;
	struct harness_bpf *skeleton;
	struct bpfmap *map;

	kernel_load(NULL, 0, 16);
	skeleton = load_harness();
	map = kernel_open();
	for (; n < wanted(); n += EACH) {
		struct policy_index *index = random_index();

		write_index(map, index);
		compare(bpf_program__fd(skeleton->progs.harness), index, asked);
		policy_index_free(index);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		ck_assert_uint_gt(asked[i][0], n / ARRAY_SIZE(ways) / 5);
		ck_assert_uint_gt(asked[i][1], n / ARRAY_SIZE(ways) / 5);
	}
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
