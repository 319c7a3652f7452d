#include "tests/unit/spoa/suites.h"

#include "spoa/enforce.h"
#include "tests/unit/spoa/help.h"

#include <errno.h>

/* What the map says instead of a kernel's; and what it was asked to write. */
static struct {
	int rc;
	enum bpfmap_bound bound;
	unsigned calls;
	struct bpfmap_flow_key key;
	struct bpfmap_binding binding;
} map;

int __wrap_bpfmap_flow_bind(struct bpfmap *m, const struct bpfmap_flow_key *key,
	const struct bpfmap_binding *binding, enum bpfmap_bound *ret_bound);

int __wrap_bpfmap_flow_bind(struct bpfmap *m, const struct bpfmap_flow_key *key,
	const struct bpfmap_binding *binding, enum bpfmap_bound *ret_bound)
{
	(void)m;
	map.calls++;
	map.key = *key;
	map.binding = *binding;
	if (map.rc == 0)
		*ret_bound = map.bound;
	return map.rc;
}

#define NO_COUNT SPOA_COUNTERS_N

static const struct {
	enum spoa_enforcement enforcement;
	bool may_bind, unix_client, require;
	int rc;
	enum bpfmap_bound bound;
	unsigned calls;
	enum base_reason reason;
	enum spoa_counter count;
} CASES[] = {
	/* The map's word: bound and unchanged are good, the others only where nothing is demanded. */
	{SPOA_ENFORCEMENT_ON, true, false, true, 0, BPFMAP_BOUND, 1, BASE_REASON_OK,
		SPOA_COUNT_FLOW_BOUND},
	{SPOA_ENFORCEMENT_ON, true, false, true, 0, BPFMAP_UNCHANGED, 1, BASE_REASON_OK,
		SPOA_COUNT_FLOW_UNCHANGED},
	{SPOA_ENFORCEMENT_ON, true, false, false, 0, BPFMAP_SHARED, 1, BASE_REASON_OK,
		SPOA_COUNT_FLOW_SHARED},
	{SPOA_ENFORCEMENT_ON, true, false, true, 0, BPFMAP_SHARED, 1, BASE_REASON_UNBOUND,
		SPOA_COUNT_FLOW_SHARED},
	{SPOA_ENFORCEMENT_ON, true, false, false, 0, BPFMAP_UNBOUND, 1, BASE_REASON_OK,
		SPOA_COUNT_FLOW_UNBOUND},
	{SPOA_ENFORCEMENT_ON, true, false, true, 0, BPFMAP_UNBOUND, 1, BASE_REASON_UNBOUND,
		SPOA_COUNT_FLOW_UNBOUND},
	/* A failed write is never an ALLOW, whatever the role demands. */
	{SPOA_ENFORCEMENT_ON, true, false, false, -E2BIG, 0, 1, BASE_REASON_MAP_FULL,
		SPOA_COUNT_FLOW_FULL},
	{SPOA_ENFORCEMENT_ON, true, false, false, -ENOSPC, 0, 1, BASE_REASON_MAP_FULL,
		SPOA_COUNT_FLOW_FULL},
	{SPOA_ENFORCEMENT_ON, true, false, false, -EPERM, 0, 1, BASE_REASON_MAP_UNAVAILABLE,
		SPOA_COUNT_FLOW_FAILED},
	{SPOA_ENFORCEMENT_ON, true, false, true, -ENOMEM, 0, 1, BASE_REASON_MAP_UNAVAILABLE,
		SPOA_COUNT_FLOW_FAILED},
	/* A client without addresses has nothing in the kernel. */
	{SPOA_ENFORCEMENT_ON, true, true, false, 0, 0, 0, BASE_REASON_OK, SPOA_COUNT_FLOW_UNBOUND},
	{SPOA_ENFORCEMENT_ON, true, true, true, 0, 0, 0, BASE_REASON_UNBOUND,
		SPOA_COUNT_FLOW_UNBOUND},
	/* No map is written on the word of a peer that nobody knows. */
	{SPOA_ENFORCEMENT_ON, false, false, false, 0, 0, 0, BASE_REASON_OK,
		SPOA_COUNT_FLOW_UNTRUSTED},
	{SPOA_ENFORCEMENT_ON, false, false, true, 0, 0, 0, BASE_REASON_UNBOUND,
		SPOA_COUNT_FLOW_UNTRUSTED},
	{SPOA_ENFORCEMENT_NONE, true, false, false, 0, 0, 0, BASE_REASON_OK,
		SPOA_COUNT_NOT_ENFORCED},
	{SPOA_ENFORCEMENT_NONE, true, false, true, 0, 0, 0, BASE_REASON_UNBOUND,
		SPOA_COUNT_NOT_ENFORCED},
	{SPOA_ENFORCEMENT_OFF, true, false, false, 0, 0, 0, BASE_REASON_OK, NO_COUNT},
	{SPOA_ENFORCEMENT_OFF, true, false, true, 0, 0, 0, BASE_REASON_UNBOUND, NO_COUNT},
	{SPOA_ENFORCEMENT_LOST, true, false, false, 0, 0, 0, BASE_REASON_MAP_UNAVAILABLE,
		SPOA_COUNT_FLOW_FAILED},
	{SPOA_ENFORCEMENT_LOST, false, true, true, 0, 0, 0, BASE_REASON_MAP_UNAVAILABLE,
		SPOA_COUNT_FLOW_FAILED},
};

