#include "suites.h"

#include "base/mem.h"
#include "token/introspection.h"

#define NOW INT64_C(1800000000)

static const char *const AUD[] = {"us"};
static const struct token_provider RULES = {
	.name = "p",
	.issuer = "https://p",
	.audiences = AUD,
	.n_audiences = 1,
	.leeway_s = 30,
	.max_lifetime_s = 3600,
};

static const struct {
	const char *json;
	enum token_introspected want;
} ANSWERS[] = {
	{"{\"active\":true}", TOKEN_INTROSPECTED_ACTIVE},
	{"{\"active\":true,\"exp\":5}", TOKEN_INTROSPECTED_ACTIVE},
	{"{\"active\":false}", TOKEN_INTROSPECTED_INACTIVE},
	{"{\"active\":false,\"exp\":5,\"sub\":\"s\"}", TOKEN_INTROSPECTED_INACTIVE},
	{"{\"active\":\"true\"}", TOKEN_INTROSPECTED_NONSENSE},
	{"{\"active\":1}", TOKEN_INTROSPECTED_NONSENSE},
	{"{\"active\":null}", TOKEN_INTROSPECTED_NONSENSE},
	{"{\"Active\":true}", TOKEN_INTROSPECTED_NONSENSE},
	{"{}", TOKEN_INTROSPECTED_NONSENSE},
	{"", TOKEN_INTROSPECTED_NONSENSE},
	{"true", TOKEN_INTROSPECTED_NONSENSE},
	{"[{\"active\":true}]", TOKEN_INTROSPECTED_NONSENSE},
	{"{\"active\":true,\"active\":false}", TOKEN_INTROSPECTED_NONSENSE},
	{"{\"active\":true}x", TOKEN_INTROSPECTED_NONSENSE},
	{"{\"active\":true", TOKEN_INTROSPECTED_NONSENSE},
};

START_TEST(judged)
{
	/* Goal: only a boolean true is active; what is no such answer is neither yes nor no. */
	int64_t exp = -1;

	ck_assert_int_eq(
		token_introspection_judge(span_of(ANSWERS[_i].json), &exp), ANSWERS[_i].want);
	ck_assert_int_eq(exp != -1, ANSWERS[_i].want == TOKEN_INTROSPECTED_ACTIVE);
}
END_TEST

static const struct {
	const char *json;
	bool lenient; /* an answer without aud will do */
	enum base_reason want;
} CLAIMS[] = {
	{"{\"active\":true,\"aud\":\"us\",\"exp\":1800000001}", false, BASE_REASON_OK},
	{"{\"active\":true,\"aud\":[\"x\",\"us\"]}", false, BASE_REASON_OK},
	{"{\"active\":true}", true, BASE_REASON_OK},
	{"{\"active\":true}", false, BASE_REASON_AUDIENCE_MISMATCH},
	{"{\"active\":true,\"aud\":\"x\"}", true, BASE_REASON_AUDIENCE_MISMATCH},
	{"{\"active\":true,\"aud\":7}", true, BASE_REASON_CLAIMS_MALFORMED},
	{"{\"active\":false,\"aud\":\"us\"}", true, BASE_REASON_TOKEN_INACTIVE},
	{"{\"active\":true,\"aud\":\"us\",\"exp\":1799999970}", false, BASE_REASON_EXPIRED},
	{"{\"active\":true,\"aud\":\"us\",\"exp\":1799999971}", false, BASE_REASON_OK},
	{"{\"active\":true,\"exp\":1799999970}", true, BASE_REASON_EXPIRED},
	{"{\"active\":true,\"aud\":\"us\",\"exp\":\"soon\"}", false, BASE_REASON_CLAIMS_MALFORMED},
	{"{\"active\":true,\"aud\":\"us\",\"nbf\":1800000031}", false, BASE_REASON_NOT_YET_VALID},
	{"{\"active\":true,\"aud\":\"us\",\"iat\":1800000031}", false,
		BASE_REASON_ISSUED_IN_FUTURE},
	{"{\"active\":true,\"aud\":\"us\",\"iat\":1799990000,\"exp\":1800000600}", false,
		BASE_REASON_LIFETIME_TOO_LONG},
	{"{\"active\":true,\"aud\":\"us\",\"exp\":1900000000}", false, BASE_REASON_OK},
	{"{\"active\":true,\"aud\":\"us\",\"iss\":\"https://p\"}", false, BASE_REASON_OK},
	{"{\"active\":true,\"aud\":\"us\",\"iss\":\"https://p/\"}", false,
		BASE_REASON_ISSUER_MISMATCH},
	{"{\"active\":true,\"aud\":\"us\",\"sub\":7}", false, BASE_REASON_CLAIMS_MALFORMED},
	{"[]", true, BASE_REASON_CLAIMS_MALFORMED},
};

