/* Stages proof and revoked, through spoa_decide: rows 33, 34 and 13 of the attack table. */
#include "tests/unit/spoa/suites.h"

#include "tests/unit/spoa/help.h"
#include "token/cnf.h"
#include "token/json.h"
#include "token/thumbprint.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#define PROVIDER(more)                                                                             \
	HELP_HEAD                                                                                  \
	"providers:\n"                                                                             \
	"  - {name: a, issuer: 'https://a', audiences: [api], algorithms: [ES256]" more "}\n"      \
	"roles:\n"                                                                                 \
	"  - {name: admin, labels: [role=admin], number: 200}\n"

#define CERT "a certificate"

static struct spoa_config *config;
static struct spoa_snapshot *snapshot;
static struct spoa_state state;
static struct spoa_guard *guard;
static struct token_revocations *revocations;
static struct test_key *holder; /* of the key that tokens are bound to */
static char jkt[TOKEN_THUMBPRINT_CHARS + 1];
static char x5t[TOKEN_THUMBPRINT_CHARS + 1];
static struct base_now now;
static struct spoa_decision decision;

static void start(const char *yaml)
{
	cleanup(json) json_t *jwk = NULL;
	char why[STORE_WHY];
	unsigned char hash[SHA256_DIGEST_LENGTH];
	char *text;

	config = help_config(yaml);
	snapshot = help_snapshot(config);
	ck_assert_int_eq(spoa_state_init(&state, HELP_CACHE), 0);
	ck_assert_int_eq(spoa_guard_new(1024, NULL, &guard, why), 0);
	revocations = token_revocations_new(100);
	snapshot->guard = guard;
	snapshot->revocations = token_revocations_ref(revocations);
	help_key(snapshot, 0, test_key_of(TOKEN_ES256), "k", UINT64_MAX);
	holder = test_key_new(TOKEN_ES256);
	jwk = test_key_jwk(holder, NULL);
	ck_assert_int_eq(token_thumbprint(jwk, jkt), 0);
	SHA256((const unsigned char *)CERT, strlen(CERT), hash);
	text = test_b64((struct span){(char *)hash, sizeof(hash)});
	memcpy(x5t, text, sizeof(x5t));
	free(text);
	now = HELP_NOW;
}

static void stop(void)
{
	spoa_state_done(&state);
	spoa_snapshot_unref(snapshot);
	spoa_config_unref(config);
	token_revocations_unref(revocations);
	spoa_guard_free(guard);
	test_key_free(holder);
}

/* A token (malloc) bound to the holder's key, to CERT, to both or to something else. */
static char *token_bound(bool key, bool cert, const char *other)
{
	char changes[512];

	snprintf(changes, sizeof(changes), "{\"cnf\":{%s%s%s%s%s%s%s%s}}", key ? "\"jkt\":\"" : "",
		key ? jkt : "", key ? "\"" : "", key && cert ? "," : "",
		cert ? "\"x5t#S256\":\"" : "", cert ? x5t : "", cert ? "\"" : "",
		other ? other : "");
	return help_token(test_key_of(TOKEN_ES256), "k", key || cert || other ? changes : "{}");
}

/* A proof (malloc) of key for GET https://h/p with this token. */
static char *proof_of(
	const struct test_key *key, const char *token, const char *jti, const char *nonce)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	cleanup(free) char *ath = NULL;
	cleanup(free) char *header = NULL;
	cleanup(free) char *claims = NULL;
	cleanup(json) json_t *h = json_pack("{s:s, s:s, s:o}", "typ", "dpop+jwt", "alg", "ES256",
		"jwk", test_key_jwk(key, NULL));
	cleanup(json) json_t *c = NULL;

	SHA256((const unsigned char *)token, strlen(token), hash);
	ath = test_b64((struct span){(char *)hash, sizeof(hash)});
	c = json_pack("{s:s, s:s, s:s, s:I, s:s, s:s*}", "jti", jti, "htm", "GET", "htu",
		"https://h/p", "iat", (json_int_t)base_clock_wall_s(&now), "ath", ath, "nonce",
		nonce);
	header = json_dumps(h, JSON_COMPACT);
	claims = json_dumps(c, JSON_COMPACT);
	return test_sign(key, header, claims);
}

static struct spoa_state *asked = &state; /* the worker that is asked */

