#include "conf/url.h"

#include "suites.h"

#include <string.h>

static const struct {
	const char *url;
	bool https, http, issuer; /* is it good: as jwks_uri, with allow_http, as issuer */
} ROWS[] = {
	{"https://idp.example.com", true, true, true},
	{"https://idp.example.com/", true, true, true},
	{"https://idp.example.com:8443/a/b", true, true, true},
	{"https://[::1]:1/x", true, true, true},
	{"https://[::1]", true, true, true},
	{"https://h?q=1", true, true, false},
	{"http://h", false, true, false},
	{"http://localhost:8080/x", true, true, true},
	{"http://127.0.0.1", true, true, true},
	{"http://127.1.2.3:1/", true, true, true},
	{"http://[::1]:1/x", true, true, true},
	{"http://localhost.evil.example", false, true, false},
	{"http://127.0.0.1.evil.example", false, true, false},
	{"http://127.evil.example", false, true, false},
	{"http://[::2]", false, true, false},
	{"http://10.0.0.1", false, true, false},
	{"HTTPS://h", false, false, false},
	{"ftp://h", false, false, false},
	{"https:/h", false, false, false},
	{"https://", false, false, false},
	{"https:///x", false, false, false},
	{"https://:1", false, false, false},
	{"https://h:", false, false, false},
	{"https://h:x", false, false, false},
	{"https://h:123456", false, false, false},
	{"https://u@h", false, false, false},
	{"https://u:p@h", false, false, false},
	{"https://h/#f", false, false, false},
	{"https://h/a b", false, false, false},
	{"https://h/\xc3\xa4", false, false, false},
	{"https://h/\"", false, false, false},
	{"https://[::1", false, false, false},
	{"https://[]", false, false, false},
	{"https://[", false, false, false},
	{"h", false, false, false},
	{"", false, false, false},
};

START_TEST(judges_urls)
{
	/* Only clean https passes, http by permission, and an issuer without a query. */
	ck_assert(!conf_url_problem(ROWS[_i].url, false, false) == ROWS[_i].https);
	ck_assert(!conf_url_problem(ROWS[_i].url, true, false) == ROWS[_i].http);
	ck_assert(!conf_url_problem(ROWS[_i].url, false, true) == ROWS[_i].issuer);
}
END_TEST

SUITE(url, EACH(judges_urls, ROWS))
