#include "tests/unit/token/suites.h"

#include "token/discovery.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

START_TEST(url)
{
	/* Goal: one slash between issuer and the well-known path, and a bound on the whole. */
	static const char *const CASES[][2] = {
		{"https://a", "https://a/.well-known/openid-configuration"},
		{"https://a/", "https://a/.well-known/openid-configuration"},
		{"https://a/t/x", "https://a/t/x/.well-known/openid-configuration"},
	};
	char issuer[TOKEN_URL_MAX + 2];
	char got[TOKEN_URL_MAX + 1];
	size_t room = TOKEN_URL_MAX - strlen("/.well-known/openid-configuration");

	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(token_discovery_url(CASES[i][0], got), 0);
		ck_assert_str_eq(got, CASES[i][1]);
	}
	memset(issuer, 'x', sizeof(issuer));
	issuer[room] = '\0';
	ck_assert_int_eq(token_discovery_url(issuer, got), 0);
	ck_assert_uint_eq(strlen(got), TOKEN_URL_MAX);
	issuer[room] = 'x';
	issuer[room + 1] = '\0';
	ck_assert_int_eq(token_discovery_url(issuer, got), -ENAMETOOLONG);
}
END_TEST

static const struct {
	const char *issuer, *url;
	bool http;
	int want;
} URLS[] = {
	{"https://a", "https://a/jwks", false, 0},
	{"https://a/x", "https://a:443/jwks?y=1", false, 0},
	{"https://a:8443", "https://a:8443/jwks", false, 0},
	{"https://A.example", "https://a.EXAMPLE/jwks", false, 0},
	{"https://[::1]:8443", "https://[::1]:8443/jwks", false, 0},
	{"https://a", "https://a:8443/jwks", false, -EPERM},
	{"https://a", "https://a:8443/jwks", true, 0},
	{"https://a", "http://a/jwks", false, -EPERM},
	/* Such an issuer is allowed only as this machine itself: its own origin, no other. */
	{"http://a:1", "http://a:1/jwks", false, 0},
	{"http://a:1", "http://a:2/jwks", false, -EPERM},
	{"http://a:1", "http://b:1/jwks", false, -EPERM},
	{"http://a:1", "http://a:2/jwks", true, 0},
	/* row 26 */
	{"https://a", "https://b/jwks", true, -EPERM},
	{"https://a", "https://a.b/jwks", true, -EPERM},
	{"https://a", "https://127.0.0.1/jwks", true, -EPERM},
	{"https://a", "https://a@b/jwks", true, -EPERM},
	{"https://a", "https://b@a/jwks", true, -EPERM},
	{"https://a", "https://b\\\\@a/jwks", true, -EPERM},
	{"https://a", "https://a\\\\.b/jwks", true, -EPERM},
	{"https://a", "https://a#@b/jwks", true, -EPERM},
	{"https://a", "https://a /jwks", true, -EPERM},
	{"https://a", "https://a:/jwks", true, -EPERM},
	{"https://a", "https://a:0/jwks", true, -EPERM},
	{"https://a", "https://a:65536/jwks", true, -EPERM},
	{"https://a", "https://a:44x/jwks", true, -EPERM},
	{"https://a", "https:///jwks", true, -EPERM},
	{"https://a", "https://:443/jwks", true, -EPERM},
	{"https://a", "https://[::1/jwks", true, -EPERM},
	{"https://[::1]", "https://[::1]x/jwks", true, -EPERM},
	{"https://a", "HTTPS://a/jwks", true, -EPERM},
	{"https://a", "file:///etc/passwd", true, -EPERM},
	{"https://a", "//a/jwks", true, -EPERM},
	{"https://a", "/jwks", true, -EPERM},
	{"https://a", "https://a/\xc3\xa9", true, -EPERM},
	{"https://a", "https://a/j\\u000d\\u000aHost: b", true, -EBADMSG},
	{"https://a", "", true, -EBADMSG},
};

START_TEST(urls)
{
	/* Goal: row 26: jwks_uri stays on the issuer's host, and its readers cannot be confused. */
	char json[512];
	char got[TOKEN_URL_MAX + 1] = "untouched";

	snprintf(json, sizeof(json), "{\"issuer\":\"%s\",\"jwks_uri\":\"%s\"}", URLS[_i].issuer,
		URLS[_i].url);
	ck_assert_msg(token_discovery_parse(span_of(json), URLS[_i].issuer, URLS[_i].http, got) ==
			      URLS[_i].want,
		"%s", json);
	ck_assert_str_eq(got, URLS[_i].want ? "untouched" : URLS[_i].url);
}
END_TEST

START_TEST(documents)
{
	/* Goal: row 24: another issuer, and what is no such document, are refused. */
	static const struct {
		const char *json;
		int want;
	} CASES[] = {
		{"{\"issuer\":\"https://a/\",\"jwks_uri\":\"https://a/j\"}", -EXDEV},
		{"{\"issuer\":\"https://A\",\"jwks_uri\":\"https://a/j\"}", -EXDEV},
		{"{\"issuer\":\"\",\"jwks_uri\":\"https://a/j\"}", -EXDEV},
		{"{\"issuer\":1,\"jwks_uri\":\"https://a/j\"}", -EBADMSG},
		{"{\"jwks_uri\":\"https://a/j\"}", -EBADMSG},
		{"{\"issuer\":\"https://a\"}", -EBADMSG},
		{"{\"issuer\":\"https://a\",\"jwks_uri\":[\"https://a/j\"]}", -EBADMSG},
		{"{\"issuer\":\"https://b\",\"issuer\":\"https://a\",\"jwks_uri\":\"https://a/j\"}",
			-EBADMSG},
		{"[]", -EBADMSG},
		{"<html>", -EBADMSG},
		{"", -EBADMSG},
	};
	char got[TOKEN_URL_MAX + 1];

	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
		ck_assert_msg(token_discovery_parse(span_of(CASES[i].json), "https://a", false,
				      got) == CASES[i].want,
			"%s", CASES[i].json);
}
END_TEST

Suite *suite_discovery(void)
{
	Suite *suite = suite_create("discovery");
	TCase *tc = tcase_create("discovery");

	tcase_add_test(tc, url);
	tcase_add_loop_test(tc, urls, 0, sizeof(URLS) / sizeof(URLS[0]));
	tcase_add_test(tc, documents);
	suite_add_tcase(suite, tc);
	return suite;
}
