#include "tests/unit/token/suites.h"

#include "token/cnf.h"
#include "token/json.h"

#include <errno.h>

#define HASH "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"

static const struct {
	const char *claims;
	bool good;
	bool jkt, x5t, other;
} CASES[] = {
	{"{}", true, false, false, false},
	{"{\"cnf\":{\"jkt\":\"" HASH "\"}}", true, true, false, false},
	{"{\"cnf\":{\"x5t#S256\":\"" HASH "\"}}", true, false, true, false},
	{"{\"cnf\":{\"x5t#S256\":\"" HASH "\",\"jkt\":\"" HASH "\"}}", true, true, true, false},
	{"{\"cnf\":{\"jkt\":\"" HASH "\",\"kid\":\"x\"}}", true, true, false, false},
	{"{\"cnf\":{\"kid\":\"x\"}}", true, false, false, true},
	{"{\"cnf\":{\"jwk\":{}}}", true, false, false, true},
	{"{\"cnf\":{}}", true, false, false, true},
	{"{\"cnf\":null}", false, 0, 0, 0},
	{"{\"cnf\":\"" HASH "\"}", false, 0, 0, 0},
	{"{\"cnf\":[]}", false, 0, 0, 0},
	{"{\"cnf\":{\"jkt\":\"\"}}", false, 0, 0, 0},
	{"{\"cnf\":{\"jkt\":null}}", false, 0, 0, 0},
	{"{\"cnf\":{\"jkt\":[\"" HASH "\"]}}", false, 0, 0, 0},
	{"{\"cnf\":{\"jkt\":\"" HASH "A\"}}", false, 0, 0, 0},
	{"{\"cnf\":{\"jkt\":\"" HASH "=\"}}", false, 0, 0, 0},
	{"{\"cnf\":{\"jkt\":\"0ZcOCORZNYy+DWpqq30jZyJGHTN0d2HglBV3uiguA4I\"}}", false, 0, 0, 0},
	/* Stray bits in the last character. */
	{"{\"cnf\":{\"x5t#S256\":\"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4J\"}}", false, 0, 0,
		0},
	{"{\"cnf\":{\"jkt\":\"" HASH "\",\"x5t#S256\":7}}", false, 0, 0, 0},
};

START_TEST(bound_to)
{
	/* Goal: rows 33 and 34: what a token is bound to; what nobody can read is an error. */
	cleanup(json) json_t *claims = json_loads(CASES[_i].claims, 0, NULL);
	struct token_cnf cnf = {.other = true, .jkt = SPAN("untouched")};

	ck_assert_ptr_nonnull(claims);
	ck_assert_int_eq(token_cnf_read(claims, &cnf), CASES[_i].good);
	if (!CASES[_i].good) {
		ck_assert(cnf.other && span_is(cnf.jkt, "untouched"));
		return;
	}
	ck_assert_int_eq(span_is(cnf.jkt, HASH), CASES[_i].jkt);
	ck_assert_int_eq(span_is(cnf.x5t, HASH), CASES[_i].x5t);
	ck_assert_int_eq(cnf.other, CASES[_i].other);
}
END_TEST

START_TEST(certificate)
{
	/* Goal: row 34: SHA-256 of the certificate's bytes; an absent certificate never fits. */
	struct span x5t = SPAN("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"); /* of "abc" */

	ck_assert_int_eq(token_cnf_check_cert(x5t, SPAN("abc")), 0);
	ck_assert_int_eq(token_cnf_check_cert(x5t, SPAN("abd")), -EBADMSG);
	ck_assert_int_eq(token_cnf_check_cert(x5t, SPAN("abcd")), -EBADMSG);
	ck_assert_int_eq(token_cnf_check_cert(x5t, (struct span){0}), -EBADMSG);
	/* Of no bytes. */
	ck_assert_int_eq(token_cnf_check_cert(SPAN("47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"),
				 (struct span){0}),
		-EBADMSG);
}
END_TEST

Suite *suite_cnf(void)
{
	Suite *suite = suite_create("cnf");
	TCase *tcase = tcase_create("cnf");

	tcase_add_loop_test(tcase, bound_to, 0, sizeof(CASES) / sizeof(CASES[0]));
	tcase_add_test(tcase, certificate);
	suite_add_tcase(suite, tcase);
	return suite;
}
