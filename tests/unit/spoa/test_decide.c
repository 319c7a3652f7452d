#include "tests/unit/spoa/suites.h"

#include "tests/unit/spoa/count.h"
#include "tests/unit/spoa/help.h"

#include <stdio.h>

/* Times on the monotonic clock; it is HELP_NOW. */
#define NOW_NS   (1000 * (uint64_t)NS_PER_S)
#define RECEIVED (NOW_NS - (uint64_t)NS_PER_MS)
#define OLD      (RECEIVED - 1)
#define NEW      RECEIVED
#define LATER    (NOW_NS + 1)
#define IN_FILE  UINT64_MAX
#define NEVER    UINT64_MAX

/* The providers as a mask. */
#define A 1u
#define B 2u
#define C 4u

/* Three providers: a takes ES256, b EdDSA, c both. Two roles; "later" has no number yet. */
static const char CONFIG[] =
	HELP_HEAD "providers:\n"
		  "  - {name: a, issuer: 'https://a', audiences: [api], algorithms: [ES256],\n"
		  "     types: [jwt], max_lifetime: 2h, max_token_size: 2KiB}\n"
		  "  - {name: b, issuer: 'https://b', audiences: [api], algorithms: [EdDSA],\n"
		  "     max_lifetime: 0, leeway: 10s, max_token_size: 2KiB}\n"
		  "  - {name: c, issuer: 'https://c', audiences: [api],\n"
		  "     algorithms: [ES256, EdDSA], max_token_size: 2KiB}\n"
		  "roles:\n"
		  "  - {name: admin, when: [{claim: role, equals: admin}], labels: [role=admin],\n"
		  "     number: 200, route: be_admin}\n"
		  "  - {name: batch, when: [{claim: role, equals: batch}], labels: [role=batch],\n"
		  "     number: 201, kill_on_expiry: true}\n"
		  "  - {name: later, when: [{claim: role, equals: later}], labels: [role=later]}\n";

static struct spoa_config *config;
static struct spoa_snapshot *snapshot;
static struct spoa_state state;

static const struct test_key *es256(void)
{
	return test_key_of(TOKEN_ES256);
}

static const struct test_key *eddsa(void)
{
	return test_key_of(TOKEN_EDDSA);
}

static void setup(void)
{
	config = help_config(CONFIG);
	snapshot = help_snapshot(config);
	ck_assert_int_eq(spoa_state_init(&state, HELP_CACHE), 0);
	/* All fetched after the request came: what is unknown now is unknown for good. */
	help_key(snapshot, 0, es256(), "k", HELP_NOW.mono_ns);
	help_key(snapshot, 1, eddsa(), "k", HELP_NOW.mono_ns);
	help_key(snapshot, 2, test_key_of(TOKEN_ES256), "c", HELP_NOW.mono_ns);
}

static void teardown(void)
{
	spoa_state_done(&state);
	spoa_snapshot_unref(snapshot);
	spoa_config_unref(config);
}

static uint64_t ask(const char *token, struct spoa_decision *ret)
{
	struct spoa_request request = {.token = span_of(token)};

	struct spoa_need need = {0};

	if (spoa_decide(snapshot, &state, &request, RECEIVED, &HELP_NOW, &need, ret))
		return 0;
	ck_assert((need.unknown == 0) != (need.doubted == 0));
	return need.unknown | need.doubted;
}

static struct spoa_decision decide(char *token)
{
	struct spoa_decision decision;

	ck_assert_uint_eq(ask(token, &decision), 0);
	free(token);
	return decision;
}

/* The verdict always follows from the reason's HTTP status. */
static void expect(char *token, enum base_reason reason)
{
	struct spoa_decision decision = decide(token);
	int status = base_reason_status(reason);

	ASSERT_REASON(decision.reason, reason);
	ck_assert_int_eq(decision.verdict, status == 200   ? SPOA_ALLOW
					   : status == 503 ? SPOA_ERROR
							   : SPOA_DENY);
	ck_assert_int_eq(decision.valid, reason == BASE_REASON_OK || reason == BASE_REASON_NO_ROLE);
	ck_assert_int_eq(decision.role != NULL, reason == BASE_REASON_OK);
	ck_assert_int_eq(decision.binding.identity != 0, reason == BASE_REASON_OK);
}

static const struct {
	const char *changes;
	enum base_reason reason;
} CLAIMS[] = {
	{"{}", BASE_REASON_OK},
	{"{\"iss\": \"https://c\"}", BASE_REASON_ISSUER_MISMATCH},
	{"{\"aud\": \"other\"}", BASE_REASON_AUDIENCE_MISMATCH},
	{"{\"aud\": null}", BASE_REASON_AUDIENCE_MISMATCH},
	{"{\"exp\": null}", BASE_REASON_EXPIRY_MISSING},
	{"{\"exp\": 1799999000}", BASE_REASON_EXPIRED},
	{"{\"nbf\": 1800001000}", BASE_REASON_NOT_YET_VALID},
	{"{\"iat\": 1800001000}", BASE_REASON_ISSUED_IN_FUTURE},
	{"{\"exp\": 1800009000}", BASE_REASON_LIFETIME_TOO_LONG},
	{"{\"sub\": 7}", BASE_REASON_CLAIMS_MALFORMED},
	{"{\"role\": \"nobody\"}", BASE_REASON_NO_ROLE},
};

START_TEST(claims)
{
	/* A signed token gets the reason that its claims deserve. */
	expect(help_token(es256(), "k", CLAIMS[_i].changes), CLAIMS[_i].reason);
}
END_TEST

