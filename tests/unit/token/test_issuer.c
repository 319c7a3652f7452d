#include "tests/unit/token/suites.h"

#include "token/issuer.h"
#include "token/json.h"

#include <string.h>

#define TID   "72f988bf-86f1-41af-91ab-2d7cd011db47"
#define OTHER "00000000-0000-0000-0000-000000000001"
#define V2    "https://login.microsoftonline.com/{tenantid}/v2.0"
#define V1    "https://sts.windows.net/{tenantid}/"

static const struct {
	const char *issuer, *alias, *tenant, *trust_domain;
	const char *claims;
	bool is;
} CASES[] = {
	/* exact, row 24 */
	{"https://a", NULL, NULL, NULL, "{\"iss\":\"https://a\"}", true},
	{"https://a", NULL, NULL, NULL, "{\"iss\":\"https://a/\"}", false},
	{"https://a", NULL, NULL, NULL, "{\"iss\":\"https://A\"}", false},
	{"https://a", NULL, NULL, NULL, "{}", false},
	/* Google's two spellings */
	{"https://accounts.google.com", "accounts.google.com", NULL, NULL,
		"{\"iss\":\"accounts.google.com\"}", true},
	{"https://accounts.google.com", "accounts.google.com", NULL, NULL,
		"{\"iss\":\"https://accounts.google.com\"}", true},
	{"https://accounts.google.com", "accounts.google.com", NULL, NULL,
		"{\"iss\":\"http://accounts.google.com\"}", false},
	/* Entra */
	{V2, NULL, NULL, NULL,
		"{\"iss\":\"https://login.microsoftonline.com/" TID "/v2.0\",\"tid\":\"" TID "\"}",
		true},
	{V1, NULL, NULL, NULL, "{\"iss\":\"https://sts.windows.net/" TID "/\",\"tid\":\"" TID "\"}",
		true},
	{V1, NULL, NULL, NULL, "{\"iss\":\"https://sts.windows.net/" TID "\",\"tid\":\"" TID "\"}",
		false},
	{V2, NULL, NULL, NULL,
		"{\"iss\":\"https://login.microsoftonline.com/" TID "/v2.0\",\"tid\":\"" OTHER
		"\"}",
		false},
	{V2, NULL, NULL, NULL, "{\"iss\":\"https://login.microsoftonline.com/" TID "/v2.0\"}",
		false},
	{V2, NULL, NULL, NULL,
		"{\"iss\":\"https://login.microsoftonline.com/{tenantid}/v2.0\",\"tid\":"
		"\"{tenantid}\"}",
		false},
	{V2, NULL, NULL, NULL,
		"{\"iss\":\"https://login.microsoftonline.com/x/v2.0\",\"tid\":\"x\"}", false},
	{V2, NULL, NULL, NULL,
		"{\"iss\":\"https://login.microsoftonline.com/72F988BF-86F1-41AF-91AB-2D7CD011DB47/"
		"v2.0\",\"tid\":\"72F988BF-86F1-41AF-91AB-2D7CD011DB47\"}",
		false},
	{V2, NULL, TID, NULL,
		"{\"iss\":\"https://login.microsoftonline.com/" TID "/v2.0\",\"tid\":\"" TID "\"}",
		true},
	{V2, NULL, OTHER, NULL,
		"{\"iss\":\"https://login.microsoftonline.com/" TID "/v2.0\",\"tid\":\"" TID "\"}",
		false},
	{V2, NULL, NULL, NULL, "{\"iss\":\"\",\"tid\":\"" TID "\"}", false},
	/* SPIFFE: with and without iss */
	{"spiffe://example.org", NULL, NULL, "example.org", "{\"sub\":\"spiffe://example.org/a\"}",
		true},
	{"spiffe://example.org", NULL, NULL, "example.org",
		"{\"iss\":\"spiffe://example.org\",\"sub\":\"spiffe://example.org/a\"}", true},
	{"spiffe://example.org", NULL, NULL, "example.org",
		"{\"iss\":\"https://a\",\"sub\":\"spiffe://example.org/a\"}", false},
	{"spiffe://example.org", NULL, NULL, "example.org", "{\"sub\":\"spiffe://other.org/a\"}",
		false},
	{"spiffe://example.org", NULL, NULL, "example.org", "{\"sub\":\"alice\"}", false},
	{"spiffe://example.org", NULL, NULL, "example.org", "{}", false},
	{"https://oidc", NULL, NULL, "example.org",
		"{\"iss\":\"https://oidc\",\"sub\":\"spiffe://example.org/a\"}", true},
	{"https://oidc", NULL, NULL, "example.org", "{\"sub\":\"spiffe://example.org/a\"}", false},
	{"https://oidc", NULL, NULL, "example.org",
		"{\"iss\":\"https://oidc\",\"sub\":\"spiffe://evil.org/example.org\"}", false},
	/* Without a trust domain the word spiffe opens nothing. */
	{"spiffe://example.org", NULL, NULL, NULL, "{\"sub\":\"spiffe://example.org/a\"}", false},
};

START_TEST(issuers)
{
	/* Goal: row 24: only the provider's own tokens are its own, tenant and trust domain included. */
	cleanup(json) json_t *claims = json_loads(CASES[_i].claims, 0, NULL);
	struct token_provider rules = {
		.issuer = CASES[_i].issuer,
		.issuer_aliases = &CASES[_i].alias,
		.n_issuer_aliases = CASES[_i].alias != NULL,
		.tenants = &CASES[_i].tenant,
		.n_tenants = CASES[_i].tenant != NULL,
		.trust_domain = CASES[_i].trust_domain,
	};

	ck_assert_ptr_nonnull(claims);
	ck_assert_msg(
		token_issuer_is(&rules, token_json_text_of(json_object_get(claims, "iss")),
			token_json_text_of(json_object_get(claims, "sub")), claims) == CASES[_i].is,
		"%s: %s", CASES[_i].issuer, CASES[_i].claims);
}
END_TEST

Suite *suite_issuer(void)
{
	Suite *suite = suite_create("issuer");
	TCase *tc = tcase_create("issuer");

	tcase_add_loop_test(tc, issuers, 0, sizeof(CASES) / sizeof(CASES[0]));
	suite_add_tcase(suite, tc);
	return suite;
}
