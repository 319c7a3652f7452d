#include "tests/unit/spoa/suites.h"

#include "spoa/answer.h"
#include "tests/unit/spoa/help.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#define MAX_FRAME 16380

static const char CONFIG[] =
	HELP_HEAD HELP_ONE "challenge: {realm: the realm}\n"
			   "exports: [email, level, vip, groups, nothing, note, empty]\n";

/* The contract's variables that this version enables (docs/DESIGN.md), in any order. */
static const char *const CONTRACT[] = {"id", "mark", "labels", "role", "sub", "iss", "client_id",
	"scope", "actor", "exp", "route", "policy", "assertion", "challenge", "dpop_nonce",
	"srcaddr", "srcaddr6", "status", "reason", "verdict", "claim_email", "claim_level",
	"claim_vip", "claim_groups", "claim_nothing", "claim_note", "claim_empty"};

static struct spoa_config *config;
static struct spoa_decision decision;
static struct spoa_caller *caller; /* whom it is about */
static struct spoa_identity *identity;
static unsigned char buf[2 * MAX_FRAME];

static void setup(void)
{
	config = help_config(CONFIG);
	caller = malloc(SPOA_CALLER_MAX);
	decision = (struct spoa_decision){0};
}

static void teardown(void)
{
	free(caller);
	spoa_identity_unref(identity);
	identity = NULL;
	spoa_config_unref(config);
}

/* The labels and the number that the role has now. */
static void give_identity(void)
{
	spoa_identity_unref(identity);
	identity = spoa_identity_new(span_of(config->roles[0].labels), (struct span){0});
	identity->number = config->roles[0].number;
	decision.identity = identity;
}

/* A decision with this reason, and a valid token's claims where they go with it. */
static void make(enum base_reason reason, const char *email)
{
	cleanup(token_claims) struct token_claims claims = {
		.sub = SPAN("somebody"),
		.iss = SPAN("https://a"),
		.scope = SPAN("read write"),
		.actor = SPAN("agent"),
		.exp = HELP_NOW_S,
	};

	decision = spoa_decision_of(reason);
	if (reason != BASE_REASON_OK && reason != BASE_REASON_NO_ROLE)
		return;
	claims.claims = json_pack("{s:s%, s:i, s:b, s:[s], s:n, s:s, s:s}", "email", email,
		strlen(email), "level", -7, "vip", 1, "groups", "x", "nothing", "note", "a\nb",
		"empty", "");
	ck_assert_ptr_nonnull(claims.claims);
	ASSERT_REASON(spoa_caller_pack(config, &claims, caller), BASE_REASON_OK);
	decision.caller = caller;
	decision.valid = true;
	if (reason == BASE_REASON_OK) {
		decision.role = &config->roles[0];
		decision.names = span_of(decision.role->name);
		decision.sends = decision.role;
		decision.route = span_of(config->roles[0].route);
		give_identity();
	}
}

/* Answers, asserts one good frame of at most max_frame and every variable once, verdict last. */
static struct help_ack answer(uint32_t max_frame)
{
	struct wr w = wr_of(buf, sizeof(buf));
	struct spop_frame frame;
	struct help_ack ack;
	struct rd r;

	give_identity();
	ck_assert_int_eq(spoa_answer(&w, 77, 88, max_frame, config, &decision), 0);
	ck_assert_uint_le(wr_len(&w), (size_t)max_frame + SPOP_FRAME_PREFIX);
	r = rd_of(buf, wr_len(&w));
	ck_assert_int_eq(spop_frame_next(&r, max_frame, &frame), 1);
	ck_assert_uint_eq(rd_left(&r), 0);
	ack = help_ack(&frame);
	ck_assert_uint_eq(ack.stream_id, 77);
	ck_assert_uint_eq(ack.frame_id, 88);
	ck_assert_uint_eq(ack.n, ARRAY_SIZE(CONTRACT));
	for (size_t i = 0; i < ARRAY_SIZE(CONTRACT); i++)
		(void)help_value(&ack, CONTRACT[i]);
	ck_assert(span_is(ack.actions[ack.n - 1].name, "verdict"));
	return ack;
}

