#include "tests/unit/token/suites.h"

#include "token/alg.h"

START_TEST(round_trip)
{
	/* Goal: each algorithm is found by its own name. */
	ck_assert_int_eq(token_alg_find(span_of(token_alg_name(_i))), _i);
}
END_TEST

START_TEST(not_an_algorithm)
{
	/* Goal: attack row 1: none, other spellings and near misses are no algorithms. */
	static const struct span NAMES[] = {SPAN("none"), SPAN("None"), SPAN("NoNe"), SPAN(""),
		SPAN("hs256"), SPAN("HS128"), SPAN("HS256 "), SPAN("rs256"), SPAN("RS25"),
		SPAN("RS2566"), SPAN("RS256 "), SPAN("RS256\0"), SPAN("ES256K"), SPAN("ES521"),
		SPAN("EdDSa"), SPAN("Ed448"), SPAN("A256KW"), SPAN("RSA1_5")};

	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
		ck_assert_msg(token_alg_find(NAMES[i]) == -1, "%s", NAMES[i].p);
}
END_TEST

Suite *suite_alg(void)
{
	Suite *suite = suite_create("alg");
	TCase *tc = tcase_create("alg");

	tcase_add_loop_test(tc, round_trip, 0, TOKEN_ALGS);
	tcase_add_test(tc, not_an_algorithm);
	suite_add_tcase(suite, tc);
	return suite;
}
