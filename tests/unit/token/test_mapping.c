#include "tests/unit/token/suites.h"

#include "token/mapping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum base_reason map(
	const char *json, const struct token_provider *rules, struct token_payload *ret_payload)
{
	enum base_reason reason = token_claims_parse(span_of(json), ret_payload);

	ASSERT_REASON(reason, BASE_REASON_OK);
	return token_mapping_apply(ret_payload, rules);
}

static const struct {
	const char *json;
	const char *scope;
} SCOPES[] = {
	{"{\"scope\":\"read write\"}", "read write"},
	{"{\"scp\":\"read write\"}", "read write"},       /* Entra */
	{"{\"scp\":[\"read\",\"write\"]}", "read write"}, /* Okta */
	{"{\"scope\":[\"one\"]}", "one"},
	{"{\"scope\":[]}", ""},
	{"{\"scope\":[\"a b\"]}", ""}, /* one scope that would read as two */
	{"{\"scope\":[\"a\",1]}", ""},
	{"{\"scope\":[\"a\",\"\"]}", ""},
	{"{\"scope\":{\"a\":1}}", ""},
	{"{\"scope\":7}", ""},
	{"{}", ""},
	{"{\"scope\":\"a\",\"scp\":[\"b\"]}", "a"},
};

START_TEST(scopes)
{
	/* Goal: scopes are one text, whether they came as text or as a list; what cannot be is none. */
	static const struct token_provider RULES;
	struct token_payload p;

	ASSERT_REASON(map(SCOPES[_i].json, &RULES, &p), BASE_REASON_OK);
	ck_assert_msg(span_is(p.claims.scope, SCOPES[_i].scope), "%s: %.*s", SCOPES[_i].json,
		SPAN_ARG(p.claims.scope));
	token_claims_done(&p.claims);
}
END_TEST

static const char *const DEEP[] = {"https://ns/app", "who.is", "id"};
static const char *const PLAIN[] = {"email"};
static const struct token_path DEEP_PATH = {DEEP, 3}, PLAIN_PATH = {PLAIN, 1};

START_TEST(paths)
{
	/* Goal: a path goes through names with dots and URLs; a wrong type at its end refuses the token. */
	const struct token_provider rules = {
		.subject = DEEP_PATH, .client_id = PLAIN_PATH, .audience = PLAIN_PATH};
	static const struct {
		const char *json;
		enum base_reason want;
		const char *sub;
	} CASES[] = {
		{"{\"sub\":\"x\",\"https://ns/"
		 "app\":{\"who.is\":{\"id\":\"alice\"}},\"email\":\"e\"}",
			BASE_REASON_OK, "alice"},
		{"{\"sub\":\"x\"}", BASE_REASON_OK, ""},
		{"{\"sub\":\"x\",\"https://ns/app\":{\"who\":{\"is\":1}}}", BASE_REASON_OK, ""},
		{"{\"https://ns/app\":[1]}", BASE_REASON_OK, ""},
		{"{\"https://ns/app\":{\"who.is\":{\"id\":7}}}", BASE_REASON_CLAIMS_MALFORMED, ""},
		{"{\"https://ns/app\":{\"who.is\":{\"id\":\"a\\nb\"}}}",
			BASE_REASON_CLAIMS_MALFORMED, ""},
		{"{\"email\":{\"a\":1}}", BASE_REASON_CLAIMS_MALFORMED, ""},
	};

	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct token_payload p;
		enum base_reason reason = map(CASES[i].json, &rules, &p);

		ck_assert_msg(
			reason == CASES[i].want, "%s: %s", CASES[i].json, base_reason_word(reason));
		if (reason == BASE_REASON_OK)
			ck_assert(span_is(p.claims.sub, CASES[i].sub));
		token_claims_done(&p.claims);
	}
}
END_TEST

START_TEST(audience)
{
	/* Goal: where a provider says its audience elsewhere, that is what is compared. */
	static const char *const US[] = {"us"};
	const struct token_provider rules = {
		.audience = PLAIN_PATH, .audiences = US, .n_audiences = 1};
	struct token_payload p;

	ASSERT_REASON(map("{\"aud\":\"them\",\"email\":[\"x\",\"us\"],\"exp\":9}", &rules, &p),
		BASE_REASON_OK);
	ASSERT_REASON(token_claims_check(&p, &rules, 1), BASE_REASON_OK);
	token_claims_done(&p.claims);
	ASSERT_REASON(map("{\"aud\":\"us\",\"exp\":9}", &rules, &p), BASE_REASON_OK);
	ASSERT_REASON(token_claims_check(&p, &rules, 1), BASE_REASON_AUDIENCE_MISMATCH);
	token_claims_done(&p.claims);
}
END_TEST

