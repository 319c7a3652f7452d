#include "tests/unit/token/suites.h"

#include "token/claims.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *json;
	enum base_reason want;
} TYPES[] = {
	{"{}", BASE_REASON_OK}, {"[]", BASE_REASON_CLAIMS_MALFORMED},
	{"", BASE_REASON_CLAIMS_MALFORMED}, {"\"x\"", BASE_REASON_CLAIMS_MALFORMED},
	{"{} x", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"sub\":\"a\",\"sub\":\"b\"}", BASE_REASON_CLAIMS_MALFORMED}, /* row 8 */
	{"{\"x\":{\"y\":{\"z\":1,\"z\":2}}}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"x\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}", BASE_REASON_OK}, /* depth 16, row 11 */
	{"{\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", BASE_REASON_CLAIMS_MALFORMED},
	/* row 23 */
	{"{\"iss\":1}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"iss\":\"\"}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"iss\":null}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"sub\":[\"a\"]}", BASE_REASON_CLAIMS_MALFORMED}, {"{\"sub\":\"\"}", BASE_REASON_OK},
	{"{\"sub\":\"a\\nb\"}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"sub\":\"a\\u0000b\"}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"sub\":\"\\ud800\"}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"sub\":\"\xc3\xa9\"}", BASE_REASON_OK}, {"{\"jti\":7}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"aud\":\"a\"}", BASE_REASON_OK}, {"{\"aud\":[\"a\",\"b\"]}", BASE_REASON_OK},
	{"{\"aud\":\"\"}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"aud\":[]}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"aud\":[\"a\",1]}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"aud\":[\"a\",\"\"]}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"aud\":{\"a\":1}}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"aud\":{}}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"aud\":1}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"aud\":\"a\\tb\"}", BASE_REASON_CLAIMS_MALFORMED},
	/* row 21 */
	{"{\"exp\":0}", BASE_REASON_OK}, {"{\"exp\":-1}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"exp\":253402300799}", BASE_REASON_OK},
	{"{\"exp\":253402300800}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"exp\":253402300799.5}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"exp\":9223372036854775807}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"exp\":9223372036854775808}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"exp\":1e300}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"exp\":1e400}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"exp\":-0.5}", BASE_REASON_CLAIMS_MALFORMED}, {"{\"exp\":1.5e9}", BASE_REASON_OK},
	{"{\"exp\":\"1500000000\"}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"exp\":true}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"exp\":null}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"nbf\":\"1\"}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"nbf\":-1}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"iat\":[1]}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"iat\":253402300799.0}", BASE_REASON_OK},
	{"{\"azp\":1,\"scope\":2}", BASE_REASON_OK}, /* not text: as if absent */
};

START_TEST(types)
{
	/* Goal: attack rows 8, 9, 11, 21 and 23: a claim of the wrong type refuses the token. */
	struct token_payload payload = {.claims.nbf = 77};
	size_t n = strlen(TYPES[_i].json);
	enum base_reason reason = token_claims_parse(
		(struct span){.p = guarded(TYPES[_i].json, n), .n = n}, &payload);

	ck_assert_msg(reason == TYPES[_i].want, "%s: %s", TYPES[_i].json, base_reason_word(reason));
	if (reason == BASE_REASON_OK)
		token_claims_done(&payload.claims);
	else
		ck_assert_int_eq(payload.claims.nbf, 77);
}
END_TEST

START_TEST(members)
{
	/* Goal: what a token says comes out, byte for byte, and fractions count against it. */
	struct token_payload p;

	ASSERT_REASON(
		token_claims_parse(SPAN("{\"iss\":\"i\",\"sub\":\"s\",\"jti\":\"j\",\"cid\":\"c\","
					"\"client_id\":\"d\",\"exp\":10.9,"
					"\"nbf\":3.1,\"iat\":2.1}"),
			&p),
		BASE_REASON_OK);
	ck_assert(span_is(p.claims.iss, "i") && span_is(p.claims.sub, "s"));
	ck_assert(span_is(p.claims.jti, "j") && span_is(p.claims.client_id, "d"));
	ck_assert_int_eq(p.claims.exp, 10);
	ck_assert_int_eq(p.claims.nbf, 4);
	ck_assert_int_eq(p.claims.iat, 3);
	token_claims_done(&p.claims);
	ck_assert_ptr_null(p.claims.claims);
	token_claims_done(&p.claims);
	ASSERT_REASON(
		token_claims_parse(SPAN("{\"azp\":\"a\",\"cid\":\"c\",\"scope\":[\"x\"]}"), &p),
		BASE_REASON_OK);
	ck_assert(span_is(p.claims.client_id, "a"));
	ck_assert_uint_eq(p.claims.scope.n + p.claims.sub.n + p.claims.iss.n, 0);
	token_claims_done(&p.claims);
}
END_TEST

