#include "tests/unit/ctl/program.h"
#include "tests/unit/ctl/suites.h"

#include "base/mem.h"

#include <string.h>

static const struct {
	const char *arguments[8];
	const char *err;
} WRONG[] = {
	{{NULL}, "identityctl: a command is needed"},
	{{"nonsense"}, "identityctl: 'nonsense' is not a command"},
	{{"\033[31m"}, "identityctl: '?[31m' is not a command"},
	{{"token"}, "identityctl: 'token' is not a command, or half of one"},
	{{"token", "steal"}, "identityctl: 'token' is not a command"},
	{{"--help", "me"}, "identityctl: '--help' is not a command"},
	{{"status", "--bad"}, "identityctl status: unrecognized option '--bad'"},
	{{"status", "--socket"}, "identityctl status: option '--socket' requires an argument"},
	{{"status", "more"}, "identityctl status: 'more' is one argument too many"},
	{{"status", "-o", "xml"}, "identityctl status: -o takes text or json, not 'xml'"},
	{{"metrics", "-o", "json"}, "identityctl metrics: invalid option"},
	{{"metrics", "more"}, "identityctl metrics: 'more' is one argument too many"},
	{{"tail", "--verdict", "yes"}, "--verdict takes allow, deny, error or audit"},
	{{"tail", "--identity", "0"}, "'0' is no identity"},
	{{"tail", "--lines", "-1"}, "--lines takes 0 to 1024"},
	{{"top", "--interval", "0"}, "--interval takes 1 to 3600 seconds"},
	{{"trace"}, "one request id is needed"},
	{{"trace", "r-1"}, "wanted: --haproxy-log, --audit or --hubble"},
	{{"trace", "a", "b", "--audit", "f"}, "one request id is needed"},
	{{"identity", "show", "x"}, "one identity is needed"},
	{{"flow", "list", "--limit", "0"}, "--limit takes 1 to 10000"},
	{{"flow", "list", "--limit", "1", "--limit", "2"}, "'2' is given a second time"},
	{{"policy", "test", "--role", "r"}, "--service is needed, and --role or --identity"},
	{{"observe", "--for", "1h"}, "wanted: --for TIME and --why TEXT"},
	{{"log-level"}, "one level is needed"},
	{{"completion", "fish"}, "one shell is needed: bash or zsh"},
	{{"token", "decode"}, "one token is needed"},
	{{"token", "mint"}, "identityctl token mint: --alg and --key are needed"},
	{{"token", "mint", "--alg", "RS256"}, "identityctl token mint: --alg and --key are needed"},
	{{"token", "mint", "--alg", "a", "--alg", "b"}, "'b' is given a second time"},
	{{"token", "mint", "--alg", "a", "--key", "b", "more"}, "one argument too many"},
	{{"token", "mint", "--alg=a", "--key=b", "--ttl", "soon"}, "'soon' is not a duration"},
	{{"token", "mint", "--alg=a", "--key=b", "--claims", "[]"}, "not a JSON object"},
	{{"token", "mint", "--set"}, "identityctl token mint: unrecognized option '--set'"},
	{{"token", "jwk"}, "identityctl token jwk: --key is needed"},
	{{"token", "jwk", "--key=a", "--kid=1", "--kid=2"}, "'2' is the second for one --key"},
	{{"token", "jwk", "--key=a", "b"}, "'b' is one argument too many"},
};

START_TEST(wrong)
{
	/* Goal: a wrong command line is exit 2, says what is wrong, and does nothing. */
	struct program_result r;

	program_run(WRONG[_i].arguments, &r);
	ck_assert_int_eq(r.code, 2);
	ck_assert_msg(strstr(r.err, WRONG[_i].err), "stderr: %s", r.err);
	ck_assert_ptr_nonnull(strstr(r.err, "Try 'identityctl --help'."));
	ck_assert_str_eq(r.out, "");
}
END_TEST

START_TEST(help)
{
	/* Goal: help names every command and every exit code, on stdout. */
	static const char *const WORDS[] = {"identityctl status", "identityctl metrics",
		"identityctl token mint", "identityctl token jwk", "\n  0  ", "\n  1  ", "\n  2  ",
		"\n  3  ", "/run/identityd/admin.sock"};
	struct program_result r, same;

	PROGRAM_RUN(&r, "--help");
	PROGRAM_RUN(&same, "help");
	ck_assert_int_eq(r.code, 0);
	ck_assert_int_eq(same.code, 0);
	ck_assert_str_eq(r.out, same.out);
	ck_assert_str_eq(r.err, "");
	for (size_t i = 0; i < ARRAY_SIZE(WORDS); i++)
		ck_assert_msg(strstr(r.out, WORDS[i]), "help lacks: %s", WORDS[i]);
}
END_TEST

START_TEST(version)
{
	/* Goal: --version is one line. */
	struct program_result r;

	PROGRAM_RUN(&r, "--version");
	ck_assert_int_eq(r.code, 0);
	ck_assert_str_eq(r.out, "identityctl " IDENTITYD_VERSION "\n");
}
END_TEST

START_TEST(full_disk)
{
	/* Goal: output that could not be written is not a success. */
	static const char *const ARGUMENTS[] = {"--help", NULL};

	ck_assert_int_eq(program_run_full(ARGUMENTS), 1);
}
END_TEST

Suite *suite_main(void)
{
	Suite *s = suite_create("ctl/main");
	TCase *tc = tcase_create("main");

	tcase_add_loop_test(tc, wrong, 0, ARRAY_SIZE(WRONG));
	tcase_add_test(tc, help);
	tcase_add_test(tc, version);
	tcase_add_test(tc, full_disk);
	suite_add_tcase(s, tc);
	return s;
}