static const struct {
	const char *header;
	enum base_reason reason;
} HEADERS[] = {
	{"{\"alg\":\"ES256\",\"kid\":\"k\"}", BASE_REASON_OK},
	{"{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"JWT\"}", BASE_REASON_OK},
	{"{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"logout+jwt\"}", BASE_REASON_TYP_NOT_ALLOWED},
	{"{\"alg\":\"ES256\",\"kid\":\"other\"}", BASE_REASON_KEY_UNKNOWN},
	{"{\"alg\":\"ES384\",\"kid\":\"k\"}", BASE_REASON_ALG_NOT_ALLOWED},
	{"{\"alg\":\"none\"}", BASE_REASON_ALG_NOT_ALLOWED},
	{"{\"alg\":\"ES256\",\"kid\":\"k\",\"crit\":[\"b64\"]}", BASE_REASON_CRIT_UNSUPPORTED},
	{"{\"alg\":\"ES256\",\"alg\":\"ES256\"}", BASE_REASON_HEADER_MALFORMED},
	{"{\"alg\":7}", BASE_REASON_HEADER_MALFORMED},
};

START_TEST(headers)
{
	/* A token's header gets the reason that it deserves. */
	expect(test_sign(es256(), HEADERS[_i].header,
		       "{\"iss\":\"https://a\",\"aud\":\"api\",\"sub\":\"s\",\"role\":\"admin\","
		       "\"iat\":1800000000,\"exp\":1800003600}"),
		HEADERS[_i].reason);
}
END_TEST

START_TEST(texts)
{
	/* What is no token, too large, encrypted or signed by somebody else is told apart. */
	struct test_key *stranger = test_key_new(TOKEN_ES256);

	expect(strdup("garbage"), BASE_REASON_TOKEN_MALFORMED);
	expect(strdup("a.b"), BASE_REASON_TOKEN_MALFORMED);
	expect(strdup("eyJhbGciOiJFUzI1NiJ9.a.b.c.d"), BASE_REASON_TOKEN_ENCRYPTED);
	expect(help_token(stranger, "k", NULL), BASE_REASON_SIGNATURE_INVALID);
	test_key_free(stranger);
}
END_TEST

START_TEST(too_large)
{
	/* A token longer than every provider allows is too large, one byte less is not. */
	char changes[2200];
	char fill[2100];
	char *token;
	size_t n;

	memset(fill, 'x', sizeof(fill));
	fill[1000] = '\0';
	snprintf(changes, sizeof(changes), "{\"x\": \"%s\"}", fill);
	token = help_token(es256(), "k", changes);
	n = strlen(token);
	free(token);
	ck_assert_uint_lt(n, 2048);
	fill[1000] = 'x';
	fill[1000 + (2048 - n) * 3 / 4] = '\0';
	snprintf(changes, sizeof(changes), "{\"x\": \"%s\"}", fill);
	token = help_token(es256(), "k", changes);
	ck_assert_uint_le(strlen(token), 2048);
	ck_assert_uint_ge(strlen(token), 2046);
	expect(token, BASE_REASON_OK);
	memset(fill, 'x', sizeof(fill));
	fill[1006 + (2048 - n) * 3 / 4] = '\0';
	snprintf(changes, sizeof(changes), "{\"x\": \"%s\"}", fill);
	expect(help_token(es256(), "k", changes), BASE_REASON_TOKEN_TOO_LARGE);
}
END_TEST

static const struct {
	const char *token, *scheme;
	enum base_reason reason;
} SCHEMES[] = {
	{NULL, NULL, BASE_REASON_NO_TOKEN},
	{"", "", BASE_REASON_NO_TOKEN},
	/* A header without a token in it is no absent header. */
	{NULL, "Bearer", BASE_REASON_TOKEN_MALFORMED},
	{NULL, "dpop", BASE_REASON_TOKEN_MALFORMED},
	{NULL, "Basic", BASE_REASON_SCHEME_UNSUPPORTED},
	{"", "Bearer\tx", BASE_REASON_SCHEME_UNSUPPORTED},
	{"x", NULL, BASE_REASON_TOKEN_MALFORMED},
	{"x", "Bearer", BASE_REASON_TOKEN_MALFORMED},
	{"x", "bearer", BASE_REASON_TOKEN_MALFORMED},
	{"x", "BEARER", BASE_REASON_TOKEN_MALFORMED},
	{"x", "bEaReR", BASE_REASON_TOKEN_MALFORMED},
	{"x", "Basic", BASE_REASON_SCHEME_UNSUPPORTED},
	{"x", "DPoP", BASE_REASON_TOKEN_MALFORMED},
	{"x", "dpop", BASE_REASON_TOKEN_MALFORMED},
	{"x", "DPo", BASE_REASON_SCHEME_UNSUPPORTED},
	{"x", "Bearer ", BASE_REASON_SCHEME_UNSUPPORTED},
	{"x", "Beare", BASE_REASON_SCHEME_UNSUPPORTED},
};

START_TEST(schemes)
{
	/* Bearer and DPoP in any case or no scheme at all is looked at, other schemes are not. */
	struct spoa_request request = {
		.token = span_of(SCHEMES[_i].token), .scheme = span_of(SCHEMES[_i].scheme)};
	struct spoa_decision decision;
	struct spoa_need need;

	ck_assert(spoa_decide(snapshot, &state, &request, RECEIVED, &HELP_NOW, &need, &decision));
	ASSERT_REASON(decision.reason, SCHEMES[_i].reason);
	ck_assert(!decision.valid);
}
END_TEST

