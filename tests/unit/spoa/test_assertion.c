/* Stage assertion through spoa_decide, and the secrets of HS256. */
#include "tests/unit/spoa/suites.h"

#include "spoa/secrets.h"
#include "tests/unit/spoa/help.h"
#include "token/b64.h"
#include "token/json.h"

#include <openssl/hmac.h>
#include <stdio.h>
#include <sys/stat.h>

#define SECRET "0123456789abcdef0123456789abcdef"

static char dir[64];
static char secret_path[80];
static struct spoa_config *config;
static struct spoa_snapshot *snapshot;
static struct spoa_state state;
static struct store *store;
static struct spoa_keyring *keyring;
static struct base_now now;
static struct spoa_decision decision;

static void start(const char *assertions)
{
	char yaml[2000];
	char path[80];
	char why[STORE_WHY];
	bool changed;

	help_mkdir(dir);
	snprintf(path, sizeof(path), "%s/store", dir);
	snprintf(secret_path, sizeof(secret_path), "%s/secret", dir);
	help_write(secret_path, SECRET "\n");
	ck_assert_int_eq(chmod(secret_path, 0600), 0);
	snprintf(yaml, sizeof(yaml),
		HELP_HEAD
		"exports: [email, level, vip, sub]\n"
		"providers:\n"
		"  - {name: a, issuer: 'https://a', audiences: [api], algorithms: [ES256]}\n"
		"roles:\n"
		"  - {name: admin, when: [{claim: role, equals: admin}], labels: [role=admin],\n"
		"     number: 200, route: be_admin, assertion: own}\n"
		"  - {name: user, labels: [role=user], number: 201}\n"
		"assertion: {issuer: 'https://edge'}\n"
		"assertions:\n%s",
		assertions);
	for (char *at; (at = strstr(yaml, "SECRETFILE"));) {
		char rest[1000];

		snprintf(rest, sizeof(rest), "%s", at + 10);
		sprintf(at, "%s%s", secret_path, rest);
	}
	config = help_config(yaml);
	snapshot = help_snapshot(config);
	ck_assert_int_eq(store_open(path, &store, why), 0);
	ck_assert_int_eq(spoa_keyring_new(store, &keyring, why), 0);
	ck_assert_int_eq(spoa_keyring_tick(keyring, config->conf, HELP_NOW_S, &changed, why), 0);
	snapshot->signers = spoa_signers_ref(spoa_keyring_signers(keyring));
	ck_assert_int_eq(spoa_state_init(&state, HELP_CACHE), 0);
	help_key(snapshot, 0, test_key_of(TOKEN_ES256), "k", UINT64_MAX);
	now = HELP_NOW;
}

static void stop(void)
{
	spoa_state_done(&state);
	spoa_snapshot_unref(snapshot);
	spoa_keyring_free(keyring);
	store_close(store);
	spoa_config_unref(config);
	help_rmdir(dir);
}

/* Decides over a token with these changes, for this service. */
static enum base_reason ask(const char *changes, const char *service)
{
	cleanup(free) char *token = help_token(test_key_of(TOKEN_ES256), "k", changes);
	struct spoa_request request = {.token = span_of(token), .service = span_of(service)};
	struct spoa_need need;

	ck_assert(spoa_decide(snapshot, &state, &request, 1, &now, &need, &decision));
	return decision.reason;
}

/* Part 0 or 1 of the assertion as JSON. */
static json_t *part(struct span token, size_t which)
{
	const char *p = token.p;
	char buf[8192];
	struct wr w = wr_of(buf, sizeof(buf));
	json_t *json;

	if (which)
		p = (const char *)memchr(p, '.', token.n) + 1;
	ck_assert_int_eq(token_b64_decode((struct span){p, strcspn(p, ".")}, &w), 0);
	json = json_loadb(buf, wr_len(&w), JSON_REJECT_DUPLICATES, NULL);
	ck_assert_ptr_nonnull(json);
	return json;
}

