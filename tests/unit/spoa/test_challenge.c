#include "tests/unit/spoa/suites.h"

#include "spoa/challenge.h"
#include "tests/unit/spoa/help.h"

#include <stdio.h>

#define ROLE      "roles: [{name: admin, labels: [role=admin], number: 200}]\n"
#define A(more)   "  - {name: a, issuer: 'https://a', audiences: [x]" more "}\n"
#define B(more)   "  - {name: b, issuer: 'https://b', audiences: [x]" more "}\n"
#define META(dir) "https://h/.well-known/oauth-protected-resource" dir
#define RESOURCES                                                                                  \
	"challenge: {realm: r, resources: [\n"                                                     \
	"  {host: mcp.example.com, service: be_mcp, metadata: '" META(                             \
		"/mcp") "', scope: 'a b'},\n"                                                      \
			"  {host: mcp.example.com, metadata: '" META(                              \
				"/host") "'},\n"                                                   \
					 "  {service: be_mcp, metadata: '" META(                   \
						 "/service") "', scope: c}]}\n"
#define OPTIONAL RESOURCES "providers:\n" A("") B("") ROLE
#define MIXED    RESOURCES "providers:\n" A("") B(", dpop: required") ROLE
#define REQUIRED RESOURCES "providers:\n" A(", dpop: required") B(", dpop: required") ROLE

#define ALGS ", algs=\"RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519\""

/* caller: index of its provider, or -1. */
static const struct {
	const char *yaml;
	enum base_reason reason;
	bool dpop;
	int caller;
	const char *want;
} CASES[] = {
	{OPTIONAL, BASE_REASON_OK, false, 0, ""},
	{OPTIONAL, BASE_REASON_INTERNAL, false, 0, ""},
	{OPTIONAL, BASE_REASON_NO_TOKEN, false, -1, "Bearer realm=\"r\""},
	{OPTIONAL, BASE_REASON_SCHEME_UNSUPPORTED, false, -1, "Bearer realm=\"r\""},
	{OPTIONAL, BASE_REASON_REVOKED, false, 0,
		"Bearer realm=\"r\", error=\"invalid_token\", error_description=\"the token was "
		"revoked\""},
	{OPTIONAL, BASE_REASON_DPOP_INVALID, true, 0,
		"DPoP realm=\"r\", error=\"invalid_dpop_proof\", error_description=\"the DPoP "
		"proof "
		"is not good for this request\"" ALGS},
	{OPTIONAL, BASE_REASON_DPOP_NONCE, true, 0,
		"DPoP realm=\"r\", error=\"use_dpop_nonce\", error_description=\"the DPoP proof "
		"lacks a current nonce\"" ALGS},
	{MIXED, BASE_REASON_NO_TOKEN, false, -1, "Bearer realm=\"r\", DPoP realm=\"r\"" ALGS},
	{MIXED, BASE_REASON_REVOKED, false, 0,
		"Bearer realm=\"r\", error=\"invalid_token\", error_description=\"the token was "
		"revoked\""},
	{MIXED, BASE_REASON_DPOP_UNBOUND, false, 1,
		"DPoP realm=\"r\", error=\"invalid_token\", error_description=\"the token is not "
		"bound to a key, and has to be\"" ALGS},
	{REQUIRED, BASE_REASON_NO_TOKEN, false, -1, "DPoP realm=\"r\"" ALGS},
};

static struct spoa_decision make(enum base_reason reason, bool dpop, int provider)
{
	static struct spoa_caller caller;
	struct spoa_decision decision = spoa_decision_of(reason);

	decision.dpop = dpop;
	if (provider >= 0) {
		caller.provider = (uint16_t)provider;
		decision.caller = &caller;
	}
	return decision;
}

START_TEST(schemes)
{
	/* Goal: RFC 6750 3, RFC 9449 7.1: the right scheme with the right error for each refusal. */
	struct spoa_decision decision = make(CASES[_i].reason, CASES[_i].dpop, CASES[_i].caller);
	struct conf *conf;
	char yaml[2000];
	char buf[SPOA_CHALLENGE_MAX];
	struct span got;

	snprintf(yaml, sizeof(yaml), "%s%s", HELP_HEAD, CASES[_i].yaml);
	conf = help_conf(yaml);
	got = spoa_challenge(conf, &decision, buf);
	ck_assert_msg(span_is(got, CASES[_i].want), "%.*s", SPAN_ARG(got));
	conf_free(conf);
}
END_TEST