#define SENT_NOW (HELP_NOW_S * 1000000)
#define DEADLINE 150000 /* the default, in microseconds */

static const struct {
	int64_t sent;
	enum base_reason reason;
} SENT[] = {
	{0, BASE_REASON_NO_TOKEN}, /* not said */
	{SENT_NOW, BASE_REASON_NO_TOKEN},
	{SENT_NOW - DEADLINE, BASE_REASON_NO_TOKEN},
	{SENT_NOW - DEADLINE - 1, BASE_REASON_TOO_LATE},
	{SENT_NOW - 3600000000, BASE_REASON_TOO_LATE},
	{1, BASE_REASON_TOO_LATE},
	{SENT_NOW + 1, BASE_REASON_NO_TOKEN}, /* HAProxy's clock, or ours, was set meanwhile */
	{INT64_MAX, BASE_REASON_NO_TOKEN},
};

START_TEST(late)
{
	/* A request that HAProxy sent longer ago than the deadline is refused unseen. */
	struct spoa_request request = {.sent = SENT[_i].sent};
	struct spoa_decision decision;
	struct spoa_need need;

	ck_assert(spoa_decide(snapshot, &state, &request, RECEIVED, &HELP_NOW, &need, &decision));
	ASSERT_REASON(decision.reason, SENT[_i].reason);
}
END_TEST

/* Ages of a, b and c; a token with an unknown key id and this algorithm. */
static const struct {
	uint64_t fetched[3], refresh[3];
	enum token_alg alg;
	uint64_t mask;
	enum base_reason reason; /* when the mask is 0 */
} NEEDS[] = {
	/* Everything is newer than the request: the key is unknown. */
	{{NEW, NEW, NEW}, {0, 0, 0}, TOKEN_ES256, 0, BASE_REASON_KEY_UNKNOWN},
	{{NEW, NEW, NEW}, {LATER, LATER, LATER}, TOKEN_ES256, 0, BASE_REASON_KEY_UNKNOWN},
	/* Only providers that allow the algorithm are asked. */
	{{OLD, OLD, OLD}, {0, 0, 0}, TOKEN_ES256, A | C, 0},
	{{OLD, OLD, OLD}, {0, 0, 0}, TOKEN_EDDSA, B | C, 0},
	{{OLD, OLD, NEW}, {0, 0, 0}, TOKEN_ES256, A, 0},
	{{NEW, OLD, NEW}, {0, 0, 0}, TOKEN_ES256, 0, BASE_REASON_KEY_UNKNOWN},
	{{NEW, OLD, NEW}, {0, LATER, 0}, TOKEN_ES256, 0, BASE_REASON_KEY_UNKNOWN},
	/* Exactly now is time enough. */
	{{OLD, NEW, NEW}, {NOW_NS, 0, 0}, TOKEN_ES256, A, 0},
	/* One that may not be asked yet: not the caller's fault. */
	{{OLD, NEW, NEW}, {LATER, 0, 0}, TOKEN_ES256, 0, BASE_REASON_KEYS_UNAVAILABLE},
	{{OLD, NEW, OLD}, {LATER, 0, LATER}, TOKEN_ES256, 0, BASE_REASON_KEYS_UNAVAILABLE},
	{{OLD, NEW, OLD}, {LATER, 0, 0}, TOKEN_ES256, C, 0},
	/* Files are always current. */
	{{IN_FILE, IN_FILE, IN_FILE}, {NEVER, NEVER, NEVER}, TOKEN_ES256, 0,
		BASE_REASON_KEY_UNKNOWN},
	{{IN_FILE, NEW, OLD}, {NEVER, 0, 0}, TOKEN_ES256, C, 0},
	/* A set that was remembered: fetched at no time of this boot. */
	{{0, NEW, NEW}, {0, 0, 0}, TOKEN_ES256, A, 0},
};

static void set_ages(const uint64_t fetched[3], const uint64_t refresh[3])
{
	for (size_t i = 0; i < 3; i++)
		snapshot->ages[i] = (struct spoa_keys_age){
			.fetched_at = fetched[i], .refresh_from = refresh[i]};
}

START_TEST(needs)
{
	/* An unknown key id asks exactly the providers whose keys may be too old, or says why not. */
	const struct test_key *key = NEEDS[_i].alg == TOKEN_ES256 ? es256() : eddsa();
	char *token = help_token(key, "nobody's", NULL);
	struct spoa_decision decision = {.reason = BASE_REASON_COUNT};

	set_ages(NEEDS[_i].fetched, NEEDS[_i].refresh);
	ck_assert_uint_eq(ask(token, &decision), NEEDS[_i].mask);
	if (NEEDS[_i].mask)
		ck_assert_int_eq(decision.reason, BASE_REASON_COUNT); /* untouched */
	else
		ASSERT_REASON(decision.reason, NEEDS[_i].reason);
	free(token);
}
END_TEST