START_TEST(claims)
{
	/* Goal: times, types and names are held to the same rules in a provider's word about a token. */
	const struct token_introspection_rules how = {
		.issuer = 3, .good_till = NOW + 60, .need_audience = !CLAIMS[_i].lenient};
	struct token_claims got = {0};
	enum base_reason reason =
		token_introspection_read(span_of(CLAIMS[_i].json), &RULES, &how, NOW, &got);

	ASSERT_REASON(reason, CLAIMS[_i].want);
	ck_assert_int_eq(got.claims != NULL, reason == BASE_REASON_OK);
	if (reason == BASE_REASON_OK) {
		ck_assert_uint_eq(got.issuer, 3);
		ck_assert(span_is(got.iss, "https://p"));
	}
	token_claims_done(&got);
}
END_TEST

START_TEST(taken)
{
	/* Goal: subject, client and scopes are where RFC 7662 has them; without exp, ours stands. */
	const struct token_introspection_rules how = {.good_till = NOW + 60};
	struct token_claims got = {0};

	ASSERT_REASON(token_introspection_read(
			      SPAN("{\"active\":true,\"aud\":\"us\",\"sub\":\"s\",\"client_id\":"
				   "\"c\",\"scope\":\"read write\"}"),
			      &RULES, &how, NOW, &got),
		BASE_REASON_OK);
	ck_assert(span_is(got.sub, "s"));
	ck_assert(span_is(got.client_id, "c"));
	ck_assert(span_is(got.scope, "read write"));
	ck_assert_int_eq(got.exp, NOW + 60);
	token_claims_done(&got);
}
END_TEST

START_TEST(opaque)
{
	/* Goal: what may be a JWS or a JWE is never taken for opaque, nor what no header may carry. */
	static const char *const YES[] = {
		"a", "abc", "a.b", "a.b.c.d", "mF_9.B5f-4.1JqM.x", "AbC+/=", "x~y==", "....."};
	static const char *const NO[] = {"", "=", "a.b.c", "..", "a.b.c.d.e", "a b", "a\nb", "a=b",
		"\xc3\xa4", "a\"b", "a%20b", "a,b"};

	for (size_t i = 0; i < ARRAY_SIZE(YES); i++)
		ck_assert_msg(token_introspection_is_opaque(span_of(YES[i])), "%s", YES[i]);
	for (size_t i = 0; i < ARRAY_SIZE(NO); i++)
		ck_assert_msg(!token_introspection_is_opaque(span_of(NO[i])), "%s", NO[i]);
	ck_assert(!token_introspection_is_opaque((struct span){.p = "a\0b", .n = 3}));
}
END_TEST

Suite *suite_introspection(void)
{
	Suite *s = suite_create("introspection");
	TCase *tc = tcase_create("introspection");

	tcase_add_loop_test(tc, judged, 0, ARRAY_SIZE(ANSWERS));
	tcase_add_loop_test(tc, claims, 0, ARRAY_SIZE(CLAIMS));
	tcase_add_test(tc, taken);
	tcase_add_test(tc, opaque);
	suite_add_tcase(s, tc);
	return s;
}