static const struct spoa_request TCP = {
	.src = {{192, 0, 2, 1}, 4},
	.sport = 40000,
	.dst = {{192, 0, 2, 2}, 4},
	.dport = 443,
};

static struct spoa_decision allowed(const struct ident_role *role, bool require)
{
	struct spoa_decision decision = spoa_decision_of(BASE_REASON_OK);

	decision.role = role;
	decision.require_binding = require;
	decision.binding = (struct bpfmap_binding){
		.identity = 200, .subject = 77, .expires = 88, .kill = true};
	return decision;
}

START_TEST(cases)
{
	/* What the kernel says, or that nobody can ask it, makes the verdict; each is counted. */
	static const struct spoa_request UNIX;
	struct ident_role role = {.name = "r"};
	struct spoa_maps maps = {0};
	struct spoa_snapshot snapshot = {.enforcement = CASES[_i].enforcement, .maps = &maps};
	struct spoa_decision decision = allowed(&role, CASES[_i].require);
	struct spoa_metrics metrics = {0};

	map = (typeof(map)){.rc = CASES[_i].rc, .bound = CASES[_i].bound};
	spoa_enforce(&snapshot, CASES[_i].unix_client ? &UNIX : &TCP, CASES[_i].may_bind, &metrics,
		&decision);
	ASSERT_REASON(decision.reason, CASES[_i].reason);
	ck_assert_int_eq(
		decision.verdict, CASES[_i].reason == BASE_REASON_OK ? SPOA_ALLOW : SPOA_ERROR);
	ck_assert_int_eq(decision.role != NULL, CASES[_i].reason == BASE_REASON_OK);
	ck_assert_uint_eq(map.calls, CASES[_i].calls);
	for (unsigned c = 0; c < SPOA_COUNTERS_N; c++)
		ck_assert_uint_eq(atomic_load(&metrics.counters[c]), c == CASES[_i].count);
	if (!map.calls)
		return;
	ck_assert_uint_eq(map.key.remote_port, 40000);
	ck_assert_uint_eq(map.key.local_port, 443);
	ck_assert_uint_eq(map.key.remote_addr[3], 1);
	ck_assert_uint_eq(map.key.local_addr[3], 2);
	ck_assert_uint_eq(map.binding.identity, 200);
	ck_assert_uint_eq(map.binding.subject, 77);
	ck_assert_uint_eq(map.binding.expires, 88);
	ck_assert(map.binding.kill);
}
END_TEST

START_TEST(denied)
{
	/* A request that is not allowed changes nothing in the kernel, and stays as it was decided. */
	struct spoa_maps maps = {0};
	struct spoa_metrics metrics = {0};

	map = (typeof(map)){0};
	for (unsigned e = 0; e < SPOA_ENFORCEMENTS; e++) {
		struct spoa_snapshot snapshot = {
			.enforcement = (enum spoa_enforcement)e, .maps = &maps};

		for (unsigned r = BASE_REASON_OK + 1; r < BASE_REASON_COUNT; r++) {
			struct spoa_decision decision = spoa_decision_of((enum base_reason)r);

			spoa_enforce(&snapshot, &TCP, true, &metrics, &decision);
			ck_assert_uint_eq(decision.reason, r);
		}
	}
	ck_assert_uint_eq(map.calls, 0);
	for (unsigned c = 0; c < SPOA_COUNTERS_N; c++)
		ck_assert_uint_eq(atomic_load(&metrics.counters[c]), 0);
}
END_TEST

Suite *suite_enforce(void)
{
	Suite *suite = suite_create("enforce");
	TCase *tc = tcase_create("enforce");

	tcase_add_loop_test(tc, cases, 0, ARRAY_SIZE(CASES));
	tcase_add_test(tc, denied);
	suite_add_tcase(suite, tc);
	return suite;
}
