#include "tests/unit/token/suites.h"

#include "token/json.h"
#include "token/purpose.h"

#define LOGOUT "{\"events\":{\"" TOKEN_LOGOUT_EVENT "\":{}}}"

static const char *const LISTS[][2] = {
	{NULL}, {"at+jwt", "jwt"}, {"logout+jwt", NULL}, {"at+jwt", NULL}};

static const struct {
	unsigned list;
	bool required, id_tokens;
	const char *typ, *claims;
	bool good;
} CASES[] = {
	{1, false, false, "at+jwt", "{}", true},
	{1, false, false, "jwt", "{}", true},
	{1, false, false, "", "{}", true},
	{1, true, false, "", "{}", false},
	{1, false, false, "x", "{}", false},
	{0, false, false, "x", "{}", true},
	/* Row 40: never a bearer token, with a typ or without. */
	{0, false, false, "logout+jwt", LOGOUT, false},
	{0, false, false, "logout+jwt", "{}", false},
	{0, false, false, "", LOGOUT, false},
	{1, false, false, "jwt", LOGOUT, false},
	{3, true, false, "at+jwt", LOGOUT, false},
	{1, false, true, "jwt", LOGOUT, false},
	{2, true, false, "logout+jwt", LOGOUT, true},
	/* Events of other kinds are not ours to judge. */
	{1, false, false, "jwt", "{\"events\":{\"x\":{}}}", true},
	{1, false, false, "jwt", "{\"events\":7}", true},
	/* Row 33: nor is a proof. */
	{0, false, false, "dpop+jwt", "{}", false},
	/* Row 25: an ID token where access tokens are wanted. */
	{1, false, false, "jwt", "{\"at_hash\":\"x\"}", false},
	{1, false, false, "", "{\"c_hash\":\"x\"}", false},
	{0, false, false, "jwt", "{\"nonce\":\"x\"}", false},
	{1, false, false, "at+jwt", "{\"nonce\":\"x\"}", true},
	{1, false, true, "jwt", "{\"at_hash\":\"x\",\"nonce\":\"y\"}", true},
};

START_TEST(purposes)
{
	/* Goal: rows 25 and 40: a token that was made for something else is no credential. */
	cleanup(json) json_t *claims = json_loads(CASES[_i].claims, 0, NULL);
	const char *const *list = LISTS[CASES[_i].list];
	struct token_provider rules = {.types = list,
		.type_required = CASES[_i].required,
		.id_tokens = CASES[_i].id_tokens};

	while (rules.n_types < 2 && list[rules.n_types])
		rules.n_types++;
	ASSERT_REASON(token_purpose_check(CASES[_i].typ, claims, &rules),
		CASES[_i].good ? BASE_REASON_OK : BASE_REASON_TYP_NOT_ALLOWED);
}
END_TEST

Suite *suite_purpose(void)
{
	Suite *suite = suite_create("purpose");
	TCase *tcase = tcase_create("purpose");

	tcase_add_loop_test(tcase, purposes, 0, sizeof(CASES) / sizeof(CASES[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}