START_TEST(repeated)
{
	/* A key id that was asked for and not found is unknown at once when it comes again, for a while. */
	struct spoa_decision decision;
	struct spoa_request request;
	struct spoa_need need = {0};
	cleanup(free) char *token = help_token(es256(), "made-up", "{}");
	uint64_t at = RECEIVED;

	request = (struct spoa_request){.token = span_of(token)};
	snapshot->ages[0].fetched_at = snapshot->ages[2].fetched_at = OLD;
	ck_assert(!spoa_decide(snapshot, &state, &request, at, &HELP_NOW, &need, &decision));
	ck_assert_uint_eq(need.unknown, A | C);
	snapshot->ages[0].fetched_at = snapshot->ages[2].fetched_at = at + 1;
	ck_assert(spoa_decide(snapshot, &state, &request, at, &HELP_NOW, &need, &decision));
	ASSERT_REASON(decision.reason, BASE_REASON_KEY_UNKNOWN);
	/* Came later than the keys: nobody is asked again. */
	ck_assert(spoa_decide(snapshot, &state, &request, at + 1000, &HELP_NOW, &need, &decision));
	ASSERT_REASON(decision.reason, BASE_REASON_KEY_UNKNOWN);
	/* Much later they are. */
	ck_assert(!spoa_decide(
		snapshot, &state, &request, at + SPOA_UNKNOWN_NS, &HELP_NOW, &need, &decision));
}
END_TEST

START_TEST(one_by_one)
{
	/* A provider of one file for each key: it is asked for this id, and its word is about it alone. */
	static const char KID[] = "01234567-89ab-cdef-0123-456789abcdef";
	struct spoa_decision decision;
	struct spoa_need need = {0};
	cleanup(free) char *token = help_token(es256(), KID, "{}");
	cleanup(free) char *other = help_token(es256(), "k9", "{}");
	struct spoa_request request = {.token = span_of(token)};
	struct spoa_request odd = {.token = span_of(other)};
	struct spoa_absent *absent = calloc(SPOA_ABSENT, sizeof(*absent));

	token_keyset_unref(snapshot->issuers[2].keys);
	snapshot->issuers[2].keys = NULL;
	snapshot->ages[2] = (struct spoa_keys_age){.absent = absent, .fetched_at = NEW};
	ck_assert(!spoa_decide(snapshot, &state, &request, RECEIVED, &HELP_NOW, &need, &decision));
	ck_assert_uint_eq(need.unknown, C);
	ck_assert_str_eq(need.kid, KID);
	memcpy(absent[3].kid, "11111111-89ab-cdef-0123-456789abcdef", 37);
	absent[3].asked_at = NEW;
	ck_assert(!spoa_decide(snapshot, &state, &request, RECEIVED, &HELP_NOW, &need, &decision));
	memcpy(absent[5].kid, KID, sizeof(KID));
	absent[5].asked_at = OLD;
	ck_assert(!spoa_decide(snapshot, &state, &request, RECEIVED, &HELP_NOW, &need, &decision));
	absent[5].asked_at = NEW;
	ck_assert(spoa_decide(snapshot, &state, &request, RECEIVED, &HELP_NOW, &need, &decision));
	ASSERT_REASON(decision.reason, BASE_REASON_KEY_UNKNOWN);
	/* An id of another shape is nothing that it could have. */
	ck_assert(spoa_decide(snapshot, &state, &odd, RECEIVED, &HELP_NOW, &need, &decision));
	ASSERT_REASON(decision.reason, BASE_REASON_KEY_UNKNOWN);
}
END_TEST

START_TEST(doubted)
{
	/* A signature that no key made asks for newer keys, where that is allowed, and else is a 401. */
	static const uint64_t ALL_OLD[3] = {OLD, OLD, OLD}, NOT_YET[3] = {LATER, LATER, LATER};
	const struct test_key *other = test_key_new(TOKEN_ES256);
	char *token = help_token(other, "k", NULL);
	struct spoa_request request = {.token = span_of(token)};
	struct spoa_decision decision = {0};
	struct spoa_need need = {0};

	set_ages(ALL_OLD, NOT_YET);
	for (size_t i = 0; i < 3; i++)
		snapshot->ages[i].recheck_from = i == 0 ? 0 : LATER;
	ck_assert(!spoa_decide(snapshot, &state, &request, RECEIVED, &HELP_NOW, &need, &decision));
	ck_assert_uint_eq(need.doubted, A);
	ck_assert_uint_eq(need.unknown, 0);
	snapshot->ages[0].recheck_from = LATER;
	ck_assert(spoa_decide(snapshot, &state, &request, RECEIVED, &HELP_NOW, &need, &decision));
	ASSERT_REASON(decision.reason, BASE_REASON_SIGNATURE_INVALID);
	free(token);
	test_key_free((struct test_key *)other);
}
END_TEST

START_TEST(no_keys)
{
	/* A provider without keys is asked for them; if that is not possible it is a 503, never a 401. */
	static const uint64_t NONE[3] = {0, NEW, 0};
	char *token = help_token(es256(), "k", NULL);
	struct spoa_decision decision;
	uint64_t refresh[3] = {0, 0, 0};

	token_keyset_unref(TAKE_PTR(snapshot->issuers[0].keys));
	token_keyset_unref(TAKE_PTR(snapshot->issuers[2].keys));
	set_ages(NONE, refresh);
	ck_assert_uint_eq(ask(token, &decision), A | C);
	refresh[0] = LATER;
	set_ages(NONE, refresh);
	ck_assert_uint_eq(ask(token, &decision), C);
	refresh[2] = NEVER; /* a file that could not be read */
	set_ages(NONE, refresh);
	expect(token, BASE_REASON_KEYS_UNAVAILABLE);
}
END_TEST

START_TEST(known_key_needs_nobody)
{
	/* A token whose key is there is decided at once, however old the keys are. */
	static const uint64_t OLDEST[3] = {0, 0, 0}, NO[3] = {NEVER, NEVER, NEVER};

	set_ages(OLDEST, NO);
	expect(help_token(es256(), "k", NULL), BASE_REASON_OK);
	set_ages(OLDEST, OLDEST);
	expect(help_token(es256(), "k", NULL), BASE_REASON_OK);
	expect(help_token(es256(), "k", "{\"exp\": 1700000000}"), BASE_REASON_EXPIRED);
}
END_TEST