static const struct {
	const char *host, *service;
	enum base_reason reason;
	const char *metadata, *scope; /* NULL: none */
} RESOURCE_CASES[] = {
	{"mcp.example.com", "be_mcp", BASE_REASON_NO_TOKEN, META("/mcp"), "a b"},
	{"MCP.example.com:8443", "be_mcp", BASE_REASON_NO_ROLE, META("/mcp"), "a b"},
	/* A better token of the same kind needs no other scope. */
	{"mcp.example.com", "be_mcp", BASE_REASON_EXPIRED, META("/mcp"), NULL},
	{"mcp.example.com", "be_api", BASE_REASON_NO_TOKEN, META("/host"), NULL},
	{"mcp.example.com", "", BASE_REASON_NO_TOKEN, META("/host"), NULL},
	{"other", "be_mcp", BASE_REASON_NO_TOKEN, META("/service"), "c"},
	{"", "be_mcp", BASE_REASON_NO_TOKEN, META("/service"), "c"},
	{"[::1]:80", "be_mcp", BASE_REASON_NO_TOKEN, META("/service"), "c"},
	{"mcp.example.com.evil", "be_api", BASE_REASON_NO_TOKEN, NULL, NULL},
	{"", "", BASE_REASON_NO_TOKEN, NULL, NULL},
};

START_TEST(resources)
{
	/* Goal: RFC 9728 5.1: resource_metadata and scope of the resource that was asked for. */
	struct spoa_decision decision = make(RESOURCE_CASES[_i].reason, false, -1);
	struct spoa_request request = {.host = span_of(RESOURCE_CASES[_i].host),
		.service = span_of(RESOURCE_CASES[_i].service)};
	struct conf *conf = help_conf(HELP_HEAD OPTIONAL);
	char buf[SPOA_CHALLENGE_MAX];
	char want[400] = "";
	char scope[40] = "";
	char *got;

	decision.resource = spoa_challenge_resource(conf, &request);
	if (RESOURCE_CASES[_i].metadata)
		snprintf(want, sizeof(want), ", resource_metadata=\"%s\"",
			RESOURCE_CASES[_i].metadata);
	if (RESOURCE_CASES[_i].scope)
		snprintf(scope, sizeof(scope), ", scope=\"%s\"", RESOURCE_CASES[_i].scope);
	struct span s = spoa_challenge(conf, &decision, buf);

	got = strndup(s.p, s.n);
	ck_assert_int_eq(strstr(got, "resource_metadata") != NULL, *want != '\0');
	ck_assert_msg(strstr(got, want), "%s", got);
	ck_assert_int_eq(strstr(got, "scope=\"") != NULL, *scope != '\0');
	ck_assert_msg(strstr(got, scope), "%s", got);
	free(got);
	conf_free(conf);
}
END_TEST

START_TEST(longest)
{
	/* Goal: the longest texts that the configuration allows fit. */
	struct spoa_decision decision = make(BASE_REASON_NO_ROLE, false, -1);
	char realm[65], metadata[513], scope[257];
	struct conf_resource resource = {.metadata = metadata, .scope = scope};
	struct conf_provider providers[2] = {{.dpop = CONF_DPOP_REQUIRED}, {.dpop = CONF_DPOP_OFF}};
	struct conf conf = {
		.providers = providers, .n_providers = 2, .challenge = {.realm = realm}};
	char buf[SPOA_CHALLENGE_MAX];

	memset(realm, 'r', sizeof(realm) - 1);
	memset(metadata, 'm', sizeof(metadata) - 1);
	memset(scope, 's', sizeof(scope) - 1);
	realm[64] = metadata[512] = scope[256] = '\0';
	decision.resource = &resource;
	ck_assert_uint_gt(spoa_challenge(&conf, &decision, buf).n, 1700);
}
END_TEST

Suite *suite_challenge(void)
{
	Suite *suite = suite_create("challenge");
	TCase *tc = tcase_create("challenge");

	tcase_add_loop_test(tc, schemes, 0, ARRAY_SIZE(CASES));
	tcase_add_loop_test(tc, resources, 0, ARRAY_SIZE(RESOURCE_CASES));
	tcase_add_test(tc, longest);
	suite_add_tcase(suite, tc);
	return suite;
}
