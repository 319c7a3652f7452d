#include "tests/unit/token/suites.h"

#include "token/htu.h"

static const struct {
	const char *htu;
	bool https;
	const char *host, *path;
	bool fits;
} CASES[] = {
	{"https://api.example.com/a/b", true, "api.example.com", "/a/b", true},
	/* Query and fragment do not count (RFC 9449 4.3 step 9). */
	{"https://api.example.com/a/b?x=1", true, "api.example.com", "/a/b", true},
	{"https://api.example.com/a/b#x", true, "api.example.com", "/a/b", true},
	{"https://api.example.com?x#y", true, "api.example.com", "/", true},
	/* Case, default port, empty path (RFC 3986 6.2.2.1, 6.2.3). */
	{"HTTPS://API.Example.com/a", true, "api.example.COM", "/a", true},
	{"https://h:443/a", true, "h", "/a", true},
	{"https://h:/a", true, "h", "/a", true},
	{"https://h/a", true, "h:443", "/a", true},
	{"http://h:80/a", false, "h", "/a", true},
	{"https://h", true, "h", "/", true},
	{"https://h/", true, "h", "", true},
	{"https://h:8443/a", true, "h:8443", "/a", true},
	{"https://[2001:DB8::1]:8443/a", true, "[2001:db8::1]:8443", "/a", true},
	{"https://[::1]/a", true, "[::1]:443", "/a", true},
	/* Percent encoding (6.2.2.1, 6.2.2.2). */
	{"https://h/%7euser/%2f", true, "h", "/~user/%2F", true},
	{"https://h/a%20b", true, "h", "/a%20b", true},

	{"http://h/a", true, "h", "/a", false},
	{"https://h/a", false, "h", "/a", false},
	{"https://h:80/a", true, "h", "/a", false},
	{"https://h:8443/a", true, "h", "/a", false},
	{"https://other/a", true, "h", "/a", false},
	{"https://h.evil/a", true, "h", "/a", false},
	{"https://h/A", true, "h", "/a", false},
	{"https://h/a/", true, "h", "/a", false},
	{"https://h/a", true, "h", "/a/", false},
	{"https://h/a/../b", true, "h", "/b", false},
	{"https://h/a%2Fb", true, "h", "/a/b", false},
	{"https://h/a%zz", true, "h", "/a", false},
	{"https://h/a%2", true, "h", "/a%20", false},
	{"https://user@h/a", true, "h", "/a", false},
	{"https://h@h/a", true, "h@h", "/a", false},
	{"https://h:99999999/a", true, "h", "/a", false},
	{"https://h:4x3/a", true, "h", "/a", false},
	{"https://[::1/a", true, "[::1", "/a", false},
	{"https://[::1]x/a", true, "[::1]x", "/a", false},
	{"https:///a", true, "", "/a", false},
	{"https://h/a", true, "", "/a", false},
	{"ftp://h/a", true, "h", "/a", false},
	{"//h/a", true, "h", "/a", false},
	{"h/a", true, "h", "/a", false},
	{"/a", true, "h", "/a", false},
	{"", true, "h", "/a", false},
	{"https://", true, "h", "/a", false},
};

START_TEST(fits)
{
	/* Goal: row 33: htu is the request's address, and no other. Input ends at a guard page. */
	struct token_htu request = {
		.https = CASES[_i].https,
		.host = {guarded(CASES[_i].host, strlen(CASES[_i].host)), strlen(CASES[_i].host)},
		.path = {guarded(CASES[_i].path, strlen(CASES[_i].path)), strlen(CASES[_i].path)},
	};
	size_t n = strlen(CASES[_i].htu);
	const char *htu = guarded(CASES[_i].htu, n);

	ck_assert_int_eq(token_htu_fits((struct span){htu, n}, &request), CASES[_i].fits);
}
END_TEST

START_TEST(nul)
{
	/* Goal: a NUL in what HAProxy says of the host hides nothing. */
	struct token_htu request = {.https = true, .host = SPAN("h\0.evil"), .path = SPAN("/")};

	ck_assert(!token_htu_fits(SPAN("https://h/"), &request));
	request = (struct token_htu){.https = true, .host = SPAN("h"), .path = SPAN("/a\0b")};
	ck_assert(!token_htu_fits(SPAN("https://h/a"), &request));
}
END_TEST

Suite *suite_htu(void)
{
	Suite *suite = suite_create("htu");
	TCase *tcase = tcase_create("htu");

	tcase_add_loop_test(tcase, fits, 0, sizeof(CASES) / sizeof(CASES[0]));
	tcase_add_test(tcase, nul);
	suite_add_tcase(suite, tcase);
	return suite;
}
