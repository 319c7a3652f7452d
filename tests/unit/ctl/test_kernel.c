#include "tests/unit/ctl/program.h"
#include "tests/unit/ctl/suites.h"

#include <string.h>

static const char *const wrong[][8] = {
	{"kernel", "kill"},
	{"kernel", "kill", "--identity", "x"},
	{"kernel", "kill", "--identity", "5", "--client", "192.0.2.1:5"},
	{"kernel", "kill", "--client", "192.0.2.1"},
	{"kernel", "kill", "--client", "192.0.2.1:0"},
	{"kernel", "kill", "--client", "[2001:db8::1:5"},
	{"kernel", "kill", "--identity", "5", "rest"},
	{"kernel", "break-glass", "--for", "10m"},
	{"kernel", "break-glass", "--why", "x"},
	{"kernel", "break-glass", "--for", "soon", "--why", "x"},
	{"kernel", "break-glass", "--for", "-5s", "--why", "x"},
};

START_TEST(usage)
{
	/* Goal: half an order is exit code 2, and nobody is asked. */
	const char *arguments[9] = {0};
	struct program_result r;

	memcpy(arguments, wrong[_i], sizeof(wrong[_i]));
	program_run(arguments, &r);
	ck_assert_int_eq(r.code, 2);
	ck_assert_str_eq(r.out, "");
}
END_TEST

static const char *const right[][6] = {
	{"kernel", "kill", "--identity", "5"},
	{"kernel", "kill", "--client", "192.0.2.1:5"},
	{"kernel", "kill", "--client", "[2001:db8::1]:5"},
	{"kernel", "break-glass", "--for", "0", "--why", "x"},
};

START_TEST(nobody_there)
{
	/* Goal: a whole order without a daemon is exit code 3. */
	const char *arguments[9] = {0};
	struct program_result r;

	memcpy(arguments, right[_i], sizeof(right[_i]));
	for (size_t i = 0; i < 8; i++) {
		if (arguments[i])
			continue;
		arguments[i] = "--socket";
		arguments[i + 1] = "/tmp/there/is/none";
		break;
	}
	program_run(arguments, &r);
	ck_assert_int_eq(r.code, 3);
}
END_TEST

Suite *suite_kernel(void)
{
	Suite *s = suite_create("ctl/kernel");
	TCase *tc = tcase_create("kernel");

	tcase_add_loop_test(tc, usage, 0, sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_loop_test(tc, nobody_there, 0, sizeof(right) / sizeof(right[0]));
	suite_add_tcase(s, tc);
	return s;
}
