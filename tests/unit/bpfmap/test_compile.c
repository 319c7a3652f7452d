#include "bpfmap/policy.h"

#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_compile(void);

/* What the map would answer: the longest prefix that holds the port. */
static uint32_t look_up(const struct bpfmap_policy_key *keys, const uint32_t *values, size_t n,
	const struct bpfmap_rule *of, uint8_t protocol, uint32_t port)
{
	uint32_t best = 0, verdict = 0;

	for (size_t i = 0; i < n; i++) {
		const struct bpfmap_policy_key *k = &keys[i];
		uint32_t bits = k->prefixlen - BPFMAP_POLICY_BITS;
		uint32_t at = (uint32_t)k->port[0] << 8 | k->port[1];

		if (k->service != of->service || k->identity != of->identity ||
			k->direction != of->direction || k->protocol != protocol)
			continue;
		if (bits && at >> (16 - bits) != port >> (16 - bits))
			continue;
		if (!verdict || bits > best) {
			best = bits;
			verdict = values[i];
		}
	}
	return verdict;
}

/* What the header says. */
static uint32_t expect(const struct bpfmap_rule *rules, size_t n, const struct bpfmap_rule *of,
	uint8_t protocol, uint32_t port)
{
	uint32_t verdict = 0;

	for (size_t i = 0; i < n; i++) {
		const struct bpfmap_rule *r = &rules[i];

		if (r->service != of->service || r->identity != of->identity ||
			r->direction != of->direction || (r->protocol && r->protocol != protocol) ||
			port < r->port_lo || port > r->port_hi)
			continue;
		if (r->deny)
			return BPFMAP_POLICY_DENY;
		verdict = BPFMAP_POLICY_ALLOW;
	}
	return verdict;
}

static uint16_t random_port(void)
{
	static const uint16_t edges[] = {0, 1, 79, 80, 81, 255, 256, 32767, 32768, 65534, 65535};

	return random() % 2 ? edges[random() % (long)ARRAY_SIZE(edges)] : (uint16_t)random();
}

static void random_rules(struct bpfmap_rule *rules, size_t n)
{
	static const uint8_t protocols[] = {0, IPPROTO_TCP, IPPROTO_UDP};

	for (size_t i = 0; i < n; i++) {
		uint16_t a = random_port(), b = random_port();

		rules[i] = (struct bpfmap_rule){
			.service = 1 + (uint32_t)random() % 2,
			.identity = (uint32_t)random() % 2 * 300,
			.protocol = protocols[random() % 3],
			.port_lo = a < b ? a : b,
			.port_hi = a < b ? b : a,
			.deny = random() % 3 == 0,
		};
	}
}

START_TEST(every_port)
{
	/* Goal: whatever the rules, every port gets the verdict that the header promises. */
	struct bpfmap_rule rules[8];
	struct bpfmap_policy_key *keys;
	uint32_t *values;
	size_t n;

	srandom((unsigned)_i);
	random_rules(rules, ARRAY_SIZE(rules));
	ck_assert_int_eq(bpfmap_policy_compile(rules, ARRAY_SIZE(rules), 5, &keys, &values, &n), 0);
	for (uint32_t port = 0; port < 65536; port += port % 251 == 0 ? 1 : 7) {
		const struct bpfmap_rule *of = &rules[port % ARRAY_SIZE(rules)];
		uint8_t protocol = port % 2 ? IPPROTO_TCP : IPPROTO_UDP;

		if (look_up(keys, values, n, of, protocol, port) !=
			expect(rules, ARRAY_SIZE(rules), of, protocol, port))
			ck_abort_msg("seed %d, port %u", _i, port);
	}
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(keys[i].epoch, 5);
	free(keys);
	free(values);
}
END_TEST

static const struct {
	struct bpfmap_rule rules[3];
	size_t n, entries;
} sizes[] = {
	{{{1, 0, 0, IPPROTO_TCP, 0, 65535, false}}, 1, 1},
	{{{1, 0, 0, 0, 0, 65535, false}}, 1, 2},
	{{{1, 0, 0, IPPROTO_TCP, 443, 443, false}}, 1, 1},
	{{{1, 0, 0, IPPROTO_TCP, 1, 65535, false}}, 1, 16},
	{{{1, 0, 0, IPPROTO_TCP, 1, 65534, false}}, 1, 30}, /* the worst range */
	{{{1, 0, 0, IPPROTO_TCP, 0, 99, false}, {1, 0, 0, IPPROTO_TCP, 100, 65535, false}}, 2, 1},
	{{{1, 0, 0, IPPROTO_TCP, 0, 65535, true}, {1, 0, 0, IPPROTO_TCP, 80, 80, false}}, 2, 1},
};

START_TEST(how_many)
{
	/* Goal: ranges take as few entries as they can; what a deny covers takes none. */
	struct bpfmap_policy_key *keys;
	uint32_t *values;
	size_t n;

	ck_assert_int_eq(
		bpfmap_policy_compile(sizes[_i].rules, sizes[_i].n, 1, &keys, &values, &n), 0);
	ck_assert_uint_eq(n, sizes[_i].entries);
	free(keys);
	free(values);
}
END_TEST

START_TEST(no_rules)
{
	/* Goal: no service, an empty range and a direction that is none are refused. */
	static const struct bpfmap_rule bad[] = {
		{0, 1, 0, 0, 0, 1, false}, {1, 1, 0, 0, 2, 1, false}, {1, 1, 2, 0, 1, 1, false}};
	struct bpfmap_policy_key *keys = NULL;
	uint32_t *values = NULL;
	size_t n = 9;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_int_eq(bpfmap_policy_compile(&bad[i], 1, 1, &keys, &values, &n), -EINVAL);
	ck_assert_ptr_null(keys);
	ck_assert_int_eq(bpfmap_policy_compile(NULL, 0, 1, &keys, &values, &n), 0);
	ck_assert_uint_eq(n, 0);
	free(keys);
	free(values);
}
END_TEST

Suite *suite_compile(void)
{
	Suite *suite = suite_create("bpfmap/compile");
	TCase *tcase = tcase_create("all");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, every_port, 0, 40);
	tcase_add_loop_test(tcase, how_many, 0, ARRAY_SIZE(sizes));
	tcase_add_test(tcase, no_rules);
	suite_add_tcase(suite, tcase);
	return suite;
}
