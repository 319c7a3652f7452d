#include "tests/unit/spoa/suites.h"

#include "spoa/http_guard.h"
#include "tests/unit/spoa/help.h"

static const char *const HOSTS[] = {"127.0.0.1", "::1", "admin.example"};
static const struct spoa_http_guard guard = {
	.token = {.p = "0123456789abcdef", .n = 16}, .hosts = HOSTS, .n_hosts = 3};

START_TEST(host)
{
	/* A name counts as a whole, whatever its case, with and without a port. */
	static const char *const GOOD[] = {"127.0.0.1", "127.0.0.1:9909", "Admin.Example:1",
		"[::1]", "[::1]:9909", "admin.example"};
	static const char *const BAD[] = {"", ":", "[", "[]", "[::1", "::1", "admin.example.",
		"admin", "admin.example.evil.test", "evil.test", "127.0.0.1.evil.test:80",
		"xadmin.example", "[127.0.0.1.evil]"};

	for (size_t i = 0; i < ARRAY_SIZE(GOOD); i++)
		ck_assert_msg(spoa_http_guard_host(&guard, GOOD[i]), "%s", GOOD[i]);
	for (size_t i = 0; i < ARRAY_SIZE(BAD); i++)
		ck_assert_msg(!spoa_http_guard_host(&guard, BAD[i]), "%s", BAD[i]);
}
END_TEST

START_TEST(token)
{
	/* The token as a whole, in the scheme Bearer; without one nobody has it. */
	static const char *const BAD[] = {"", "Bearer", "Bearer ", "Bearer 0123456789abcde",
		"Bearer 0123456789abcdef0", "Bearer 0123456789abcdeF", "Basic 0123456789abcdef",
		"0123456789abcdef"};
	const struct spoa_http_guard reader = {.read_token = SPAN("fedcba9876543210")};
	const struct spoa_http_guard nobody = {.hosts = HOSTS, .n_hosts = 3};

	ck_assert(spoa_http_guard_token(&guard, "Bearer 0123456789abcdef", false));
	ck_assert(spoa_http_guard_token(&guard, "bearer 0123456789abcdef", false));
	ck_assert(spoa_http_guard_token(&reader, "Bearer fedcba9876543210", true));
	ck_assert(!spoa_http_guard_token(&reader, "Bearer fedcba9876543210", false));
	ck_assert(!spoa_http_guard_token(&guard, "Bearer fedcba9876543210", true));
	for (size_t i = 0; i < ARRAY_SIZE(BAD); i++) {
		ck_assert_msg(!spoa_http_guard_token(&guard, BAD[i], true), "%s", BAD[i]);
		ck_assert_msg(!spoa_http_guard_token(&nobody, BAD[i], true), "%s", BAD[i]);
	}
}
END_TEST

Suite *suite_http_guard(void)
{
	Suite *suite = suite_create("http_guard");
	TCase *tc = tcase_create("http_guard");

	tcase_add_test(tc, host);
	tcase_add_test(tc, token);
	suite_add_tcase(suite, tc);
	return suite;
}