START_TEST(unparsable_needs_nobody)
{
	/* What is no token causes no fetch, however old the keys are. */
	static const uint64_t OLDEST[3] = {0, 0, 0};

	set_ages(OLDEST, OLDEST);
	expect(strdup("a.b.c"), BASE_REASON_TOKEN_MALFORMED);
	expect(test_sign(es256(), "{\"alg\":\"RS256\",\"kid\":\"x\"}", "{}"),
		BASE_REASON_ALG_NOT_ALLOWED);
}
END_TEST

START_TEST(too_large_for_one)
{
	/* A provider that would not take so long a token is not asked for keys because of it. */
	static const uint64_t AGES[3] = {0, 0, 0}, REFRESH[3] = {LATER, 0, 0};
	struct spoa_decision decision;
	char changes[1600];
	char fill[1500];
	char *token;

	memset(fill, 'x', sizeof(fill) - 1);
	fill[sizeof(fill) - 1] = '\0';
	snprintf(changes, sizeof(changes), "{\"x\": \"%s\"}", fill);
	token = help_token(es256(), "nobody's", changes);
	snapshot->issuers[2].rules.max_bytes = 8192;
	set_ages(AGES, REFRESH);
	ck_assert_uint_gt(strlen(token), 2048);
	ck_assert_uint_eq(ask(token, &decision), C);
	snapshot->ages[2].fetched_at = NEW;
	expect(token, BASE_REASON_KEY_UNKNOWN);
}
END_TEST

START_TEST(binding)
{
	/* What the kernel is to know: the role's number, the end on the boot clock with leeway. */
	struct spoa_decision decision = decide(help_token(es256(), "k", NULL));

	ASSERT_REASON(decision.reason, BASE_REASON_OK);
	ck_assert_uint_eq(decision.binding.identity, 200);
	ck_assert_uint_ne(decision.binding.subject, 0);
	/* leeway's default: 30s; the clocks' difference is rounded to 17 ms */
	ck_assert_uint_ge(
		decision.binding.expires, HELP_NOW.boot_ns + (uint64_t)NS_PER_S * (3600 + 30));
	ck_assert_uint_lt(decision.binding.expires,
		HELP_NOW.boot_ns + (uint64_t)NS_PER_S * (3600 + 30) + (1 << 24));
	ck_assert(!decision.binding.kill);
	ck_assert_str_eq(decision.role->name, "admin");
	ck_assert_str_eq(decision.role->route, "be_admin");
}
END_TEST

START_TEST(binding_in_leeway)
{
	/* A token past its exp and within leeway still ends in the future, at the same moment. */
	struct spoa_decision decision = decide(help_token(es256(), "k", "{\"exp\": 1799999990}"));

	ASSERT_REASON(decision.reason, BASE_REASON_OK);
	ck_assert_uint_ge(decision.binding.expires, HELP_NOW.boot_ns + (uint64_t)NS_PER_S * 20);
	ck_assert_uint_lt(
		decision.binding.expires, HELP_NOW.boot_ns + (uint64_t)NS_PER_S * 20 + (1 << 24));
}
END_TEST

START_TEST(binding_far_future)
{
	/* An exp at the end of all times never wraps into an earlier one. */
	static const char *const EXP[] = {"253402300799", "20246744073", "18446744073"};

	for (size_t i = 0; i < ARRAY_SIZE(EXP); i++) {
		struct spoa_decision decision;
		char changes[80];

		snprintf(changes, sizeof(changes), "{\"iss\": \"https://b\", \"exp\": %s}", EXP[i]);
		decision = decide(help_token(eddsa(), "k", changes));
		ASSERT_REASON(decision.reason, BASE_REASON_OK);
		ck_assert_uint_gt(decision.binding.expires,
			HELP_NOW.boot_ns + (uint64_t)NS_PER_S * UINT64_C(16000000000));
	}
}
END_TEST

START_TEST(kill)
{
	/* The connection ends with the token if it is a tunnel or the role says so. */
	static const struct {
		const char *role;
		bool tunnel, kill;
	} CASES[] = {{"admin", false, false}, {"admin", true, true}, {"batch", false, true},
		{"batch", true, true}};

	for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
		struct spoa_request request = {.tunnel = CASES[i].tunnel};
		struct spoa_decision decision;
		struct spoa_need need;
		char changes[80];
		char *token;

		snprintf(changes, sizeof(changes), "{\"role\": \"%s\"}", CASES[i].role);
		token = help_token(es256(), "k", changes);
		request.token = span_of(token);
		ck_assert(spoa_decide(
			snapshot, &state, &request, RECEIVED, &HELP_NOW, &need, &decision));
		ck_assert_int_eq(decision.binding.kill, CASES[i].kill);
		free(token);
	}
}
END_TEST

static uint64_t subject(const struct test_key *key, const char *kid, const char *changes)
{
	struct spoa_decision decision = decide(help_token(key, kid, changes));
	uint64_t s = decision.binding.subject;

	ASSERT_REASON(decision.reason, BASE_REASON_OK);
	return s;
}

