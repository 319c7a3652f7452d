/* The program itself: arguments, configuration, exit status. */
#include "tests/unit/bpfmap/kernel.h"

#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *suite_main(void);

static char text[8192]; /* what the last run printed, on both outputs */
static char config[128];

static void with_config(void)
{
	kernel_setup();
	ck_assert_int_eq(umount(kernel.bpf), 0);
	ck_assert_int_eq(rmdir(kernel.bpf), 0);
	snprintf(config, sizeof(config), "%s/identityd.yaml", kernel.top);
}

static void without_config(void)
{
	unlink(config);
	kernel_teardown();
}

static void write_config(const char *mode)
{
	FILE *f = fopen(config, "we");

	ck_assert_ptr_nonnull(f);
	fprintf(f,
		"version: 1\n"
		"listen:\n"
		"  - unix: /run/identityd/spop.sock\n"
		"bpf:\n"
		"  mode: %s\n"
		"  path: %s\n"
		"  cgroup: %s\n"
		"  group: \"%d\"\n"
		"  max_flows: 64\n"
		"providers:\n"
		"  - name: test\n"
		"    issuer: https://idp.example\n"
		"    audiences: [test]\n"
		"roles:\n"
		"  - name: any\n"
		"    labels: [role=any]\n",
		mode, kernel.bpf, kernel.cgroup, KERNEL_GROUP);
	fclose(f);
}

/* The exit status; text has the output. */
static int run(const char *arguments)
{
	char command[512];
	FILE *program;
	int status;

	snprintf(command, sizeof(command), "%s %s 2>&1", SETUP_PROGRAM, arguments);
	memset(text, 0, sizeof(text));
	program = popen(command, "r");
	ck_assert_ptr_nonnull(program);
	ck_assert(fread(text, 1, sizeof(text) - 1, program) > 0);
	status = pclose(program);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int run_config(const char *more)
{
	char arguments[256];

	snprintf(arguments, sizeof(arguments), "--config %s %s", config, more);
	return run(arguments);
}

START_TEST(makes_and_removes)
{
	/* Goal: the configuration's section bpf is what is set up, and --remove undoes it. */
	write_config("required");
	ck_assert_msg(run_config("") == 0, "%s", text);
	ck_assert_ptr_nonnull(strstr(text, "probe: a connection appeared"));
	ck_assert_ptr_nonnull(strstr(text, kernel.cgroup));
	ck_assert_msg(run_config("--verbose") == 0, "%s", text);
	ck_assert_ptr_nonnull(strstr(text, "updated in place"));
	ck_assert_msg(run_config("--remove") == 0, "%s", text);
	ck_assert_int_eq(access(kernel.bpf, F_OK), -1);
}
END_TEST

START_TEST(off_does_nothing)
{
	/* Goal: with bpf off there is nothing to do, but an earlier set-up can be removed. */
	write_config("auto");
	ck_assert_msg(run_config("") == 0, "%s", text);
	write_config("off");
	ck_assert_msg(run_config("") == 0, "%s", text);
	ck_assert_str_eq(text, "bpf: off: nothing to do\n");
	ck_assert_msg(run_config("--remove") == 0, "%s", text);
	ck_assert_ptr_nonnull(strstr(text, "pins: 20 removed"));
}
END_TEST

START_TEST(failures)
{
	/* Goal: what fails is said in one line of the program's and gives exit status 1. */
	ck_assert_int_eq(run_config(""), 1);
	write_config("sometimes");
	ck_assert_int_eq(run_config(""), 1);
	ck_assert_ptr_nonnull(strstr(text, "identityd.yaml:5:"));
	write_config("auto");
	kernel_teardown();
	ck_assert_int_eq(run_config(""), 1);
	ck_assert_ptr_nonnull(strstr(text, "identityd-setup: cgroup "));
}
END_TEST

static const struct {
	const char *arguments;
	int status;
} usages[] = {
	{"", 2},
	{"--remove", 2},
	{"--config", 2},
	{"--config x y", 2},
	{"--nonsense --config x", 2},
	{"--help", 0},
	{"--version", 0},
};

START_TEST(usage)
{
	/* Goal: a wrong command line is exit status 2 with the usage, never an attempt. */
	ck_assert_int_eq(run(usages[_i].arguments), usages[_i].status);
	ck_assert_ptr_nonnull(strstr(text, "identityd-setup"));
}
END_TEST

Suite *suite_main(void)
{
	Suite *suite = suite_create("setup/main");
	TCase *tcase = tcase_create("all");

	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, with_config, without_config);
	tcase_add_test(tcase, makes_and_removes);
	tcase_add_test(tcase, off_does_nothing);
	tcase_add_test(tcase, failures);
	tcase_add_loop_test(tcase, usage, 0, ARRAY_SIZE(usages));
	suite_add_tcase(suite, tcase);
	return suite;
}