/* Decides; proof and cert may be NULL. */
static enum base_reason ask(const char *token, const char *scheme, const char *proof,
	const char *cert, const char *reqid)
{
	struct spoa_request request = {
		.token = span_of(token),
		.scheme = span_of(scheme),
		.dpop = span_of(proof),
		.cert = span_of(cert),
		.method = SPAN("GET"),
		.host = SPAN("h"),
		.path = SPAN("/p"),
		.https = true,
		.reqid = span_of(reqid),
	};
	struct spoa_need need;

	ck_assert(spoa_decide(snapshot, asked, &request, 1, &now, &need, &decision));
	if (decision.reason != BASE_REASON_OK)
		ck_assert(decision.verdict != SPOA_ALLOW && !decision.valid && !decision.role);
	return decision.reason;
}

START_TEST(key)
{
	/* Goal: row 33: a bound token needs its scheme, a proof, and the proof its own key. */
	cleanup(free) char *bound = NULL;
	cleanup(free) char *plain = NULL;
	cleanup(free) char *proof = NULL;
	cleanup(free) char *stolen = NULL;
	struct test_key *thief = test_key_new(TOKEN_ES256);

	start(PROVIDER(""));
	bound = token_bound(true, false, NULL);
	plain = token_bound(false, false, NULL);
	proof = proof_of(holder, bound, "1", NULL);
	stolen = proof_of(thief, bound, "1", NULL);
	ASSERT_REASON(ask(bound, "DPoP", proof, NULL, "r"), BASE_REASON_OK);
	ASSERT_REASON(ask(bound, "Bearer", NULL, NULL, "r"), BASE_REASON_DPOP_AS_BEARER);
	ASSERT_REASON(ask(bound, "Bearer", proof, NULL, "r"), BASE_REASON_DPOP_AS_BEARER);
	ASSERT_REASON(ask(bound, NULL, proof, NULL, "r"), BASE_REASON_DPOP_AS_BEARER);
	ASSERT_REASON(ask(bound, "dpop", NULL, NULL, "r"), BASE_REASON_DPOP_MISSING);
	ASSERT_REASON(ask(bound, "DPoP", stolen, NULL, "r"), BASE_REASON_DPOP_INVALID);
	ck_assert_str_eq(decision.why, "the token is bound to another key");
	ASSERT_REASON(ask(plain, "DPoP", proof, NULL, "r"), BASE_REASON_DPOP_UNBOUND);
	ASSERT_REASON(ask(plain, "Bearer", NULL, NULL, "r"), BASE_REASON_OK);
	ck_assert_str_eq(decision.nonce, "");
	test_key_free(thief);
	stop();
}
END_TEST

START_TEST(replay)
{
	/* Goal: row 33: the same proof in another request is a replay; HAProxy asking again is not. */
	cleanup(free) char *token = NULL;
	cleanup(free) char *proof = NULL;

	start(PROVIDER(""));
	token = token_bound(true, false, NULL);
	proof = proof_of(holder, token, "1", NULL);
	ASSERT_REASON(ask(token, "DPoP", proof, NULL, "r1"), BASE_REASON_OK);
	ASSERT_REASON(ask(token, "DPoP", proof, NULL, "r1"), BASE_REASON_OK);
	ASSERT_REASON(ask(token, "DPoP", proof, NULL, "r2"), BASE_REASON_DPOP_REPLAYED);
	ASSERT_REASON(ask(token, "DPoP", proof, NULL, NULL), BASE_REASON_DPOP_REPLAYED);
	/* For as long as it is young enough, and no longer good afterwards. */
	now.wall_ns += 60 * NS_PER_S;
	ASSERT_REASON(ask(token, "DPoP", proof, NULL, "r2"), BASE_REASON_DPOP_REPLAYED);
	now.wall_ns += NS_PER_S;
	ASSERT_REASON(ask(token, "DPoP", proof, NULL, "r2"), BASE_REASON_DPOP_INVALID);
	stop();
}
END_TEST

START_TEST(unnamed)
{
	/* Goal: without a reqid, another worker's NOTIFY is another request, also in the same instant. */
	cleanup(free) char *token = NULL;
	cleanup(free) char *proof = NULL;
	struct spoa_state other;

	start(PROVIDER(""));
	ck_assert_int_eq(spoa_state_init(&other, HELP_CACHE), 0);
	token = token_bound(true, false, NULL);
	proof = proof_of(holder, token, "1", NULL);
	ASSERT_REASON(ask(token, "DPoP", proof, NULL, NULL), BASE_REASON_OK);
	/* Parked and decided again. */
	ASSERT_REASON(ask(token, "DPoP", proof, NULL, NULL), BASE_REASON_OK);
	asked = &other;
	ASSERT_REASON(ask(token, "DPoP", proof, NULL, NULL), BASE_REASON_DPOP_REPLAYED);
	asked = &state;
	spoa_state_done(&other);
	stop();
}
END_TEST