START_TEST(subjects)
{
	/* A subject is who, and who says so: equal for the same two, else different. */
	uint64_t base = subject(es256(), "k", NULL);
	uint64_t all[] = {
		base,
		subject(es256(), "k", "{\"sub\": \"t\"}"),
		subject(es256(), "k", "{\"sub\": null}"),
		subject(es256(), "c", "{\"iss\": \"https://c\"}"),
		subject(eddsa(), "k", "{\"iss\": \"https://b\"}"),
		subject(es256(), "k", "{\"sub\": \"as\"}"),
	};

	ck_assert_uint_eq(base, subject(es256(), "k", NULL));
	ck_assert_uint_eq(base, subject(es256(), "k", "{\"role\": \"batch\", \"jti\": \"1\"}"));
	ck_assert_uint_eq(base, subject(es256(), "k", "{\"exp\": 1800001000}"));
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(all[i], all[j]);
}
END_TEST

START_TEST(longest_subject)
{
	/* iss and sub of the greatest length that a token may carry are hashed whole. */
	char changes[TOKEN_TEXT_MAX + 100];
	char sub[TOKEN_TEXT_MAX + 1];
	uint64_t first, second;

	for (size_t i = 0; i < 3; i++)
		snapshot->issuers[i].rules.max_bytes = 8192;
	memset(sub, 's', TOKEN_TEXT_MAX);
	sub[TOKEN_TEXT_MAX] = '\0';
	snprintf(changes, sizeof(changes), "{\"sub\": \"%s\"}", sub);
	first = subject(es256(), "k", changes);
	sub[TOKEN_TEXT_MAX - 1] = 't';
	snprintf(changes, sizeof(changes), "{\"sub\": \"%s\"}", sub);
	second = subject(es256(), "k", changes);
	ck_assert_uint_ne(first, second);
}
END_TEST

START_TEST(twice)
{
	/* Deciding the same NOTIFY twice, at the other agent too, is the same decision. */
	char *token = help_token(es256(), "k", NULL);
	struct spoa_decision first, second;
	struct spoa_need need;
	struct spoa_state other;

	ck_assert_int_eq(spoa_state_init(&other, HELP_CACHE), 0);
	for (int i = 0; i < 3; i++) {
		struct spoa_request request = {.token = span_of(token)};

		ck_assert_uint_eq(ask(token, &first), 0);
		ck_assert(spoa_decide(
			snapshot, &other, &request, RECEIVED, &HELP_NOW, &need, &second));
		ck_assert_int_eq(first.reason, second.reason);
		ck_assert_int_eq(first.verdict, SPOA_ALLOW);
		ck_assert_ptr_eq(first.role, second.role);
		ck_assert_uint_eq(first.binding.subject, second.binding.subject);
		ck_assert_uint_eq(first.binding.expires, second.binding.expires);
		ck_assert_uint_eq(spoa_caller_size(first.caller), spoa_caller_size(second.caller));
		ck_assert_mem_eq(first.caller, second.caller, spoa_caller_size(first.caller));
	}
	spoa_state_done(&other);
	free(token);
}
END_TEST

/* Decides at another time, or after something changed; was it remembered? */
static bool remembered(const char *token, enum base_reason reason, const struct base_now *now)
{
	struct spoa_request request = {.token = span_of(token)};
	struct spoa_decision decision;
	struct spoa_need need;

	ck_assert(spoa_decide(snapshot, &state, &request, RECEIVED, now, &need, &decision));
	ASSERT_REASON(decision.reason, reason);
	return decision.remembered;
}

START_TEST(second_time)
{
	/* A valid token is verified once, another token anew, and one that is not valid each time. */
	char *token = help_token(es256(), "k", NULL);
	char *other = help_token(es256(), "k", "{\"jti\": \"2\"}");
	char *nobody = help_token(es256(), "k", "{\"role\": \"nobody\"}");
	char *bad = help_token(es256(), "k", "{\"exp\": 1799999000}");

	ck_assert(!remembered(token, BASE_REASON_OK, &HELP_NOW));
	ck_assert(remembered(token, BASE_REASON_OK, &HELP_NOW));
	ck_assert(!remembered(other, BASE_REASON_OK, &HELP_NOW));
	ck_assert(!remembered(nobody, BASE_REASON_NO_ROLE, &HELP_NOW));
	ck_assert(remembered(nobody, BASE_REASON_NO_ROLE, &HELP_NOW));
	for (int i = 0; i < 2; i++)
		ck_assert(!remembered(bad, BASE_REASON_EXPIRED, &HELP_NOW));
	token[strlen(token) - 2] = token[strlen(token) - 2] == 'A' ? 'B' : 'A';
	ck_assert(!remembered(token, BASE_REASON_SIGNATURE_INVALID, &HELP_NOW));
	free(token);
	free(other);
	free(nobody);
	free(bad);
}
END_TEST

START_TEST(remembered_expires)
{
	/* A remembered token ends at exp and leeway, to the second, and is not yet valid when the clock goes back. */
	char *token = help_token(es256(), "k", "{\"nbf\": 1800000000}");
	struct base_now now = HELP_NOW;

	ck_assert(!remembered(token, BASE_REASON_OK, &now));
	now.wall_ns += (3600 + 30) * NS_PER_S - 1; /* leeway's default: 30s */
	ck_assert(remembered(token, BASE_REASON_OK, &now));
	now.wall_ns += 1;
	ck_assert(remembered(token, BASE_REASON_EXPIRED, &now));
	now.wall_ns = HELP_NOW.wall_ns - 31 * NS_PER_S;
	ck_assert(remembered(token, BASE_REASON_NOT_YET_VALID, &now));
	free(token);
}
END_TEST

