/* Opaque tokens through all stages: what a provider said about one becomes a decision, or not. */
#include "tests/unit/spoa/suites.h"

#include "spoa/results.h"
#include "tests/unit/spoa/help.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

/* t has a tenant in its name, p asks for no audience, s asks for a claim, v for a trust domain. */
static const char CONFIG[] =
	HELP_HEAD "providers:\n"
		  "  - {name: t, issuer: 'https://t/{tenantid}', audiences: [api], jwks_uri: "
		  "'https://t/keys',\n"
		  "     introspection: {url: 'https://t/ask', prefix: t_, client_id: me,\n"
		  "                     client_secret_file: %s/secret}}\n"
		  "  - {name: p, issuer: 'https://p', audiences: [api],\n"
		  "     introspection: {url: 'https://p/ask', prefix: p_, client_id: me,\n"
		  "                     client_secret_file: %s/secret, audience_required: false}}\n"
		  "  - {name: s, issuer: 'https://s', audiences: [api], require: [{claim: email, "
		  "exists: true}],\n"
		  "     introspection: {url: 'https://s/ask', prefix: s_, client_id: me,\n"
		  "                     client_secret_file: %s/secret}}\n"
		  "roles: [{name: r, labels: [a=b], number: 200}]\n";

static char dir[64];
static struct spoa_config *config;
static struct spoa_snapshot *snapshot;
static struct spoa_results *results;
static struct spoa_state state;

static void setup(void)
{
	char path[100];
	cleanup(free) char *yaml = NULL;

	help_mkdir(dir);
	snprintf(path, sizeof(path), "%s/secret", dir);
	help_write(path, "hush\n");
	ck_assert_int_gt(asprintf(&yaml, CONFIG, dir, dir, dir), 0);
	config = help_config(yaml);
	snapshot = help_snapshot(config);
	results = spoa_results_new();
	ck_assert_ptr_nonnull(results);
	ck_assert_int_eq(spoa_state_init(&state, HELP_CACHE), 0);
	state.results = results;
}

static void teardown(void)
{
	spoa_state_done(&state);
	spoa_results_free(results);
	spoa_snapshot_unref(snapshot);
	spoa_config_unref(config);
	help_rmdir(dir);
}

/* Provider i says this about the token, for a minute. */
static void say(size_t i, const char *token, const char *json)
{
	struct spoa_results_key key = {.origin = config->origins[i]};
	const struct spoa_result said = {
		.said = SPOA_SAID_ACTIVE,
		.until = HELP_NOW.boot_ns + 60 * (uint64_t)NS_PER_S,
		.good_till = HELP_NOW_S + 60,
		.json = span_of(json),
	};

	SHA256((const unsigned char *)token, strlen(token), key.hash);
	spoa_results_put(results, &key, &said);
}

static enum base_reason ask(const char *token)
{
	struct spoa_request request = {.token = span_of(token)};
	struct spoa_decision decision;
	struct spoa_need need = {0};

	if (!spoa_decide(snapshot, &state, &request, 1, &HELP_NOW, &need, &decision))
		return BASE_REASON_INTERNAL;
	ck_assert_int_eq(decision.verdict == SPOA_ALLOW, decision.reason == BASE_REASON_OK);
	return decision.reason;
}

#define T_ID "11111111-2222-3333-4444-555555555555"

static const struct {
	size_t provider;
	const char *token, *json;
	enum base_reason want;
} ANSWERS[] = {
	/* A name with a tenant in it is held to the tenant, and an answer without iss has none. */
	{0, "t_1",
		"{\"active\":true,\"aud\":\"api\",\"iss\":\"https://t/" T_ID "\",\"tid\":\"" T_ID
		"\"}",
		BASE_REASON_OK},
	{0, "t_2", "{\"active\":true,\"aud\":\"api\"}", BASE_REASON_ISSUER_MISMATCH},
	{0, "t_3", "{\"active\":true,\"aud\":\"api\",\"tid\":\"" T_ID "\"}",
		BASE_REASON_ISSUER_MISMATCH},
	{0, "t_4",
		"{\"active\":true,\"aud\":\"api\",\"iss\":\"https://t/other\",\"tid\":\"" T_ID
		"\"}",
		BASE_REASON_ISSUER_MISMATCH},
	/* No audience is enough only where the provider's rules say so, a wrong one nowhere. */
	{1, "p_1", "{\"active\":true}", BASE_REASON_OK},
	{1, "p_2", "{\"active\":true,\"aud\":\"api\"}", BASE_REASON_OK},
	{1, "p_3", "{\"active\":true,\"aud\":\"other\"}", BASE_REASON_AUDIENCE_MISMATCH},
	{1, "p_4", "{\"active\":true,\"aud\":[]}", BASE_REASON_CLAIMS_MALFORMED},
	{2, "s_1", "{\"active\":true,\"email\":\"e\"}", BASE_REASON_AUDIENCE_MISMATCH},
	/* What the provider asks of every token is asked of these, too. */
	{2, "s_2", "{\"active\":true,\"aud\":\"api\",\"email\":\"e\"}", BASE_REASON_OK},
	{2, "s_3", "{\"active\":true,\"aud\":\"api\"}", BASE_REASON_CLAIM_REQUIRED},
	/* The word of one provider says nothing about another's tokens. */
	{1, "s_4", "{\"active\":true,\"aud\":\"api\",\"email\":\"e\"}", BASE_REASON_INTERNAL},
	{0, "x_1", "{\"active\":true}", BASE_REASON_TOKEN_MALFORMED},
};

START_TEST(answers)
{
	/* Goal: an opaque token is allowed exactly where the rules of its own provider hold. */
	say(ANSWERS[_i].provider, ANSWERS[_i].token, ANSWERS[_i].json);
	ASSERT_REASON(ask(ANSWERS[_i].token), ANSWERS[_i].want);
	/* And the second time, when there is something that could be remembered. */
	ASSERT_REASON(ask(ANSWERS[_i].token), ANSWERS[_i].want);
}
END_TEST

START_TEST(ended)
{
	/* Goal: when its provider has ended it, a token that was good is refused at once. */
	struct spoa_results_key key = {.origin = config->origins[1]};

	say(1, "p_1", "{\"active\":true}");
	ASSERT_REASON(ask("p_1"), BASE_REASON_OK);
	SHA256((const unsigned char *)"p_1", 3, key.hash);
	spoa_results_put(results, &key,
		&(struct spoa_result){.said = SPOA_SAID_INACTIVE,
			.until = HELP_NOW.boot_ns + (uint64_t)NS_PER_S});
	ASSERT_REASON(ask("p_1"), BASE_REASON_TOKEN_INACTIVE);
}
END_TEST

Suite *suite_introspected(void)
{
	Suite *suite = suite_create("introspected");
	TCase *tc = tcase_create("introspected");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, answers, 0, ARRAY_SIZE(ANSWERS));
	tcase_add_test(tc, ended);
	suite_add_tcase(suite, tc);
	return suite;
}