static void is_int(const struct help_ack *ack, const char *name, int64_t number)
{
	const struct spop_data *value = help_value(ack, name);

	ck_assert_msg(value, "%s is unset", name);
	ck_assert_int_eq(value->type, SPOP_INT64);
	ck_assert_int_eq(value->sint, number);
}

static void is_unset(const struct help_ack *ack, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(!help_value(ack, names[i]), "%s is set", names[i]);
}

/* Golden marks: cilium.md 4.1, cilium-verified.md 4 with the egress proxy's magic. */
static const struct {
	const char *role, *clusters;
	int64_t mark; /* 0: unset */
} MARKS[] = {
	{"number: 70001, number_from: crd", "255", 0x11710B01},
	{"number: 70001, number_from: etcd", "255", 0x11710B01},
	{"number: 51966, number_from: etcd", "255", 0xcafe0b00},
	{"number: 256, number_from: crd", "255", 0x01000B00},
	{"number: 16777215, number_from: crd", "255", 0xFFFF0BFF},
	{"number: 8388608, number_from: crd", "511", 0x80000B00},
	{"number: 70001, number_from: crd", "511", 0x11710B02},
	/* Nobody but us knows these. */
	{"number: 70001", "255", 0},
	{"number: 70001, number_from: fixed", "255", 0},
	{"number: 200", "255", 0},
};

#define MARK_CONFIG                                                                                \
	"version: 1\nlisten: [{unix: /tmp/identityd-test.sock}]\n"                                 \
	"bpf: {mode: off, clusters: %s}\nexports: [email, level, vip, groups, nothing, note, "     \
	"empty]\nproviders:\n"                                                                     \
	"  - {name: a, issuer: 'https://a', audiences: [api], algorithms: [ES256]}\nroles:\n"      \
	"  - {name: admin, when: [{claim: role, equals: admin}], labels: [role=admin], %s}\n"

START_TEST(marks)
{
	/* A mark is what Cilium decodes to the number, and only where the number is Cilium's own. */
	char text[1024];
	struct help_ack ack;

	snprintf(text, sizeof(text), MARK_CONFIG, MARKS[_i].clusters, MARKS[_i].role);
	spoa_config_unref(config);
	config = help_config(text);
	make(BASE_REASON_OK, "a@b");
	decision.route = (struct span){0};
	ack = answer(MAX_FRAME);
	if (MARKS[_i].mark)
		is_int(&ack, "mark", MARKS[_i].mark);
	else
		ck_assert_ptr_null(help_value(&ack, "mark"));
}
END_TEST

START_TEST(never_marked)
{
	/* Local numbers, unrealised ones, those with a scope, and reserved ones have no mark, whatever vouches for them. */
	static const struct ident_number NUMBERS[] = {{70001, IDENT_CRD, false},
		{70001, IDENT_LOCAL, true}, {255, IDENT_CRD, true}, {0, IDENT_CRD, true},
		{1, IDENT_ETCD, true}, {0x01000001, IDENT_CRD, true},
		{0x02000001, IDENT_ETCD, true}, {0x1000000, IDENT_ETCD, true},
		{UINT32_MAX, IDENT_CRD, true}};
	struct help_ack ack;

	make(BASE_REASON_OK, "a@b");
	config->roles[0].number = NUMBERS[_i];
	ack = answer(MAX_FRAME);
	ck_assert_ptr_null(help_value(&ack, "mark"));
	/* And a HAProxy that could not set it is given none. */
	config->roles[0].number = (struct ident_number){70001, IDENT_CRD, true};
	ack = answer(MAX_FRAME);
	is_int(&ack, "mark", 0x11710B01);
	decision.unmarkable = true;
	ack = answer(MAX_FRAME);
	ck_assert_ptr_null(help_value(&ack, "mark"));
}
END_TEST

