#include "tests/unit/spoa/suites.h"

#include "spoa/daemon.h"
#include "spoa/logout.h"
#include "tests/unit/spoa/help.h"
#include "token/purpose.h"

#include <stdio.h>
#include <stdlib.h>

/* Provider a takes logouts for "client", b takes none; both have the same key. */
#define CONFIG(more)                                                                               \
	HELP_HEAD                                                                                  \
	"providers:\n"                                                                             \
	"  - {name: a, issuer: 'https://a', audiences: [api], algorithms: [ES256],\n"              \
	"     jwks_file: /nonexistent, logout_audiences: [client]" more "}\n"                      \
	"  - {name: b, issuer: 'https://b', audiences: [api], algorithms: [ES256],\n"              \
	"     jwks_file: /nonexistent}\n"                                                          \
	"roles: [{name: admin, labels: [role=admin], number: 200}]\n"

static struct spoa_daemon *d;
static char dir[64];
static struct spoa_http_answer answer;

static void nothing(void *arg)
{
	(void)arg;
}

static void start(const char *yaml)
{
	const struct spoa_revoke_owner owner = {.changed = nothing};
	char path[80];
	char why[STORE_WHY];

	help_mkdir(dir);
	snprintf(path, sizeof(path), "%s/store", dir);
	d = calloc(1, sizeof(*d));
	d->loop = ev_loop_new(EVFLAG_AUTO);
	d->config = help_config(yaml);
	ck_assert_int_eq(store_open(path, &d->store, why), 0);
	ck_assert_int_eq(spoa_guard_new(64, d->store, &d->guard, why), 0);
	ck_assert_int_eq(spoa_revoke_new(d->store, 2, &owner, 1, &d->revoke, why), 0);
	d->token = token_ctx_new();
	d->keys = spoa_keys_new(d->loop, NULL, d->store, &d->metrics, nothing, NULL);
	ck_assert_int_eq(spoa_keys_configure(d->keys, d->config), 0);
	d->snapshot = help_snapshot(d->config);
	help_key(d->snapshot, 0, test_key_of(TOKEN_ES256), "k", UINT64_MAX);
	help_key(d->snapshot, 1, test_key_of(TOKEN_ES256), "k", UINT64_MAX);
}

static void stop(void)
{
	free(TAKE_PTR(answer.body));
	spoa_snapshot_unref(d->snapshot);
	spoa_keys_free(d->keys);
	token_ctx_free(d->token);
	spoa_revoke_free(d->revoke);
	spoa_guard_free(d->guard);
	store_close(d->store);
	spoa_config_unref(d->config);
	ev_loop_destroy(d->loop);
	free(d);
	help_rmdir(dir);
}

/* A good logout token (malloc) with these changes, see help_token. */
static char *logout_token(const struct test_key *key, const char *kid, const char *changes)
{
	json_t *claims = json_pack("{s:s, s:s, s:I, s:I, s:{s:{}}}", "iss", "https://a", "aud",
		"client", "iat", (json_int_t)time(NULL), "exp", (json_int_t)time(NULL) + 120,
		"events", TOKEN_LOGOUT_EVENT);
	json_t *other = json_loads(changes, 0, NULL);
	char *payload;
	char *token;

	ck_assert(claims && other);
	json_object_update(claims, other);
	payload = json_dumps(claims, JSON_COMPACT);
	token = test_token(key, kid, "logout+jwt", payload);
	free(payload);
	json_decref(claims);
	json_decref(other);
	return token;
}

/* Takes token; the HTTP status. */
static unsigned post(char *token, const char *content_type)
{
	char body[SPOA_LOGOUT_BODY];
	struct spoa_http_request request = {.content_type = content_type};

	snprintf(body, sizeof(body), "logout_token=%s", token);
	free(token);
	request.body = span_of(body);
	free(answer.body);
	answer = (struct spoa_http_answer){.status = 200};
	spoa_route_logout(d, &request, &answer);
	ck_assert_ptr_nonnull(answer.body);
	ck_assert_int_eq(answer.status == 200, !*answer.body);
	return answer.status;
}

#define FORM "application/x-www-form-urlencoded"

static unsigned log_out(const char *changes)
{
	return post(logout_token(test_key_of(TOKEN_ES256), "k", changes), FORM);
}

static bool is_revoked(const char *sub, const char *sid, int64_t age_s)
{
	struct token_revocable token = {
		.fields =
			{
				[TOKEN_REVOKE_ISS] = SPAN("https://a"),
				[TOKEN_REVOKE_SUB] = span_of(sub),
				[TOKEN_REVOKE_SID] = span_of(sid),
			},
		.iat = time(NULL) - age_s,
	};

	return token_revocations_match(spoa_revoke_list(d->revoke), &token, time(NULL)) != 0;
}

