#include "policy/pattern.h"

#include "tests/unit/policy/suites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
	const char *pattern, *input;
	int matches;
} MATCHES[] = {
	/* Full match, case-sensitive. */
	{"/api", "/api", 1},
	{"/api", "/api/", 0},
	{"/api", "/apI", 0},
	{"api", "/api", 0},
	{"/api/.*", "/api/", 1},
	{"/api/.*", "/api/x?q=1", 1},
	{"/api/.*", "/api/x\ny", 0},
	{"/api/.*", "/ap", 0},
	{"/.*\\.html", "/a.html", 1},
	{"/.*\\.html", "/a.html?x", 0},
	{"GET|HEAD", "HEAD", 1},
	{"GET|HEAD", "HEADS", 0},
	{"a|ab", "ab", 1}, /* the alternative that reaches the end counts */
	{"", "", 1},
	{"(?i)get", "GeT", 1},
	{"a(?i)b|c", "C", 1},
	{"(?i:a)b", "AB", 0},
	{"(?s).*", "a\nb", 1},
	{".*", "a\nb", 0},
	{"(?U)a+", "aaa", 1},
	{"(?P<name>x)(?<other>y)", "xy", 1},
	{"/p[0-9]+", "/p12", 1},
	{"/p[0-9]+", "/p", 0},
	{"[^/]+", "a/b", 0},
	{"[]a]+", "]a", 1},
	{"[a\\]-]+", "a]-", 1},
	{"[[:alpha:]]+", "abC", 1},
	{"[[:^digit:]]", "1", 0},
	{"[a[]", "[", 1},
	{"\\d\\D\\w\\W\\s\\S", "1x_- x", 1},
	{"\\s", "\v", 0}, /* RE2: no vertical tab */
	{"[\\s]", "\v", 0},
	{"\\S", "\v", 1},
	{"[\\S]", "\v", 1},
	{"\\v", "\v", 1},
	{"\\x41\\x{42}\\103", "ABC", 1},
	{"\\Qa.b*\\E+", "a.b**", 1},
	{"\\Qa.b", "a.b", 1},
	{"a{2,3}", "aa", 1},
	{"a{2,3}", "a", 0},
	{"a{,2}", "a{,2}", 1}, /* no repetition, but text */
	{"a{x", "a{x", 1},
	{"a{2}?", "aa", 1},
	{"^a$", "a", 1},
	{"^a$", "a\n", 0},
	{"^*a", "a", 1},
	{"\\Aa\\z", "a", 1},
	{"\\ba\\b", "a", 1},
	{"(?m)a$\nb", "a\nb", 1},
	{"\\pL+", "aä", 1},
	{"\\p{Greek}", "α", 1},
	{"\\p{^Greek}", "α", 0},
	{"\\P{Lu}", "a", 1},
	{".", "ä", 1}, /* characters, not bytes */
	{".", "\xff", 0},
	{"\\.\\*\\/", ".*/", 1},
	{"a#b c", "a#b c", 1},
	{"x.*", "xä", 1},
	{"x.*", "x\xff", 0},
};

/* Goal: patterns mean what they mean in RE2, matched in full. */
START_TEST(patterns_match)
{
	struct policy_pattern pattern;
	struct policy_scratch *scratch = policy_scratch_new();
	char why[160] = "";
	int err = policy_pattern_init(&pattern, MATCHES[_i].pattern, why);

	ck_assert_msg(err == 0, "%s: %s", MATCHES[_i].pattern, why);
	ck_assert_msg(policy_pattern_match(&pattern, span_of(MATCHES[_i].input), scratch) ==
			      MATCHES[_i].matches,
		"%s on %s", MATCHES[_i].pattern, MATCHES[_i].input);
	policy_pattern_done(&pattern);
	policy_scratch_free(scratch);
}
END_TEST