START_TEST(not_for_the_refused)
{
	/* A denied caller gets no mark and no address, though its role has both. */
	static const char *const UNSET[] = {"mark", "srcaddr", "srcaddr6", "id"};
	struct help_ack ack;

	make(BASE_REASON_OK, "a@b");
	config->roles[0].number = (struct ident_number){70001, IDENT_CRD, true};
	config->roles[0].has_srcaddr4 = config->roles[0].has_srcaddr6 = true;
	spoa_decision_settle(&decision, BASE_REASON_POLICY_DENIED);
	ack = answer(MAX_FRAME);
	is_unset(&ack, UNSET, ARRAY_SIZE(UNSET));
}
END_TEST

static const struct {
	const char *srcaddr;
	const char *any, *v6; /* as inet_ntop writes them; NULL: unset */
} SOURCES[] = {
	{"192.0.2.10", "192.0.2.10", NULL},
	{"'2001:db8::10'", "2001:db8::10", "2001:db8::10"},
	{"['2001:db8::10', 192.0.2.10]", "192.0.2.10", "2001:db8::10"},
};

static void is_address(const struct help_ack *ack, const char *name, const char *text)
{
	const struct spop_data *value = help_value(ack, name);
	char got[INET6_ADDRSTRLEN];

	ck_assert_int_eq(value != NULL, text != NULL);
	if (!text)
		return;
	ck_assert_int_eq(value->type, strchr(text, ':') ? SPOP_IPV6 : SPOP_IPV4);
	inet_ntop(value->type == SPOP_IPV4 ? AF_INET : AF_INET6, value->ip, got, sizeof(got));
	ck_assert_str_eq(got, text);
}

START_TEST(sources)
{
	/* srcaddr is the role's IPv4 address or its only one, srcaddr6 its IPv6 address. */
	char row[200], text[1024];
	struct help_ack ack;

	snprintf(row, sizeof(row), "srcaddr: %s", SOURCES[_i].srcaddr);
	snprintf(text, sizeof(text), MARK_CONFIG, "255", row);
	spoa_config_unref(config);
	config = help_config(text);
	make(BASE_REASON_OK, "a@b");
	decision.route = (struct span){0};
	ack = answer(MAX_FRAME);
	is_address(&ack, "srcaddr", SOURCES[_i].any);
	is_address(&ack, "srcaddr6", SOURCES[_i].v6);
}
END_TEST

START_TEST(allow)
{
	/* An ALLOW sets what is known of the caller and unsets the rest. */
	static const char *const UNSET[] = {"mark", "srcaddr", "srcaddr6", "client_id", "challenge",
		"claim_nothing", "claim_note"};
	struct help_ack ack;

	make(BASE_REASON_OK, "a@b");
	ack = answer(MAX_FRAME);
	is_int(&ack, "id", 200);
	help_is(&ack, "labels",
		"k8s:io.cilium.k8s.policy.cluster=default;"
		"k8s:io.kubernetes.pod.namespace=identity-edge;k8s:role=admin;");
	help_is(&ack, "role", "admin");
	help_is(&ack, "sub", "somebody");
	help_is(&ack, "iss", "https://a");
	help_is(&ack, "scope", "read write");
	help_is(&ack, "actor", "agent");
	is_int(&ack, "exp", HELP_NOW_S);
	help_is(&ack, "route", "be_admin");
	help_is(&ack, "claim_email", "a@b");
	is_int(&ack, "claim_level", -7);
	ck_assert_int_eq(help_value(&ack, "claim_vip")->type, SPOP_BOOL);
	ck_assert(help_value(&ack, "claim_vip")->boolean);
	help_is(&ack, "claim_groups", "x");
	help_is(&ack, "claim_empty", "");
	is_int(&ack, "status", 200);
	help_is(&ack, "reason", "ok");
	help_is(&ack, "verdict", "allow");
	is_unset(&ack, UNSET, ARRAY_SIZE(UNSET));
}
END_TEST