START_TEST(lengths)
{
	/* Goal: row 23: TOKEN_TEXT_MAX bytes fit into each text, one more does not. */
	static const char *const FORMATS[] = {"{\"iss\":\"%0*d\"}", "{\"sub\":\"%0*d\"}",
		"{\"jti\":\"%0*d\"}", "{\"aud\":\"%0*d\"}", "{\"aud\":[\"a\",\"%0*d\"]}"};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	for (int n = TOKEN_TEXT_MAX; n <= TOKEN_TEXT_MAX + 1; n++) {
		cleanup(free) char *json = NULL;
		struct token_payload payload = {0};

		ck_assert_int_gt(asprintf(&json, FORMATS[_i], n, 0), 0);
		ASSERT_REASON(token_claims_parse(span_of(json), &payload),
			n > TOKEN_TEXT_MAX ? BASE_REASON_CLAIMS_MALFORMED : BASE_REASON_OK);
		token_claims_done(&payload.claims);
	}
#pragma GCC diagnostic pop
}
END_TEST

START_TEST(elements)
{
	/* Goal: row 11: TOKEN_JSON_ELEMENTS values fit, one more does not. */
	char json[4096];

	/* The object, the array, and what stands in it. */
	for (int values = TOKEN_JSON_ELEMENTS - 2; values <= TOKEN_JSON_ELEMENTS - 1; values++) {
		struct token_payload payload = {0};
		int n = snprintf(json, sizeof(json), "{\"x\":[0");

		for (int i = 1; i < values; i++)
			n += snprintf(json + n, sizeof(json) - (size_t)n, ",0");
		snprintf(json + n, sizeof(json) - (size_t)n, "]}");
		ASSERT_REASON(token_claims_parse(span_of(json), &payload),
			values > TOKEN_JSON_ELEMENTS - 2 ? BASE_REASON_CLAIMS_MALFORMED
							 : BASE_REASON_OK);
		token_claims_done(&payload.claims);
	}
}
END_TEST

#define NOW 1000000

static const struct {
	const char *json;
	int leeway, max_lifetime;
	enum base_reason want;
} TIMES[] = {
	{"\"exp\":1000001", 0, 0, BASE_REASON_OK},
	{"\"exp\":1000000", 0, 0, BASE_REASON_EXPIRED},
	{"\"exp\":1000000.9", 0, 0, BASE_REASON_EXPIRED},
	{"\"exp\":1000001.0", 0, 0, BASE_REASON_OK},
	{"\"exp\":999971", 30, 0, BASE_REASON_OK},
	{"\"exp\":999970", 30, 0, BASE_REASON_EXPIRED},
	{"\"exp\":0", 300, 0, BASE_REASON_EXPIRED},
	{"\"x\":0", 0, 0, BASE_REASON_EXPIRY_MISSING},
	{"\"exp\":2000000,\"nbf\":1000000", 0, 0, BASE_REASON_OK},
	{"\"exp\":2000000,\"nbf\":1000001", 0, 0, BASE_REASON_NOT_YET_VALID},
	{"\"exp\":2000000,\"nbf\":1000000.1", 0, 0, BASE_REASON_NOT_YET_VALID},
	{"\"exp\":2000000,\"nbf\":1000030", 30, 0, BASE_REASON_OK},
	{"\"exp\":2000000,\"nbf\":1000031", 30, 0, BASE_REASON_NOT_YET_VALID},
	{"\"exp\":2000000,\"iat\":1000000", 0, 0, BASE_REASON_OK},
	{"\"exp\":2000000,\"iat\":1000001", 0, 0, BASE_REASON_ISSUED_IN_FUTURE},
	{"\"exp\":2000000,\"iat\":1000030", 30, 0, BASE_REASON_OK},
	{"\"exp\":2000000,\"iat\":1000031", 30, 0, BASE_REASON_ISSUED_IN_FUTURE},
	{"\"exp\":2000000,\"iat\":0", 0, 0, BASE_REASON_OK},
	{"\"exp\":1000300,\"iat\":1000000", 0, 300, BASE_REASON_OK},
	{"\"exp\":1000300,\"iat\":999999", 0, 300, BASE_REASON_LIFETIME_TOO_LONG},
	{"\"exp\":1000300,\"nbf\":1000000,\"iat\":0", 0, 300, BASE_REASON_OK},
	{"\"exp\":1000300,\"nbf\":999999,\"iat\":1000000", 0, 300, BASE_REASON_LIFETIME_TOO_LONG},
	{"\"exp\":1000001", 0, 300, BASE_REASON_LIFETIME_TOO_LONG},
	{"\"exp\":253402300799,\"iat\":0", 300, 0, BASE_REASON_OK},
	{"\"exp\":1,\"nbf\":253402300799", 0, 0, BASE_REASON_EXPIRED},
};