/* act inside act, n deep (malloc). */
static char *nested(unsigned n)
{
	char *text;
	char *inner = n ? nested(n - 1) : NULL;

	ck_assert_int_gt(asprintf(&text, "{\"sub\":\"a%u\"%s%s}", n, n ? ",\"act\":" : "",
				 inner ? inner : ""),
		0);
	free(inner);
	return text;
}

START_TEST(depth)
{
	/* Goal: row 35: act up to four deep; the fifth has a reason of its own. Only the outermost acts. */
	static const struct token_provider RULES;

	for (unsigned n = 1; n <= 6; n++) {
		char *text = nested(n);
		struct token_payload p;
		char want[8];

		snprintf(want, sizeof(want), "a%u", n - 1);
		ASSERT_REASON(map(text, &RULES, &p),
			n > TOKEN_ACTORS_MAX ? BASE_REASON_ACTOR_TOO_DEEP : BASE_REASON_OK);
		if (n <= TOKEN_ACTORS_MAX)
			ck_assert(span_is(p.claims.actor, want));
		token_claims_done(&p.claims);
		free(text);
	}
}
END_TEST

START_TEST(actors)
{
	/* Goal: row 35: whatever is no actor refuses the token; an actor without sub is its client. */
	static const struct token_provider RULES;
	static const struct {
		const char *json;
		enum base_reason want;
		const char *actor;
	} CASES[] = {
		{"{\"act\":{\"sub\":\"agent\",\"iss\":\"i\"}}", BASE_REASON_OK, "agent"},
		{"{\"act\":{\"client_id\":\"c\"}}", BASE_REASON_OK, "c"},
		{"{\"act\":{}}", BASE_REASON_OK, ""},
		{"{\"may_act\":{\"sub\":\"x\"}}", BASE_REASON_OK, ""},
		{"{\"act\":\"agent\"}", BASE_REASON_CLAIMS_MALFORMED, ""},
		{"{\"act\":[{\"sub\":\"agent\"}]}", BASE_REASON_CLAIMS_MALFORMED, ""},
		{"{\"act\":null}", BASE_REASON_CLAIMS_MALFORMED, ""},
		{"{\"act\":{\"sub\":1}}", BASE_REASON_CLAIMS_MALFORMED, ""},
		{"{\"act\":{\"sub\":\"a\",\"act\":7}}", BASE_REASON_CLAIMS_MALFORMED, ""},
	};

	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct token_payload p;
		enum base_reason reason = map(CASES[i].json, &RULES, &p);

		ck_assert_msg(
			reason == CASES[i].want, "%s: %s", CASES[i].json, base_reason_word(reason));
		if (reason == BASE_REASON_OK)
			ck_assert(span_is(p.claims.actor, CASES[i].actor));
		token_claims_done(&p.claims);
	}
}
END_TEST

START_TEST(no_memory)
{
	/* Goal: without memory for the joined scopes the answer is internal, never a caller without them. */
	static const struct token_provider RULES;
	struct token_payload p;
	enum base_reason reason;

	ASSERT_REASON(token_claims_parse(SPAN("{\"scp\":[\"a\",\"b\"]}"), &p), BASE_REASON_OK);
	for (long n = 0; n < 10; n++) {
		allocations_left = n;
		reason = token_mapping_apply(&p, &RULES);
		allocations_left = -1;
		if (reason == BASE_REASON_OK)
			break;
		ASSERT_REASON(reason, BASE_REASON_INTERNAL);
	}
	ck_assert(span_is(p.claims.scope, "a b"));
	token_claims_done(&p.claims);
}
END_TEST

Suite *suite_mapping(void)
{
	Suite *suite = suite_create("mapping");
	TCase *tc = tcase_create("mapping");

	tcase_add_loop_test(tc, scopes, 0, sizeof(SCOPES) / sizeof(SCOPES[0]));
	tcase_add_test(tc, paths);
	tcase_add_test(tc, audience);
	tcase_add_test(tc, depth);
	tcase_add_test(tc, actors);
	tcase_add_test(tc, no_memory);
	suite_add_tcase(suite, tc);
	return suite;
}