START_TEST(every_reason)
{
	/* Whatever the reason: status, reason and verdict agree, and no identity unless it is ok. */
	static const char *const IDENTITY[] = {"id", "mark", "labels", "role", "route"};
	static const char *const TOKEN[] = {"sub", "iss", "client_id", "scope", "exp",
		"claim_email", "claim_level", "claim_vip", "claim_empty"};
	enum base_reason reason = (enum base_reason)_i;
	struct help_ack ack;

	make(reason, "a@b");
	ack = answer(MAX_FRAME);
	is_int(&ack, "status", base_reason_status(reason));
	help_is(&ack, "reason", base_reason_word(reason));
	help_is(&ack, "verdict", spoa_verdict_name(decision.verdict));
	ck_assert_int_eq(help_value(&ack, "challenge") != NULL, decision.verdict == SPOA_DENY);
	if (reason != BASE_REASON_OK)
		is_unset(&ack, IDENTITY, ARRAY_SIZE(IDENTITY));
	if (!decision.valid)
		is_unset(&ack, TOKEN, ARRAY_SIZE(TOKEN));
	else
		help_is(&ack, "sub", "somebody");
}
END_TEST

static const struct {
	enum base_reason reason;
	const char *challenge;
} CHALLENGES[] = {
	/* RFC 6750 3.1: no error where there is no credential, or one of another scheme. */
	{BASE_REASON_NO_TOKEN, "Bearer realm=\"the realm\""},
	{BASE_REASON_SCHEME_UNSUPPORTED, "Bearer realm=\"the realm\""},
	{BASE_REASON_EXPIRED, "Bearer realm=\"the realm\", error=\"invalid_token\", "
			      "error_description=\"exp has passed\""},
	{BASE_REASON_NO_ROLE,
		"Bearer realm=\"the realm\", error=\"insufficient_scope\", "
		"error_description=\"the token is valid and no role matches its claims\""},
};

START_TEST(challenges)
{
	/* The challenge is what RFC 6750 3 says for this reason. */
	struct help_ack ack;

	make(CHALLENGES[_i].reason, "");
	ack = answer(MAX_FRAME);
	help_is(&ack, "challenge", CHALLENGES[_i].challenge);
}
END_TEST

START_TEST(challenge_characters)
{
	/* error_description holds only what RFC 6750 3 allows, so that the header stays whole. */
	for (unsigned r = 0; r < BASE_REASON_COUNT; r++) {
		const char *p = base_reason_help((enum base_reason)r);

		for (; *p; p++)
			ck_assert_msg(*p >= 0x20 && *p <= 0x7e && *p != '"' && *p != '\\',
				"help of %s", base_reason_word((enum base_reason)r));
	}
}
END_TEST

START_TEST(control_bytes)
{
	/* An exported claim with a control byte anywhere is unset; any other text goes as it is. */
	for (unsigned c = 1; c < 256; c++) {
		char at[3][8] = {{(char)c, 'a', 'b'}, {'a', (char)c, 'b'}, {'a', 'b', (char)c}};
		bool control = c < 0x20 || c == 0x7f;

		if (c >= 0x80) /* not UTF-8 alone */
			continue;
		for (size_t i = 0; i < 3; i++) {
			struct help_ack ack;

			make(BASE_REASON_OK, at[i]);
			ack = answer(MAX_FRAME);
			if (control)
				ck_assert_ptr_null(help_value(&ack, "claim_email"));
			else
				help_is(&ack, "claim_email", at[i]);
		}
	}
}
END_TEST

START_TEST(utf8_claim)
{
	/* Text beyond ASCII is no control byte. */
	struct help_ack ack;

	make(BASE_REASON_OK, "J\xc3\xbcrgen \xe2\x82\xac");
	ack = answer(MAX_FRAME);
	help_is(&ack, "claim_email", "J\xc3\xbcrgen \xe2\x82\xac");
}
END_TEST

