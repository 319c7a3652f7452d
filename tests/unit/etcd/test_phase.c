#include "tests/unit/etcd/suites.h"

#include "base/mem.h"
#include "etcd/phase.h"

/* Every move there is; all other pairs stay. */
static const struct {
	enum etcd_phase from;
	enum etcd_event event;
	enum etcd_phase to;
} MOVES[] = {
	{ETCD_ABSENT, ETCD_WANT, ETCD_ASKING},
	{ETCD_ASKING, ETCD_CONFIRM, ETCD_PUBLISHED},
	{ETCD_ASKING, ETCD_UNWANT, ETCD_UNMARKING},
	{ETCD_PUBLISHED, ETCD_SETTLED, ETCD_REALISED},
	{ETCD_PUBLISHED, ETCD_DOUBT, ETCD_DOUBTED},
	{ETCD_PUBLISHED, ETCD_REPLACE, ETCD_ASKING},
	{ETCD_PUBLISHED, ETCD_UNWANT, ETCD_UNMARKING},
	{ETCD_REALISED, ETCD_DOUBT, ETCD_DOUBTED},
	{ETCD_REALISED, ETCD_REPLACE, ETCD_ASKING},
	{ETCD_REALISED, ETCD_UNWANT, ETCD_UNMARKING},
	{ETCD_DOUBTED, ETCD_CONFIRM, ETCD_PUBLISHED},
	{ETCD_DOUBTED, ETCD_REPLACE, ETCD_ASKING},
	{ETCD_DOUBTED, ETCD_UNWANT, ETCD_UNMARKING},
	{ETCD_UNMARKING, ETCD_SETTLED, ETCD_RELEASING},
	{ETCD_UNMARKING, ETCD_WANT, ETCD_ASKING},
	{ETCD_RELEASING, ETCD_RELEASED, ETCD_ABSENT},
	{ETCD_RELEASING, ETCD_WANT, ETCD_ASKING},
};

static enum etcd_phase expected(enum etcd_phase from, enum etcd_event event)
{
	for (size_t i = 0; i < ARRAY_SIZE(MOVES); i++)
		if (MOVES[i].from == from && MOVES[i].event == event)
			return MOVES[i].to;
	return from;
}

START_TEST(all_moves)
{
	/* Goal: every pair of phase and event leads where the diagram says, and nowhere else. */
	for (unsigned p = 0; p < ETCD_PHASES; p++)
		for (unsigned e = 0; e < ETCD_EVENTS; e++)
			ck_assert_int_eq(etcd_phase_after((enum etcd_phase)p, (enum etcd_event)e),
				expected((enum etcd_phase)p, (enum etcd_event)e));
}
END_TEST

START_TEST(marks)
{
	/* Goal: only REALISED is marked, and one comes there only from PUBLISHED by waiting. */
	for (unsigned p = 0; p < ETCD_PHASES; p++) {
		ck_assert_int_eq(etcd_phase_may_mark((enum etcd_phase)p), p == ETCD_REALISED);
		for (unsigned e = 0; e < ETCD_EVENTS; e++)
			if (p != ETCD_REALISED && etcd_phase_after((enum etcd_phase)p,
							  (enum etcd_event)e) == ETCD_REALISED)
				ck_assert(p == ETCD_PUBLISHED && e == ETCD_SETTLED);
	}
}
END_TEST

START_TEST(withdrawal)
{
	/* Goal: what may be marked is never taken out of etcd before it was unmarked, and that settled. */
	for (unsigned e = 0; e < ETCD_EVENTS; e++) {
		ck_assert_int_ne(
			etcd_phase_after(ETCD_REALISED, (enum etcd_event)e), ETCD_RELEASING);
		ck_assert_int_ne(etcd_phase_after(ETCD_REALISED, (enum etcd_event)e), ETCD_ABSENT);
	}
	ck_assert(etcd_phase_settles(ETCD_UNMARKING));
	ck_assert(etcd_phase_settles(ETCD_PUBLISHED));
	ck_assert_str_eq(etcd_phase_name(ETCD_REALISED), "realised");
	ck_assert(etcd_phase_has_number(ETCD_DOUBTED));
	ck_assert(!etcd_phase_has_number(ETCD_ASKING));
}
END_TEST

Suite *suite_phase(void)
{
	Suite *s = suite_create("etcd/phase");
	TCase *tc = tcase_create("phase");

	tcase_add_test(tc, all_moves);
	tcase_add_test(tc, marks);
	tcase_add_test(tc, withdrawal);
	suite_add_tcase(s, tc);
	return s;
}