START_TEST(times)
{
	/* Goal: rows 21 and 22: each time rule holds to the second, on both sides of the leeway. */
	static const char *const AUD[] = {"us"};
	struct token_provider rules = {.audiences = AUD,
		.n_audiences = 1,
		.leeway_s = TIMES[_i].leeway,
		.max_lifetime_s = TIMES[_i].max_lifetime};
	struct token_payload payload;
	char json[256];

	snprintf(json, sizeof(json), "{\"aud\":\"us\",%s}", TIMES[_i].json);
	ASSERT_REASON(token_claims_parse(span_of(json), &payload), BASE_REASON_OK);
	ck_assert_msg(
		token_claims_check(&payload, &rules, NOW) == TIMES[_i].want, "%s", TIMES[_i].json);
	/* The clock may say anything without overflow. */
	ck_assert_int_ne(token_claims_check(&payload, &rules, INT64_MAX), BASE_REASON_OK);
	token_claims_check(&payload, &rules, INT64_MIN);
	token_claims_done(&payload.claims);
}
END_TEST

START_TEST(audiences)
{
	/* Goal: row 24: aud must name one of ours, whole and byte for byte. */
	static const char *const AUD[] = {"us", "also-us"};
	static const struct {
		const char *aud;
		enum base_reason want;
	} CASES[] = {
		{"\"us\"", BASE_REASON_OK},
		{"[\"x\",\"also-us\"]", BASE_REASON_OK},
		{"\"Us\"", BASE_REASON_AUDIENCE_MISMATCH},
		{"\"us \"", BASE_REASON_AUDIENCE_MISMATCH},
		{"\"us also-us\"", BASE_REASON_AUDIENCE_MISMATCH},
		{"[\"u\",\"s\"]", BASE_REASON_AUDIENCE_MISMATCH},
	};
	struct token_provider rules = {.audiences = AUD, .n_audiences = 2};
	struct token_payload payload;
	char json[256];

	snprintf(json, sizeof(json), "{\"aud\":%s,\"exp\":%d}", CASES[_i].aud, NOW + 1);
	ASSERT_REASON(token_claims_parse(span_of(json), &payload), BASE_REASON_OK);
	ASSERT_REASON(token_claims_check(&payload, &rules, NOW), CASES[_i].want);
	token_claims_done(&payload.claims);
}
END_TEST

Suite *suite_claims(void)
{
	Suite *suite = suite_create("claims");
	TCase *tc = tcase_create("claims");

	tcase_add_loop_test(tc, types, 0, sizeof(TYPES) / sizeof(TYPES[0]));
	tcase_add_test(tc, members);
	tcase_add_loop_test(tc, lengths, 0, 5);
	tcase_add_test(tc, elements);
	tcase_add_loop_test(tc, times, 0, sizeof(TIMES) / sizeof(TIMES[0]));
	tcase_add_loop_test(tc, audiences, 0, 6);
	suite_add_tcase(suite, tc);
	return suite;
}