static void has(const json_t *claims, const char *name, const char *text)
{
	ck_assert_str_eq(json_string_value(json_object_get(claims, name)), text);
}

#define OWN "  - {name: own, audience: 'https://own', claims: [email, level, sub]}\n"

START_TEST(content)
{
	/* Goal: it says who called, for whom, until when; only what is configured is carried on. */
	cleanup(json) json_t *claims = NULL;
	cleanup(json) json_t *header = NULL;

	start(OWN);
	ASSERT_REASON(ask("{\"email\":\"a@b\",\"level\":7,\"vip\":true,\"azp\":\"app\"}", ""),
		BASE_REASON_OK);
	header = part(decision.assertion, 0);
	claims = part(decision.assertion, 1);
	has(header, "alg", "ES256");
	has(header, "kid",
		token_signer_kid(spoa_signers_at(snapshot->signers, TOKEN_ES256, HELP_NOW_S)));
	has(claims, "iss", "https://edge");
	has(claims, "aud", "https://own");
	has(claims, "sub", "s");
	has(claims, "idp", "https://a");
	has(claims, "client_id", "app");
	has(claims, "role", "admin");
	has(claims, "email", "a@b");
	ck_assert_int_eq(json_integer_value(json_object_get(claims, "level")), 7);
	ck_assert_ptr_null(json_object_get(claims, "vip"));
	ck_assert_int_eq(json_integer_value(json_object_get(claims, "iat")), HELP_NOW_S);
	ck_assert_int_eq(json_integer_value(json_object_get(claims, "exp")), HELP_NOW_S + 300);
	stop();
}
END_TEST

START_TEST(same_token)
{
	/* Goal: one token gets the very same assertion for half its life, then a new one. */
	cleanup(free) char *token = NULL;
	struct spoa_request request = {0};
	struct spoa_need need;
	char first[4096];

	start(OWN);
	token = help_token(test_key_of(TOKEN_ES256), "k", "{}");
	request.token = span_of(token);
	ck_assert(spoa_decide(snapshot, &state, &request, 1, &now, &need, &decision));
	snprintf(first, sizeof(first), "%.*s", SPAN_ARG(decision.assertion));
	now.wall_ns += 149 * NS_PER_S;
	ck_assert(spoa_decide(snapshot, &state, &request, 1, &now, &need, &decision));
	ck_assert(span_is(decision.assertion, first));
	now.wall_ns += NS_PER_S;
	ck_assert(spoa_decide(snapshot, &state, &request, 1, &now, &need, &decision));
	ck_assert(decision.assertion.n && !span_is(decision.assertion, first));
	stop();
}
END_TEST

START_TEST(no_longer_than_the_token)
{
	/* Goal: it ends with the caller's token and its leeway. */
	cleanup(json) json_t *claims = NULL;

	start(OWN);
	ASSERT_REASON(ask("{\"exp\":1800000020}", ""), BASE_REASON_OK);
	claims = part(decision.assertion, 1);
	ck_assert_int_eq(json_integer_value(json_object_get(claims, "exp")), HELP_NOW_S + 20 + 30);
	stop();
}
END_TEST

START_TEST(chosen)
{
	/* Goal: the role's own, else that of the final route, else none. */
	cleanup(json) json_t *claims = NULL;

	start(OWN "  - {name: api, audience: 'https://api', services: [be_x, be_api],\n"
		  "     algorithm: EdDSA}\n");
	ASSERT_REASON(ask("{}", "be_api"), BASE_REASON_OK);
	claims = part(decision.assertion, 1);
	has(claims, "aud", "https://own");
	json_decref(claims);
	ASSERT_REASON(ask("{\"role\":\"user\"}", "be_api"), BASE_REASON_OK);
	claims = part(decision.assertion, 1);
	has(claims, "aud", "https://api");
	ASSERT_REASON(ask("{\"role\":\"user\"}", "be_other"), BASE_REASON_OK);
	ck_assert_uint_eq(decision.assertion.n, 0);
	stop();
}
END_TEST

