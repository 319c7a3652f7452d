#include "tests/unit/spoa/suites.h"

#include "tests/unit/spoa/help.h"

#include <stdio.h>
#include <string.h>

#define COMMON                                                                                     \
	"k8s:io.cilium.k8s.policy.cluster=default;k8s:io.kubernetes.pod.namespace=identity-edge;"

static const char PROVIDER[] =
	"providers:\n"
	"  - {name: a, issuer: 'https://a', audiences: [api], algorithms: [ES256]}\n";

static const char ROLES[] =
	"roles:\n"
	"  - {name: team, when: [{claim: team, exists: true}], labels: ['team={claims.team}']}\n"
	"  - {name: near, when: [{source: [10.0.0.0/8]}], labels: [near=yes, role=near]}\n"
	"  - {name: admin, when: [{claim: role, equals: admin}], labels: [role=admin],\n"
	"     require_binding: true, route: be_admin}\n"
	"  - {name: user, when: [{claim: role, any: [user, admin]}], labels: [role=user, "
	"user=yes],\n"
	"     kill_on_expiry: true, route: be_user}\n"
	"  - {name: groups, when: [{claim: groups, any: [g]}], labels: [groups=g]}\n";

static struct spoa_config *config;
static struct spoa_caller *caller;
static struct spoa_match_work work;

static void start(bool match_all)
{
	char yaml[4096];

	snprintf(yaml, sizeof(yaml), "%s%s%s%s", HELP_HEAD, match_all ? "roles_match: all\n" : "",
		PROVIDER, ROLES);
	config = help_config(yaml);
	caller = malloc(SPOA_CALLER_MAX);
}

static void teardown(void)
{
	free(caller);
	spoa_config_unref(config);
	config = NULL;
	caller = NULL;
}

static void pack(const char *text)
{
	cleanup(token_claims) struct token_claims claims = {
		.sub = SPAN("s"),
		.iss = SPAN("https://a"),
		.exp = 30,
		.claims = json_loads(text, JSON_DECODE_ANY, NULL),
	};

	ck_assert_ptr_nonnull(claims.claims);
	ASSERT_REASON(spoa_caller_pack(config, &claims, caller), BASE_REASON_OK);
}

/* What the caller is from a network that is near, or not. */
static enum base_reason match(bool near, struct spoa_match *ret)
{
	struct ident_request request = {.has_address = true};
	const uint8_t v4[4] = {near ? 10 : 192, 0, 2, 1};

	base_cidr_address(v4, 4, request.address);
	return spoa_match(caller, config, &request, &work, ret);
}

static const struct {
	bool all, near;
	const char *claims;
	const char *names, *labels; /* labels sorted, without the common ones */
	const char *route;
	bool require, kill;
} CASES[] = {
	{false, false, "{\"team\": \"x\", \"role\": \"admin\"}", "team", "k8s:team=x;", NULL, false,
		false},
	{false, true, "{\"role\": \"admin\"}", "near", "k8s:near=yes;k8s:role=near;", NULL, false,
		false},
	{false, false, "{\"role\": \"admin\"}", "admin", "k8s:role=admin;", "be_admin", true,
		false},
	/* The earlier role's label stands; what one demands all demand. */
	{true, false, "{\"role\": \"admin\"}", "admin,user", "k8s:role=admin;k8s:user=yes;",
		"be_admin", true, true},
	{true, true, "{\"role\": \"admin\", \"team\": \"x\"}", "team,near,admin,user",
		"k8s:near=yes;k8s:role=near;k8s:team=x;k8s:user=yes;", "be_admin", true, true},
	{true, false, "{\"role\": \"user\"}", "user", "k8s:role=user;k8s:user=yes;", "be_user",
		false, true},
	/* A claim that cannot be a label: the role is not his, the others are. */
	{true, false, "{\"role\": \"user\", \"team\": \"a b\"}", "user",
		"k8s:role=user;k8s:user=yes;", "be_user", false, true},
};

/* The common labels stand where their keys belong: behind "io.". */
static void check_labels(struct span got, const char *want)
{
	char text[1024] = "";
	size_t n = 0;

	for (const char *at = want, *end; (end = strchr(at, ';')); at = end + 1) {
		if (!strstr(text, COMMON) && strncmp(at, "k8s:io", 6) > 0)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", COMMON);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%.*s", (int)(end - at + 1), at);
	}
	ck_assert_msg(span_is(got, text), "%.*s, not %s", SPAN_ARG(got), text);
	ck_assert_int_eq(ident_labels_check(text), 0);
}

START_TEST(cases)
{
	/* Which roles count, in their order, and the one label set that follows. */
	struct spoa_match got = {0};

	start(CASES[_i].all);
	pack(CASES[_i].claims);
	ASSERT_REASON(match(CASES[_i].near, &got), BASE_REASON_OK);
	ck_assert_msg(span_is(got.names, CASES[_i].names), "%.*s", SPAN_ARG(got.names));
	check_labels(got.labels, CASES[_i].labels);
	ck_assert_pstr_eq(got.route, CASES[_i].route);
	ck_assert_int_eq(got.require_binding, CASES[_i].require);
	ck_assert_int_eq(got.kill_on_expiry, CASES[_i].kill);
	ck_assert_str_eq(got.role->name,
		got.names.n > 4 && CASES[_i].all ? got.role->name : CASES[_i].names);
	teardown();
}
END_TEST

START_TEST(none)
{
	/* Nobody's role; and roles that hang on groups that were left out, in both ways. */
	struct spoa_match got = {0};

	for (int all = 0; all < 2; all++) {
		start(all);
		pack("{}");
		ASSERT_REASON(match(false, &got), BASE_REASON_NO_ROLE);
		pack("{\"hasgroups\": true}");
		ASSERT_REASON(match(false, &got), BASE_REASON_GROUPS_UNKNOWN);
		ck_assert_ptr_null(got.role);
		/* All: what is not known might change the set. First: an earlier role decides. */
		pack("{\"role\": \"user\", \"hasgroups\": true}");
		ASSERT_REASON(
			match(false, &got), all ? BASE_REASON_GROUPS_UNKNOWN : BASE_REASON_OK);
		got.role = NULL;
		teardown();
	}
}
END_TEST

START_TEST(unfit)
{
	/* That a claim could not be a label is remembered with the caller: the role's place. */
	start(false);
	pack("{\"team\": \"fine\"}");
	ck_assert_uint_eq(caller->unfit, 0);
	pack("{\"team\": [\"a\"], \"role\": \"user\"}");
	ck_assert_uint_eq(caller->unfit, 1);
	pack("{\"role\": \"user\"}");
	ck_assert_uint_eq(caller->unfit, 0);
	teardown();
}
END_TEST

Suite *suite_match(void)
{
	Suite *suite = suite_create("match");
	TCase *tc = tcase_create("match");

	tcase_add_loop_test(tc, cases, 0, ARRAY_SIZE(CASES));
	tcase_add_test(tc, none);
	tcase_add_test(tc, unfit);
	suite_add_tcase(suite, tc);
	return suite;
}
