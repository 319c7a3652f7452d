#include "tests/unit/spoa/suites.h"

#include "spop/data.h"
#include "tests/unit/spoa/help.h"

#include <stdio.h>

static const char CONFIG[] = HELP_HEAD HELP_ONE "exports: [email, level, vip, groups, absent]\n";

static struct spoa_config *config;
static struct spoa_caller *caller;
static struct token_claims claims;

static void setup(void)
{
	config = help_config(CONFIG);
	caller = malloc(SPOA_CALLER_MAX);
}

static void teardown(void)
{
	token_claims_done(&claims);
	free(caller);
	spoa_config_unref(config);
}

static enum base_reason pack(json_t *json)
{
	token_claims_done(&claims);
	claims = (struct token_claims){
		.claims = json,
		.sub = SPAN("somebody"),
		.iss = SPAN("https://a"),
		.client_id = SPAN("client"),
		.scope = SPAN("read write"),
		.jti = SPAN("1"),
		.aud = json_object_get(json, "aud"),
		.exp = 30,
		.nbf = 20,
		.iat = 10,
		.key = 77,
	};
	ck_assert_ptr_nonnull(json);
	return spoa_caller_pack(config, &claims, caller);
}

/* The role of a request of which nothing is known; NULL when there is none. */
static const struct ident_role *role_now(void)
{
	const struct ident_request request = {0};
	static struct spoa_match_work work;
	struct spoa_match match = {0};
	enum base_reason reason = spoa_match(caller, config, &request, &work, &match);

	ASSERT_REASON(reason, match.role ? BASE_REASON_OK : BASE_REASON_NO_ROLE);
	return match.role;
}

static void is(enum spoa_text which, const char *want)
{
	struct span text = spoa_caller_text(caller, which);

	ck_assert_msg(span_is(text, want), "%u: %.*s", which, SPAN_ARG(text));
}

#define JKT "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
#define X5T "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

START_TEST(whole)
{
	/* Everything of a token that later stages want comes out of the block as it went in. */
	ASSERT_REASON(pack(json_pack("{s:s, s:s, s:s, s:{s:s, s:s}}", "aud", "api", "sid", "s1",
			      "role", "admin", "cnf", "jkt", JKT, "x5t#S256", X5T)),
		BASE_REASON_OK);
	is(SPOA_TEXT_SUB, "somebody");
	is(SPOA_TEXT_CLIENT_ID, "client");
	is(SPOA_TEXT_SCOPE, "read write");
	is(SPOA_TEXT_JTI, "1");
	is(SPOA_TEXT_SID, "s1");
	is(SPOA_TEXT_CNF_JKT, JKT);
	is(SPOA_TEXT_CNF_X5T, X5T);
	ck_assert(span_is(spoa_caller_iss(caller, config), "https://a"));
	ck_assert_ptr_eq(role_now(), &config->roles[0]);
	ck_assert_int_eq(caller->exp, 30);
	ck_assert_int_eq(caller->nbf, 20);
	ck_assert_int_eq(caller->iat, 10);
	ck_assert_uint_eq(caller->key, 77);
	ck_assert_uint_ne(caller->subject, 0);
	ck_assert_uint_eq(caller->provider, 0);
	ck_assert(caller->bound);
}
END_TEST

START_TEST(issuer_of_its_own)
{
	/* An iss that is not the provider's text (a tenant's) is kept as it is. */
	(void)pack(json_object());
	is(SPOA_TEXT_ISS, "");
	claims.iss = SPAN("https://tenant");
	ASSERT_REASON(spoa_caller_pack(config, &claims, caller), BASE_REASON_OK);
	ck_assert(span_is(spoa_caller_iss(caller, config), "https://tenant"));
}
END_TEST

START_TEST(nothing)
{
	/* What a token does not have is empty; nobody's role is none. */
	ASSERT_REASON(pack(json_object()), BASE_REASON_OK);
	is(SPOA_TEXT_SID, "");
	is(SPOA_TEXT_CNF_JKT, "");
	is(SPOA_TEXT_AUDIENCES, "");
	ck_assert_ptr_null(role_now());
	ck_assert(!caller->bound);
	ck_assert(!spoa_caller_is_for(caller, &config->rules[0]));
}
END_TEST