START_TEST(shared_secret)
{
	/* Goal: HS256 is made by the backend's secret, without the file's last newline. */
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	cleanup(free) char *want = NULL;
	const char *dot;

	start("  - {name: own, audience: o, algorithm: HS256, secret_file: 'SECRETFILE'}\n");
	ASSERT_REASON(ask("{}", ""), BASE_REASON_OK);
	dot = memrchr(decision.assertion.p, '.', decision.assertion.n);
	HMAC(EVP_sha256(), SECRET, 32, (const unsigned char *)decision.assertion.p,
		(size_t)(dot - decision.assertion.p), mac, &n);
	want = test_b64((struct span){(char *)mac, n});
	ck_assert_str_eq(dot + 1, want);
	stop();
}
END_TEST

START_TEST(unavailable)
{
	/* Goal: promise 1: without a key there is an error, not an ALLOW without the assertion. */
	start(OWN);
	spoa_signers_unref(TAKE_PTR(snapshot->signers));
	ASSERT_REASON(ask("{}", ""), BASE_REASON_ASSERTION_UNAVAILABLE);
	ck_assert_int_eq(decision.verdict, SPOA_ERROR);
	ck_assert_ptr_null(decision.role);
	ck_assert_uint_eq(decision.assertion.n, 0);
	/* Who needs none is not concerned. */
	ASSERT_REASON(ask("{\"role\":\"user\"}", ""), BASE_REASON_OK);
	stop();
}
END_TEST

static const struct {
	const char *text;
	mode_t mode;
	const char *why; /* NULL: good */
} SECRETS[] = {
	{SECRET, 0600, NULL},
	{SECRET "\n", 0640, NULL},
	{SECRET, 0604, "others may use it"},
	{"0123456789abcdef0123456789abcde\n", 0600, "shorter than 32"},
	{"", 0600, "shorter than 32"},
};

START_TEST(secret_files)
{
	/* Goal: a secret that others know or that is too short is a mistake, and says where. */
	struct conf_assertion assertion = {.name = (char *)"x", .pos = {3, 4}};
	struct conf conf = {.assertions = &assertion, .n_assertions = 1};
	struct base_diag diag;
	struct span *secrets = NULL;

	help_mkdir(dir);
	snprintf(secret_path, sizeof(secret_path), "%s/secret", dir);
	help_write(secret_path, SECRETS[_i].text);
	ck_assert_int_eq(chmod(secret_path, SECRETS[_i].mode), 0);
	assertion.secret_file = secret_path;
	base_diag_init(&diag, "f");
	ck_assert_int_eq(spoa_secrets_new(&conf, &diag, &secrets), 0);
	ck_assert_uint_eq(diag.n_found, SECRETS[_i].why ? 1 : 0);
	if (SECRETS[_i].why)
		ck_assert_msg(
			strstr(diag.items[0].text, SECRETS[_i].why), "%s", diag.items[0].text);
	else
		ck_assert(span_is(secrets[0], SECRET));
	spoa_secrets_free(secrets, 1);
	base_diag_done(&diag);
	help_rmdir(dir);
}
END_TEST

Suite *suite_assertion(void)
{
	Suite *suite = suite_create("assertion");
	TCase *tc = tcase_create("assertion");

	tcase_add_test(tc, content);
	tcase_add_test(tc, same_token);
	tcase_add_test(tc, no_longer_than_the_token);
	tcase_add_test(tc, chosen);
	tcase_add_test(tc, shared_secret);
	tcase_add_test(tc, unavailable);
	tcase_add_loop_test(tc, secret_files, 0, ARRAY_SIZE(SECRETS));
	suite_add_tcase(suite, tc);
	return suite;
}