START_TEST(key_gone)
{
	/* When a provider's keys change, what was verified by a key that is gone is not remembered; the rest is. */
	char *of_a = help_token(es256(), "k", NULL);
	char *of_b = help_token(eddsa(), "k", "{\"iss\": \"https://b\"}");
	struct test_key *other = test_key_new(TOKEN_ES256);

	ck_assert(!remembered(of_a, BASE_REASON_OK, &HELP_NOW));
	ck_assert(!remembered(of_b, BASE_REASON_OK, &HELP_NOW));
	/* The same key in a new set. */
	help_key(snapshot, 0, es256(), "k", HELP_NOW.mono_ns);
	ck_assert(remembered(of_a, BASE_REASON_OK, &HELP_NOW));
	/* Another key under the same id. */
	help_key(snapshot, 0, other, "k", HELP_NOW.mono_ns);
	ck_assert(!remembered(of_a, BASE_REASON_SIGNATURE_INVALID, &HELP_NOW));
	ck_assert(remembered(of_b, BASE_REASON_OK, &HELP_NOW));
	/* The same key under another id. */
	help_key(snapshot, 0, es256(), "l", HELP_NOW.mono_ns);
	ck_assert(!remembered(of_a, BASE_REASON_KEY_UNKNOWN, &HELP_NOW));
	/* No keys at all. */
	token_keyset_unref(TAKE_PTR(snapshot->issuers[0].keys));
	snapshot->ages[0].refresh_from = NEVER;
	snapshot->ages[0].fetched_at = 0;
	ck_assert(!remembered(of_a, BASE_REASON_KEYS_UNAVAILABLE, &HELP_NOW));
	ck_assert(remembered(of_b, BASE_REASON_OK, &HELP_NOW));
	free(of_a);
	free(of_b);
	test_key_free(other);
}
END_TEST

START_TEST(other_configuration)
{
	/* A new configuration remembers nothing of the old one: its roles and rules are others. */
	static const char OTHER[] = HELP_HEAD
		"providers:\n"
		"  - {name: a, issuer: 'https://a', audiences: [api], algorithms: [ES256]}\n"
		"roles:\n"
		"  - {name: other, when: [{claim: role, equals: admin}], labels: [role=other],\n"
		"     number: 222}\n";
	char *token = help_token(es256(), "k", NULL);

	ck_assert(!remembered(token, BASE_REASON_OK, &HELP_NOW));
	spoa_snapshot_unref(snapshot);
	spoa_config_unref(config);
	config = help_config(OTHER);
	snapshot = help_snapshot(config);
	help_key(snapshot, 0, es256(), "k", HELP_NOW.mono_ns);
	ck_assert(!remembered(token, BASE_REASON_OK, &HELP_NOW));
	ck_assert(remembered(token, BASE_REASON_OK, &HELP_NOW));
	free(token);
}
END_TEST

/* A token whose hash is found by its bytes. */
static char *hot_token(void)
{
	char *token = help_token(es256(), "k", NULL);
	uint8_t hash[TOKEN_HASH_BYTES];

	ck_assert(!remembered(token, BASE_REASON_OK, &HELP_NOW));
	ck_assert(!spoa_memo_find(state.memo, span_of(token), hash));
	ck_assert(remembered(token, BASE_REASON_OK, &HELP_NOW));
	ck_assert(spoa_memo_find(state.memo, span_of(token), hash));
	ck_assert(remembered(token, BASE_REASON_OK, &HELP_NOW));
	return token;
}

START_TEST(hot_forged)
{
	/* Of a token that is found by its bytes, every character counts: no other is taken for it. */
	cleanup(free) char *token = hot_token();

	for (size_t i = 0; i < strlen(token); i++) {
		struct spoa_request request = {.token = span_of(token)};
		struct spoa_decision decision;
		struct spoa_need need;

		token[i] ^= 1;
		if (spoa_decide(
			    snapshot, &state, &request, RECEIVED, &HELP_NOW, &need, &decision) &&
			(decision.verdict == SPOA_ALLOW || decision.remembered))
			ck_abort_msg("character %zu", i);
		token[i] ^= 1;
	}
	ck_assert(remembered(token, BASE_REASON_OK, &HELP_NOW));
}
END_TEST

START_TEST(hot_ends)
{
	/* A token that is found by its bytes is judged as any other: clock, audience, revocation. */
	cleanup(free) char *token = hot_token();
	cleanup(token_revocations) struct token_revocations *list = token_revocations_new(10);
	struct token_revocation all = {
		.fields = {[TOKEN_REVOKE_ISS] = SPAN("https://a")},
		.issued_before = HELP_NOW.wall_ns / NS_PER_S + 10,
		.expires = INT64_MAX,
		.id = 1,
	};
	struct base_now over = HELP_NOW;

	over.wall_ns += (3600 + 30) * NS_PER_S;
	ck_assert(remembered(token, BASE_REASON_EXPIRED, &over));
	snapshot->config->rules[0].n_audiences = 0;
	ck_assert(remembered(token, BASE_REASON_AUDIENCE_MISMATCH, &HELP_NOW));
	snapshot->config->rules[0].n_audiences = 1;
	snapshot->revocations = token_revocations_ref(list);
	ck_assert(remembered(token, BASE_REASON_OK, &HELP_NOW));
	ck_assert_int_eq(token_revocations_add(list, &all, HELP_NOW.wall_ns / NS_PER_S), 0);
	ck_assert(remembered(token, BASE_REASON_REVOKED, &HELP_NOW));
}
END_TEST