START_TEST(frame_limits)
{
	/* For every frame size: the answer fits or is not there at all, and the short one always fits. */
	static const enum base_reason REASONS[] = {BASE_REASON_OK, BASE_REASON_NO_ROLE,
		BASE_REASON_LIFETIME_TOO_LONG, BASE_REASON_ANSWER_TOO_LONG};
	char email[9000];

	memset(email, 'e', sizeof(email) - 1);
	email[sizeof(email) - 1] = '\0';
	make(REASONS[_i], email);
	bool fitted = true;

	for (uint32_t max = MAX_FRAME; max >= SPOP_FRAME_SIZE_MIN; max--) {
		struct wr w = wr_of(buf, sizeof(buf));
		int rc;

		wr_bytes(&w, "before", 6);
		rc = spoa_answer(&w, UINT64_MAX, UINT64_MAX, max, config, &decision);
		if (rc == 0) {
			ck_assert(fitted); /* what does not fit does not fit a smaller one */
			ck_assert_uint_le(wr_len(&w), 6 + (size_t)max + SPOP_FRAME_PREFIX);
			(void)answer(max);
			continue;
		}
		fitted = false;
		ck_assert_int_eq(rc, -EMSGSIZE);
		ck_assert_uint_eq(wr_len(&w), 6);
		ck_assert(!w.bad);
		ck_assert_int_eq(spoa_answer_short(&w, UINT64_MAX, UINT64_MAX, max, &decision), 0);
		ck_assert_uint_le(wr_len(&w), 6 + 256 + SPOP_FRAME_PREFIX);
	}
	ck_assert(!fitted);
}
END_TEST

START_TEST(short_form)
{
	/* The short form of every reason fits the smallest frame and ends with the verdict. */
	for (unsigned r = 0; r < BASE_REASON_COUNT; r++) {
		struct spoa_decision d = spoa_decision_of((enum base_reason)r);
		struct wr w = wr_of(buf, SPOP_FRAME_SIZE_MIN + SPOP_FRAME_PREFIX);
		struct spop_frame frame;
		struct help_ack ack;
		struct rd rd;

		ck_assert_int_eq(
			spoa_answer_short(&w, UINT64_MAX, UINT64_MAX, SPOP_FRAME_SIZE_MIN, &d), 0);
		rd = rd_of(buf, wr_len(&w));
		ck_assert_int_eq(spop_frame_next(&rd, SPOP_FRAME_SIZE_MIN, &frame), 1);
		ack = help_ack(&frame);
		ck_assert_uint_eq(ack.n, 3);
		is_int(&ack, "status", base_reason_status(d.reason));
		help_is(&ack, "reason", base_reason_word(d.reason));
		help_is(&ack, "verdict", spoa_verdict_name(d.verdict));
		ck_assert(span_is(ack.actions[2].name, "verdict"));
	}
}
END_TEST

START_TEST(no_room)
{
	/* A writer with too little room is left as it was, at every length. */
	size_t whole;

	make(BASE_REASON_OK, "a@b");
	struct wr w = wr_of(buf, sizeof(buf));

	ck_assert_int_eq(spoa_answer(&w, 1, 1, MAX_FRAME, config, &decision), 0);
	whole = wr_len(&w);
	for (size_t room = 0; room < whole; room++) {
		w = wr_of(buf, room);
		ck_assert_int_eq(spoa_answer(&w, 1, 1, MAX_FRAME, config, &decision), -EMSGSIZE);
		ck_assert_uint_eq(wr_len(&w), 0);
	}
	w = wr_of(buf, whole);
	ck_assert_int_eq(spoa_answer(&w, 1, 1, MAX_FRAME, config, &decision), 0);
}
END_TEST

Suite *suite_answer(void)
{
	Suite *suite = suite_create("answer");
	TCase *tc = tcase_create("answer");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, allow);
	tcase_add_loop_test(tc, marks, 0, ARRAY_SIZE(MARKS));
	tcase_add_loop_test(tc, never_marked, 0, 9);
	tcase_add_test(tc, not_for_the_refused);
	tcase_add_loop_test(tc, sources, 0, ARRAY_SIZE(SOURCES));
	tcase_add_loop_test(tc, every_reason, 0, BASE_REASON_COUNT);
	tcase_add_loop_test(tc, challenges, 0, ARRAY_SIZE(CHALLENGES));
	tcase_add_test(tc, challenge_characters);
	tcase_add_test(tc, control_bytes);
	tcase_add_test(tc, utf8_claim);
	tcase_add_loop_test(tc, frame_limits, 0, 2);
	tcase_add_test(tc, short_form);
	tcase_add_test(tc, no_room);
	suite_add_tcase(suite, tc);
	return suite;
}
