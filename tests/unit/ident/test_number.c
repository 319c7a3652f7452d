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
}
END_TEST

static const struct {
	uint32_t id;
	bool may_fix, may_mark;
} NUMBERS[] = {
	{0, false, false},   /* unknown */
	{1, false, false},   /* host */
	{14, false, false},  /* the last reserved one */
	{100, false, false}, /* well known */
	{127, false, false},
	{128, true, false}, /* the operator's */
	{255, true, false},
	{256, true, true}, /* allocated */
	{65535, true, true},
	{65536, true, true}, /* another cluster's */
	{0xffffff, true, true},
	{0x1000000, false, false}, /* local scope: means another thing on every node */
	{0x1000001, false, false}, /* as a mark it would be host */
	{0x2000001, false, false},
	{UINT32_MAX, false, false},
};

START_TEST(ranges)
{
	/* Goal: both edges of every range of numbers fall on the right side. */
	const uint32_t id = NUMBERS[_i].id;

	ck_assert_int_eq(ident_number_may_fix(id), NUMBERS[_i].may_fix);
	ck_assert_int_eq(
		ident_number_may_mark((struct ident_number){id, IDENT_ETCD}), NUMBERS[_i].may_mark);
	ck_assert_int_eq(
		ident_number_may_mark((struct ident_number){id, IDENT_CRD}), NUMBERS[_i].may_mark);
}
END_TEST

START_TEST(unconfirmed_never_marks)
{
	/* Goal: a number that Cilium never confirmed becomes no mark, whatever it is. */
	const uint32_t id = NUMBERS[_i].id;

	ck_assert(!ident_number_may_mark((struct ident_number){id, IDENT_LOCAL}));
	ck_assert(!ident_number_may_mark((struct ident_number){id, IDENT_FIXED}));
}
END_TEST

Suite *number_suite(void)
{
	Suite *suite = suite_create("number");
	TCase *tc = tcase_create("number");

	tcase_add_test(tc, provenance_names);
	tcase_add_loop_test(tc, ranges, 0, ARRAY_SIZE(NUMBERS));
	tcase_add_loop_test(tc, unconfirmed_never_marks, 0, ARRAY_SIZE(NUMBERS));
	suite_add_tcase(suite, tc);
	return suite;
}