START_TEST(hot_key_gone)
{
	/* When its key is gone, or the configuration is another, a token found by its bytes is verified anew. */
	cleanup(free) char *token = hot_token();

	help_key(snapshot, 0, es256(), "l", HELP_NOW.mono_ns);
	ck_assert(!remembered(token, BASE_REASON_KEY_UNKNOWN, &HELP_NOW));
	help_key(snapshot, 0, es256(), "k", HELP_NOW.mono_ns);
	ck_assert(remembered(token, BASE_REASON_OK, &HELP_NOW));
	spoa_snapshot_unref(snapshot);
	spoa_config_unref(config);
	config = help_config(CONFIG);
	snapshot = help_snapshot(config);
	help_key(snapshot, 0, es256(), "k", HELP_NOW.mono_ns);
	ck_assert(!remembered(token, BASE_REASON_OK, &HELP_NOW));
}
END_TEST

START_TEST(no_memory_for_tokens)
{
	/* With a cache of 0 bytes every token is verified every time. */
	char *token = help_token(es256(), "k", NULL);

	spoa_state_done(&state);
	ck_assert_int_eq(spoa_state_init(&state, 0), 0);
	for (int i = 0; i < 3; i++)
		ck_assert(!remembered(token, BASE_REASON_OK, &HELP_NOW));
	free(token);
}
END_TEST

START_TEST(allocates_nothing)
{
	/* A decision about a token that was seen before allocates nothing; one about a new token does. */
	char *token = help_token(es256(), "k", NULL);
	struct spoa_request request = {.token = span_of(token)};
	struct spoa_decision decision;
	struct spoa_need need;
	size_t before;
	int ok = 0;

	before = count_allocations();
	ck_assert(spoa_decide(snapshot, &state, &request, RECEIVED, &HELP_NOW, &need, &decision));
	ck_assert_uint_gt(count_allocations(), before + 10);
	before = count_allocations();
	for (int i = 0; i < 1000; i++)
		ok += spoa_decide(
			      snapshot, &state, &request, RECEIVED, &HELP_NOW, &need, &decision) &&
		      decision.remembered;
	before = count_allocations() - before;
	ck_assert_uint_eq(before, 0);
	ck_assert_int_eq(ok, 1000);
	free(token);
}
END_TEST

START_TEST(failing)
{
	/* A decision turned into an error keeps nothing of the identity but whom to log. */
	struct spoa_decision decision = decide(help_token(es256(), "k", NULL));

	spoa_decision_fail(&decision, BASE_REASON_MAP_FULL);
	ASSERT_REASON(decision.reason, BASE_REASON_MAP_FULL);
	ck_assert_int_eq(decision.verdict, SPOA_ERROR);
	ck_assert(!decision.valid);
	ck_assert_ptr_nonnull(decision.caller);
	ck_assert_ptr_null(decision.role);
	ck_assert_uint_eq(decision.binding.identity, 0);
}
END_TEST

START_TEST(every_reason)
{
	/* A decision of every reason has the verdict of its status, and only OK allows. */
	for (unsigned r = 0; r < BASE_REASON_COUNT; r++) {
		struct spoa_decision d = spoa_decision_of((enum base_reason)r);
		int status = base_reason_status(d.reason);

		ck_assert_int_eq(d.verdict == SPOA_ALLOW, r == BASE_REASON_OK);
		ck_assert_int_eq(d.verdict == SPOA_ERROR, status == 503);
		ck_assert_int_eq(d.verdict == SPOA_DENY, status == 401 || status == 403);
	}
	ck_assert_str_eq(spoa_verdict_name(SPOA_ALLOW), "allow");
	ck_assert_str_eq(spoa_verdict_name(SPOA_DENY), "deny");
	ck_assert_str_eq(spoa_verdict_name(SPOA_ERROR), "error");
}
END_TEST

Suite *suite_decide(void)
{
	Suite *suite = suite_create("decide");
	TCase *tc = tcase_create("decide");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, claims, 0, ARRAY_SIZE(CLAIMS));
	tcase_add_loop_test(tc, headers, 0, ARRAY_SIZE(HEADERS));
	tcase_add_test(tc, texts);
	tcase_add_test(tc, too_large);
	tcase_add_loop_test(tc, schemes, 0, ARRAY_SIZE(SCHEMES));
	tcase_add_loop_test(tc, late, 0, ARRAY_SIZE(SENT));
	tcase_add_loop_test(tc, needs, 0, ARRAY_SIZE(NEEDS));
	tcase_add_test(tc, doubted);
	tcase_add_test(tc, no_keys);
	tcase_add_test(tc, repeated);
	tcase_add_test(tc, one_by_one);
	tcase_add_test(tc, known_key_needs_nobody);
	tcase_add_test(tc, unparsable_needs_nobody);
	tcase_add_test(tc, too_large_for_one);
	tcase_add_test(tc, binding);
	tcase_add_test(tc, binding_in_leeway);
	tcase_add_test(tc, binding_far_future);
	tcase_add_test(tc, kill);
	tcase_add_test(tc, subjects);
	tcase_add_test(tc, longest_subject);
	tcase_add_test(tc, twice);
	tcase_add_test(tc, second_time);
	tcase_add_test(tc, remembered_expires);
	tcase_add_test(tc, key_gone);
	tcase_add_test(tc, other_configuration);
	tcase_add_test(tc, hot_forged);
	tcase_add_test(tc, hot_ends);
	tcase_add_test(tc, hot_key_gone);
	tcase_add_test(tc, no_memory_for_tokens);
	tcase_add_test(tc, allocates_nothing);
	tcase_add_test(tc, failing);
	tcase_add_test(tc, every_reason);
	suite_add_tcase(suite, tc);
	return suite;
}