START_TEST(replay_full)
{
	/* Goal: without room to remember a proof there is an error, not an ALLOW. */
	cleanup(free) char *token = NULL;
	char why[STORE_WHY];

	start(PROVIDER(""));
	spoa_guard_free(guard);
	ck_assert_int_eq(spoa_guard_new(1, NULL, &guard, why), 0);
	snapshot->guard = guard;
	token = token_bound(true, false, NULL);
	for (unsigned i = 0; i < 100000; i++) {
		unsigned char id[TOKEN_REPLAY_ID];

		SHA256((unsigned char *)&i, sizeof(i), id);
		(void)token_replay_note(guard->replay, id, 1, HELP_NOW_S + 60, HELP_NOW_S);
	}
	cleanup(free) char *proof = proof_of(holder, token, "1", NULL);

	ASSERT_REASON(ask(token, "DPoP", proof, NULL, "r"), BASE_REASON_REPLAY_FULL);
	ck_assert_int_eq(decision.verdict, SPOA_ERROR);
	stop();
}
END_TEST

START_TEST(nonce)
{
	/* Goal: row 33: with dpop_nonce a proof without ours is asked for again, and told which. */
	char given[TOKEN_NONCE_CHARS + 1];
	cleanup(free) char *token = NULL;
	cleanup(free) char *without = NULL;
	cleanup(free) char *wrong = NULL;
	cleanup(free) char *with = NULL;

	start(PROVIDER(", dpop_nonce: true"));
	token = token_bound(true, false, NULL);
	without = proof_of(holder, token, "1", NULL);
	wrong = proof_of(holder, token, "1", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	ASSERT_REASON(ask(token, "DPoP", without, NULL, "r"), BASE_REASON_DPOP_NONCE);
	ASSERT_REASON(ask(token, "DPoP", wrong, NULL, "r"), BASE_REASON_DPOP_NONCE);
	memcpy(given, decision.nonce, sizeof(given));
	ck_assert_uint_eq(strlen(given), TOKEN_NONCE_CHARS);
	/* The proof that was refused was not used up. */
	with = proof_of(holder, token, "1", given);
	ASSERT_REASON(ask(token, "DPoP", with, NULL, "r"), BASE_REASON_OK);
	ck_assert_str_eq(decision.nonce, given);
	stop();
}
END_TEST

START_TEST(policy)
{
	/* Goal: dpop: off knows no proof and no bound token; required wants every token bound. */
	cleanup(free) char *bound = NULL;
	cleanup(free) char *plain = NULL;
	cleanup(free) char *proof = NULL;

	start(PROVIDER(", dpop: off"));
	bound = token_bound(true, false, NULL);
	plain = token_bound(false, false, NULL);
	proof = proof_of(holder, bound, "1", NULL);
	ASSERT_REASON(ask(bound, "DPoP", proof, NULL, "r"), BASE_REASON_SCHEME_UNSUPPORTED);
	ASSERT_REASON(ask(bound, "Bearer", NULL, NULL, "r"), BASE_REASON_DPOP_AS_BEARER);
	ASSERT_REASON(ask(plain, "Bearer", NULL, NULL, "r"), BASE_REASON_OK);
	stop();
	free(bound);
	free(proof);
	start(PROVIDER(", dpop: required"));
	bound = token_bound(true, false, NULL);
	proof = proof_of(holder, bound, "1", NULL);
	ASSERT_REASON(ask(plain, "Bearer", NULL, NULL, "r"), BASE_REASON_DPOP_UNBOUND);
	ASSERT_REASON(ask(bound, "DPoP", proof, NULL, "r"), BASE_REASON_OK);
	stop();
}
END_TEST

START_TEST(certificate)
{
	/* Goal: row 34: the certificate must be there and be the one, each time. */
	cleanup(free) char *bound = NULL;
	cleanup(free) char *both = NULL;
	cleanup(free) char *proof = NULL;
	cleanup(free) char *plain = NULL;

	start(PROVIDER(""));
	bound = token_bound(false, true, NULL);
	both = token_bound(true, true, NULL);
	plain = token_bound(false, false, NULL);
	proof = proof_of(holder, both, "1", NULL);
	for (int again = 0; again < 2; again++) {
		ASSERT_REASON(ask(bound, "Bearer", NULL, CERT, "r"), BASE_REASON_OK);
		ASSERT_REASON(ask(bound, "Bearer", NULL, NULL, "r"), BASE_REASON_CERT_MISSING);
		ASSERT_REASON(ask(bound, NULL, NULL, CERT "x", "r"), BASE_REASON_CERT_MISMATCH);
		/* Bound to both, it needs both. */
		ASSERT_REASON(ask(both, "DPoP", proof, CERT, "r"), BASE_REASON_OK);
		ASSERT_REASON(ask(both, "DPoP", proof, NULL, "r"), BASE_REASON_CERT_MISSING);
		ASSERT_REASON(ask(both, "Bearer", NULL, CERT, "r"), BASE_REASON_DPOP_AS_BEARER);
	}
	ASSERT_REASON(ask(plain, "Bearer", NULL, CERT, "r"), BASE_REASON_OK);
	stop();
	start(PROVIDER(", certificate_required: true"));
	ASSERT_REASON(ask(plain, "Bearer", NULL, CERT, "r"), BASE_REASON_CERT_MISMATCH);
	ASSERT_REASON(ask(plain, "Bearer", NULL, NULL, "r"), BASE_REASON_CERT_MISSING);
	ASSERT_REASON(ask(bound, "Bearer", NULL, CERT, "r"), BASE_REASON_OK);
	stop();
}
END_TEST

START_TEST(other_binding)
{
	/* Goal: rows 33, 34: a token bound to what nobody here can check is good for nobody. */
	cleanup(free) char *other = NULL;
	cleanup(free) char *broken = NULL;

	start(PROVIDER(""));
	other = token_bound(false, false, "\"kid\":\"x\"");
	broken = token_bound(false, false, "\"jkt\":7");
	ASSERT_REASON(ask(other, "Bearer", NULL, CERT, "r"), BASE_REASON_CNF_UNSUPPORTED);
	ASSERT_REASON(ask(broken, "Bearer", NULL, CERT, "r"), BASE_REASON_CLAIMS_MALFORMED);
	stop();
}
END_TEST

START_TEST(revoked)
{
	/* Goal: row 13: what is revoked is refused from the next request on, other tokens are not. */
	static const struct {
		enum token_revocation_field field;
		const char *value;
		enum base_reason reason;
	} CASES[] = {
		{TOKEN_REVOKE_ISS, "https://a", BASE_REASON_REVOKED},
		{TOKEN_REVOKE_SUB, "s", BASE_REASON_REVOKED},
		{TOKEN_REVOKE_SID, "session", BASE_REASON_REVOKED},
		{TOKEN_REVOKE_JTI, "j", BASE_REASON_REVOKED},
		{TOKEN_REVOKE_CLIENT, "app", BASE_REASON_REVOKED},
		{TOKEN_REVOKE_SUB, "t", BASE_REASON_OK},
		{TOKEN_REVOKE_JTI, "k", BASE_REASON_OK},
	};
	cleanup(free) char *token = NULL;

	start(PROVIDER(""));
	token = help_token(test_key_of(TOKEN_ES256), "k",
		"{\"sid\":\"session\",\"jti\":\"j\",\"azp\":\"app\"}");
	for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
		struct token_revocation what = {.id = (int64_t)i + 1, .expires = HELP_NOW_S + 9};

		what.fields[CASES[i].field] = span_of(CASES[i].value);
		ASSERT_REASON(ask(token, "Bearer", NULL, NULL, "r"), BASE_REASON_OK);
		ck_assert_int_eq(token_revocations_add(revocations, &what, HELP_NOW_S), 0);
		ASSERT_REASON(ask(token, "Bearer", NULL, NULL, "r"), CASES[i].reason);
		ck_assert(token_revocations_remove(revocations, what.id));
	}
	stop();
}
END_TEST

START_TEST(no_guard)
{
	/* Goal: promise 1: without what remembers proofs there is an error, not an ALLOW. */
	cleanup(free) char *token = NULL;
	cleanup(free) char *proof = NULL;

	start(PROVIDER(""));
	snapshot->guard = NULL;
	token = token_bound(true, false, NULL);
	proof = proof_of(holder, token, "1", NULL);
	ASSERT_REASON(ask(token, "DPoP", proof, NULL, "r"), BASE_REASON_INTERNAL);
	stop();
}
END_TEST

Suite *suite_proof(void)
{
	Suite *suite = suite_create("proof");
	TCase *tc = tcase_create("proof");

	tcase_add_test(tc, key);
	tcase_add_test(tc, replay);
	tcase_add_test(tc, unnamed);
	tcase_add_test(tc, replay_full);
	tcase_add_test(tc, nonce);
	tcase_add_test(tc, policy);
	tcase_add_test(tc, certificate);
	tcase_add_test(tc, other_binding);
	tcase_add_test(tc, revoked);
	tcase_add_test(tc, no_guard);
	suite_add_tcase(suite, tc);
	return suite;
}
