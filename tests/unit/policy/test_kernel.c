#include "policy/kernel.h"

#include "tests/unit/policy/random.h"
#include "tests/unit/policy/suites.h"

#define POLICIES 300 /* of 4 services, 6 callers and 12 ports each: 86,400 questions */

/* What the kernel's two lookups come to: a deny of either wins, then an allow of either. */
static bool allows(const struct policy_kernel_rules *rules, uint32_t service, uint32_t caller,
	uint8_t proto, uint16_t port)
{
	bool allowed = false;

	for (size_t i = 0; i < rules->n; i++) {
		const struct policy_kernel_rule *rule = &rules->items[i];

		if (rule->service != service ||
			(rule->caller != caller && rule->caller != POLICY_KERNEL_ANYBODY) ||
			(rule->proto && rule->proto != proto) || port < rule->first ||
			port > rule->last)
			continue;
		if (rule->deny)
			return false;
		allowed = true;
	}
	return allowed;
}

/* Goal: the kernel's rules mean what user space says at L4, for every caller, service and port. */
START_TEST(rules_mean_the_same)
{
	static const uint16_t PORTS[] = {1, 80, 443, 8000, 8080, 65535};
	static const uint8_t PROTOS[] = {POLICY_PROTO_TCP, POLICY_PROTO_UDP};
	size_t asked[2] = {0};

	for (unsigned round = 0; round < POLICIES; round++) {
		struct policy_index *index = random_index();
		struct policy_kernel_rules rules = {0};

		ck_assert_int_eq(policy_kernel_of_anybody(index, &rules), 0);
		for (uint32_t c = 0; c < RANDOM_CALLERS; c++)
			ck_assert_int_eq(policy_kernel_of_caller(index, c, &rules), 0);
		for (uint32_t i = 0; i < RANDOM_SERVICES * RANDOM_CALLERS * 12; i++) {
			uint32_t s = i % RANDOM_SERVICES, c = i / RANDOM_SERVICES % RANDOM_CALLERS;
			uint16_t port = PORTS[i / RANDOM_SERVICES / RANDOM_CALLERS % 6];
			uint8_t proto = PROTOS[i / RANDOM_SERVICES / RANDOM_CALLERS / 6];
			struct policy_answer answer;
			bool kernel = allows(&rules, s, c, proto, port);

			policy_index_judge_l4(index, c, s, (enum policy_proto)proto, port, &answer);
			ck_assert_msg(kernel == (answer.verdict == POLICY_ALLOW),
				"round %u service %u caller %u port %u: kernel %d", round, s, c,
				port, kernel);
			asked[kernel]++;
		}
		policy_kernel_rules_done(&rules);
		policy_index_free(index);
	}
	ck_assert_uint_gt(asked[0], 20000);
	ck_assert_uint_gt(asked[1], 20000);
}
END_TEST

/* Goal: an identity that the index does not know gets the rules that it would get there. */
START_TEST(labels_mean_the_same)
{
	for (unsigned round = 0; round < 50; round++) {
		struct policy_index *index = random_index();

		for (uint32_t c = 0; c < RANDOM_CALLERS; c++) {
			struct policy_kernel_rules known = {0}, new = {0};
			char labels[200];

			random_labels(c, labels);
			ck_assert_int_eq(policy_kernel_of_caller(index, c, &known), 0);
			ck_assert_int_eq(policy_kernel_of_labels(index, span_of(labels), &new), 0);
			ck_assert_uint_eq(known.n, new.n);
			for (size_t i = 0; i < known.n; i++) {
				const struct policy_kernel_rule *a = &known.items[i];
				const struct policy_kernel_rule *b = &new.items[i];

				ck_assert_uint_eq(a->service, b->service);
				ck_assert_uint_eq(b->caller, 0);
				ck_assert_uint_eq(a->proto, b->proto);
				ck_assert_uint_eq(a->first, b->first);
				ck_assert_uint_eq(a->last, b->last);
				ck_assert_int_eq(a->deny, b->deny);
			}
			policy_kernel_rules_done(&known);
			policy_kernel_rules_done(&new);
		}
		policy_index_free(index);
	}
}
END_TEST

Suite *kernel_suite(void)
{
	Suite *suite = suite_create("policy/kernel");
	TCase *tc = tcase_create("kernel");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, rules_mean_the_same);
	tcase_add_test(tc, labels_mean_the_same);
	suite_add_tcase(suite, tc);
	return suite;
}
