#include "base/mem.h"
#include "ident/number.h"
#include "tests/unit/ident/suites.h"

START_TEST(provenance_names)
{
	/* Goal: every provenance has the word that logs and status print. */
	ck_assert_str_eq(ident_provenance_name(IDENT_LOCAL), "local");
	ck_assert_str_eq(ident_provenance_name(IDENT_ETCD), "etcd");
	ck_assert_str_eq(ident_provenance_name(IDENT_CRD), "crd");
	ck_assert_str_eq(ident_provenance_name(IDENT_FIXED), "fixed");
	ck_assert_str_eq(ident_provenance_name(IDENT_RESERVED), "reserved");
}
END_TEST

static const struct {
	uint32_t id;
	const char *range;
	bool may_fix, may_mark;
} NUMBERS[] = {
	{0, "unknown", false, false},
	{1, "reserved", false, false}, /* host */
	{14, "reserved", false, false},
	{99, "reserved", false, false},
	{100, "well-known", false, false},
	{127, "well-known", false, false},
	{128, "user-reserved", true, false}, /* the operator's */
	{255, "user-reserved", true, false},
	{256, "cluster", true, true},
	{65535, "cluster", true, true},
	{65536, "mesh", true, true}, /* another cluster's */
	{0xffffff, "mesh", true, true},
	{0x1000000, "local-scope", false, false}, /* means another thing on every node */
	{0x1000001, "local-scope", false, false}, /* as a mark it would be host */
	{0x1ffffff, "local-scope", false, false},
	{0x2000000, "remote-node", false, false},
	{0x2ffffff, "remote-node", false, false},
	{0x3000000, "none", false, false},
	{UINT32_MAX, "none", false, false},
};

START_TEST(ranges)
{
	/* Goal: both edges of every range of numbers fall on the right side. */
	const uint32_t id = NUMBERS[_i].id;

	ck_assert_str_eq(ident_range_name(ident_range_of(id)), NUMBERS[_i].range);
	ck_assert_int_eq(ident_number_may_fix(id), NUMBERS[_i].may_fix);
}
END_TEST

START_TEST(markable)
{
	/* Goal: a mark is made of realised numbers that Cilium confirmed, in its global ranges, alone. */
	static const bool CONFIRMED[IDENT_PROVENANCES] = {[IDENT_ETCD] = true, [IDENT_CRD] = true};
	const uint32_t id = NUMBERS[_i].id;

	for (unsigned i = 0; i < 2 * IDENT_PROVENANCES; i++) {
		const unsigned from = i / 2;
		const struct ident_number number = {id, (enum ident_provenance)from, i % 2};
		struct ident_markable mark = {.id = 7};
		bool is = ident_number_markable(number, &mark);

		ck_assert_int_eq(is, CONFIRMED[from] && i % 2 && NUMBERS[_i].may_mark);
		ck_assert_uint_eq(mark.id, is ? id : 7);
	}
}
END_TEST

Suite *number_suite(void)
{
	Suite *suite = suite_create("number");
	TCase *tc = tcase_create("number");

	tcase_add_test(tc, provenance_names);
	tcase_add_loop_test(tc, ranges, 0, ARRAY_SIZE(NUMBERS));
	tcase_add_loop_test(tc, markable, 0, ARRAY_SIZE(NUMBERS));
	suite_add_tcase(suite, tc);
	return suite;
}