START_TEST(confirmations)
{
	/* A cnf that nobody understands still says that the token is bound; a wrong one is a mistake. */
	(void)pack(json_pack("{s:{s:s}}", "cnf", "kid", "other"));
	ck_assert(caller->bound);
	is(SPOA_TEXT_CNF_JKT, "");
	ASSERT_REASON(pack(json_pack("{s:s}", "cnf", "text")), BASE_REASON_CLAIMS_MALFORMED);
	ASSERT_REASON(pack(json_pack("{s:{s:i}}", "cnf", "jkt", 7)), BASE_REASON_CLAIMS_MALFORMED);
	is(SPOA_TEXT_CNF_JKT, "");
}
END_TEST

static const struct {
	const char *aud;
	bool ours;
} AUDIENCES[] = {
	{"\"api\"", true},
	{"[\"api\"]", true},
	{"[\"x\", \"api\"]", true},
	{"[\"api\", \"x\"]", true},
	{"\"apis\"", false},
	{"\"ap\"", false},
	{"[\"x\", \"y\"]", false},
	{"[\"a\", \"pi\"]", false},
};

START_TEST(audiences)
{
	/* One of the token's audiences is the provider's, whole: neither a part nor two together. */
	json_t *json = json_object();

	json_object_set_new(json, "aud", json_loads(AUDIENCES[_i].aud, JSON_DECODE_ANY, NULL));
	ASSERT_REASON(pack(json), BASE_REASON_OK);
	ck_assert_int_eq(spoa_caller_is_for(caller, &config->rules[0]), AUDIENCES[_i].ours);
}
END_TEST

START_TEST(exports)
{
	/* Exported claims keep type and order; what cannot go is NULL. */
	static const enum spop_type WANT[] = {SPOP_STR, SPOP_INT64, SPOP_BOOL, SPOP_STR, SPOP_NULL};
	struct rd values;

	(void)pack(json_pack(
		"{s:s, s:i, s:b, s:[s]}", "email", "a@b", "level", -7, "vip", 1, "groups", "x"));
	values = rd_span(spoa_caller_text(caller, SPOA_TEXT_EXPORTS));
	for (size_t i = 0; i < ARRAY_SIZE(WANT); i++) {
		struct spop_data value;

		spop_data_parse(&values, &value);
		ck_assert_int_eq(value.type, WANT[i]);
	}
	ck_assert(!values.bad);
	ck_assert_uint_eq(rd_left(&values), 0);
}
END_TEST

START_TEST(subjects)
{
	/* A subject is who, and who says so. */
	uint64_t subject;

	(void)pack(json_object());
	subject = caller->subject;
	claims.exp = 31;
	ASSERT_REASON(spoa_caller_pack(config, &claims, caller), BASE_REASON_OK);
	ck_assert_uint_eq(caller->subject, subject);
	claims.iss = SPAN("https://b");
	ASSERT_REASON(spoa_caller_pack(config, &claims, caller), BASE_REASON_OK);
	ck_assert_uint_ne(caller->subject, subject);
}
END_TEST

START_TEST(limits)
{
	/* Texts up to 65535 bytes fit and come out whole; one byte more is refused and leaves nothing. */
	char *text = calloc(1, UINT16_MAX + 2);
	size_t others;

	(void)pack(json_object());
	others = caller->end[SPOA_TEXTS - 1] - claims.scope.n;
	memset(text, 's', UINT16_MAX + 1);
	claims.scope = (struct span){.p = text, .n = UINT16_MAX - others};
	ASSERT_REASON(spoa_caller_pack(config, &claims, caller), BASE_REASON_OK);
	ck_assert(span_eq(spoa_caller_text(caller, SPOA_TEXT_SCOPE), claims.scope));
	is(SPOA_TEXT_JTI, "1");
	ck_assert_uint_le(spoa_caller_size(caller), SPOA_CALLER_MAX);
	claims.scope.n++;
	ASSERT_REASON(spoa_caller_pack(config, &claims, caller), BASE_REASON_CLAIMS_MALFORMED);
	is(SPOA_TEXT_SUB, "");
	ck_assert_ptr_null(role_now());
	free(text);
}
END_TEST

Suite *suite_caller(void)
{
	Suite *suite = suite_create("caller");
	TCase *tc = tcase_create("caller");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, whole);
	tcase_add_test(tc, issuer_of_its_own);
	tcase_add_test(tc, nothing);
	tcase_add_test(tc, confirmations);
	tcase_add_loop_test(tc, audiences, 0, ARRAY_SIZE(AUDIENCES));
	tcase_add_test(tc, exports);
	tcase_add_test(tc, subjects);
	tcase_add_test(tc, limits);
	suite_add_tcase(suite, tc);
	return suite;
}