static const struct {
	const char *pattern;
	int byte; /* from 1 */
} REFUSED[] = {
	{"(?=a)", 1},
	{"a(?!b)", 2},
	{"(?<=a)b", 1},
	{"(?<!a)b", 1},
	{"(?>a)", 1},
	{"(?|a)", 1},
	{"(?R)", 1},
	{"(?1)", 1},
	{"(?#x)", 1},
	{"(?x)a", 1},
	{"(?P=n)", 1},
	{"(?P>n)", 1},
	{"(?&n)", 1},
	{"(?(1)a)", 1},
	{"(*ACCEPT)", 2},
	{"(a)\\1", 4},
	{"\\k<n>", 1},
	{"\\g1", 1},
	{"a*+", 3},
	{"a++", 3},
	{"a?+", 3},
	{"a**", 3},
	{"a{2}{3}", 5},
	{"a*??", 4},
	{"*a", 1},
	{"a|*", 3},
	{"(?i)*", 5},
	{"a{1001}", 2},
	{"a{3,2}", 2},
	{"(a{100}){100}", 9},
	{"(a", 1},
	{"a)", 2},
	{"[a", 1},
	{"[]", 1},
	{"[z-a]", 2},
	{"[a-\\d]", 4},
	{"[[:foo:]]", 2},
	{"[\\b]", 2},
	{"\\C", 1},
	{"\\Z", 1},
	{"\\G", 1},
	{"\\K", 1},
	{"\\R", 1},
	{"\\h", 1},
	{"\\X", 1},
	{"\\N", 1},
	{"\\y", 1},
	{"a\\", 2},
	{"\\x4", 1},
	{"\\x{110000}", 1},
	{"\\x{d800}", 1},
	{"\\p", 1},
	{"\\p{Qx}", 1},
	{"\\pq", 1},
	{"\xff", 1},
	{"(?i", 1},
	{"(?-)", 1},
	{"(?P<>a)", 1},
};

/* Goal: what RE2 does not take is refused, and the byte is named. */
START_TEST(other_syntax_is_refused)
{
	struct policy_pattern pattern;
	char why[160] = "", want[40];

	ck_assert_msg(policy_pattern_init(&pattern, REFUSED[_i].pattern, why) == -EINVAL,
		"%s was taken", REFUSED[_i].pattern);
	snprintf(want, sizeof(want), "at byte %d of", REFUSED[_i].byte);
	ck_assert_msg(strstr(why, want) != NULL, "%s: %s", REFUSED[_i].pattern, why);
}
END_TEST

/* Goal: nesting, length and scripts that do not exist have their limits. */
START_TEST(patterns_are_bounded)
{
	struct policy_pattern pattern;
	char text[POLICY_PATTERN_MAX + 2], why[160];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(policy_pattern_init(&pattern, text, why), -EINVAL);
	text[POLICY_PATTERN_MAX] = '\0';
	ck_assert_int_eq(policy_pattern_init(&pattern, text, why), 0);
	policy_pattern_done(&pattern);
	for (size_t i = 0; i < 101; i++) {
		text[i] = '(';
		text[101 + i] = ')';
	}
	text[202] = '\0';
	ck_assert_int_eq(policy_pattern_init(&pattern, text, why), -EINVAL);
	ck_assert_int_eq(policy_pattern_init(&pattern, "\\p{Klingon}", why), -EINVAL);
}
END_TEST

static const struct {
	const char *pattern;
	char letter, last;
} HOSTILE[] = {
	{"(a*)*b", 'a', 'b'},
	{"(a|aa)+b", 'a', 'b'},
	{"(a*a){20}b", 'a', 'b'},
	{"(x+x+)+y", 'x', 'y'},
	{"a*a*a*a*a*=", 'a', '='},
};

/* Goal: a pattern or path that is too much work is an error, soon. */
START_TEST(hostile_ones_are_stopped)
{
	struct policy_pattern pattern;
	struct policy_scratch *scratch = policy_scratch_new();
	char input[8000], why[160];
	struct timespec before, after;
	int got;

	memset(input, HOSTILE[_i].letter, sizeof(input));
	input[sizeof(input) - 2] = '!';
	input[sizeof(input) - 1] = HOSTILE[_i].last;
	ck_assert_int_eq(policy_pattern_init(&pattern, HOSTILE[_i].pattern, why), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	got = policy_pattern_match(&pattern, (struct span){input, sizeof(input)}, scratch);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	ck_assert_int_eq(got, -1);
	ck_assert_int_lt(after.tv_sec - before.tv_sec, 2); /* ms; with sanitizers more */
	policy_pattern_done(&pattern);
	policy_scratch_free(scratch);
}
END_TEST

Suite *pattern_suite(void)
{
	Suite *suite = suite_create("policy/pattern");
	TCase *tc = tcase_create("pattern");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, patterns_match, 0, sizeof(MATCHES) / sizeof(MATCHES[0]));
	tcase_add_loop_test(tc, other_syntax_is_refused, 0, sizeof(REFUSED) / sizeof(REFUSED[0]));
	tcase_add_test(tc, patterns_are_bounded);
	tcase_add_loop_test(tc, hostile_ones_are_stopped, 0, sizeof(HOSTILE) / sizeof(HOSTILE[0]));
	suite_add_tcase(suite, tc);
	return suite;
}