START_TEST(session)
{
	/* Goal: row 40: a sid ends that session, also what is issued in it later; not the subject. */
	start(CONFIG(""));
	ck_assert_uint_eq(log_out("{\"jti\":\"1\",\"sub\":\"s\",\"sid\":\"one\"}"), 200);
	ck_assert(is_revoked("s", "one", 10) && is_revoked("s", "one", -10));
	ck_assert(!is_revoked("s", "two", 10) && !is_revoked("s", "", 10));
	stop();
}
END_TEST

START_TEST(subject)
{
	/* Goal: without a sid, or with logout_subject, what the subject got before ends; a new login works. */
	start(CONFIG(""));
	ck_assert_uint_eq(log_out("{\"jti\":\"1\",\"sub\":\"s\"}"), 200);
	ck_assert(is_revoked("s", "", 10) && !is_revoked("t", "", 10));
	ck_assert(!is_revoked("s", "", -10));
	stop();
	start(CONFIG(", logout_subject: true"));
	ck_assert_uint_eq(log_out("{\"jti\":\"1\",\"sub\":\"s\",\"sid\":\"one\"}"), 200);
	ck_assert(is_revoked("s", "", 10) && !is_revoked("s", "one", -10));
	stop();
}
END_TEST

START_TEST(replayed)
{
	/* Goal: row 40: the same jti again is refused, and another issuer's is another. */
	start(CONFIG(""));
	ck_assert_uint_eq(log_out("{\"jti\":\"1\",\"sub\":\"s\"}"), 200);
	ck_assert_uint_eq(log_out("{\"jti\":\"1\",\"sub\":\"t\"}"), 400);
	ck_assert(!is_revoked("t", "", 10));
	ck_assert_uint_eq(log_out("{\"jti\":\"2\",\"sub\":\"t\"}"), 200);
	ck_assert_uint_eq(d->metrics.counters[SPOA_COUNT_LOGOUTS], 2);
	ck_assert_uint_eq(d->metrics.counters[SPOA_COUNT_LOGOUTS_REFUSED], 1);
	stop();
}
END_TEST

START_TEST(refused)
{
	/* Goal: what is no good token of a provider that may log out changes nothing. */
	struct test_key *other = NULL;

	start(CONFIG(""));
	other = test_key_new(TOKEN_ES256);
	ck_assert_uint_eq(log_out("{\"jti\":\"1\"}"), 400);
	ck_assert_uint_eq(log_out("{\"jti\":\"1\",\"sub\":\"s\",\"nonce\":\"n\"}"), 400);
	ck_assert_uint_eq(log_out("{\"jti\":\"1\",\"sub\":\"s\",\"aud\":\"api\"}"), 400);
	ck_assert_uint_eq(log_out("{\"jti\":\"1\",\"sub\":\"s\",\"iss\":\"https://b\"}"), 400);
	ck_assert_uint_eq(
		post(logout_token(other, "k", "{\"jti\":\"1\",\"sub\":\"s\"}"), FORM), 400);
	ck_assert_uint_eq(post(strdup("x"), FORM), 400);
	ck_assert_uint_eq(post(strdup("a&logout_token=b"), FORM), 400);
	ck_assert_uint_eq(
		post(logout_token(test_key_of(TOKEN_ES256), "k", "{\"jti\":\"1\",\"sub\":\"s\"}"),
			"application/json"),
		400);
	ck_assert_uint_eq(spoa_revoke_count(d->revoke, time(NULL)), 0);
	/* A key that is not known yet is not the provider's mistake. */
	ck_assert_uint_eq(
		post(logout_token(other, "new", "{\"jti\":\"1\",\"sub\":\"s\"}"), FORM), 503);
	ck_assert_ptr_nonnull(strstr(answer.body, "temporarily_unavailable"));
	test_key_free(other);
	stop();
}
END_TEST

START_TEST(full)
{
	/* Goal: what could not be stored is not acknowledged, and may be tried again. */
	char why[STORE_WHY];

	start(CONFIG(""));
	ck_assert_uint_eq(log_out("{\"jti\":\"1\",\"sub\":\"s1\"}"), 200);
	ck_assert_uint_eq(log_out("{\"jti\":\"2\",\"sub\":\"s2\"}"), 200);
	ck_assert_uint_eq(log_out("{\"jti\":\"3\",\"sub\":\"s3\"}"), 507);
	ck_assert(!is_revoked("s3", "", 10));
	ck_assert_int_eq(spoa_revoke_remove(d->revoke, 1, why), 0);
	ck_assert_uint_eq(log_out("{\"jti\":\"3\",\"sub\":\"s3\"}"), 200);
	ck_assert(is_revoked("s3", "", 10));
	stop();
}
END_TEST

Suite *suite_logout(void)
{
	Suite *suite = suite_create("logout");
	TCase *tc = tcase_create("logout");

	tcase_add_test(tc, session);
	tcase_add_test(tc, subject);
	tcase_add_test(tc, replayed);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, full);
	suite_add_tcase(suite, tc);
	return suite;
}
