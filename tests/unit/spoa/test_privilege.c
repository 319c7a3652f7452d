#include "tests/unit/spoa/suites.h"

#include "spoa/privilege.h"
#include "tests/unit/spoa/help.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	const char *text;
	bool good;
	uid_t uid;
	gid_t gid;
	size_t n_groups;
} USERS[] = {
	{"61001", true, 61001, 61001, 0},
	{"61001:61002", true, 61001, 61002, 1},
	{"61001:61002,61003,61004", true, 61001, 61002, 3},
	{"61001:1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", true, 61001, 1, 16},
	{"61001:1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", false, 0, 0, 0},
	{"root:root", true, 0, 0, 1},
	{"", false, 0, 0, 0},
	{":61002", false, 0, 0, 0},
	{"no-such-user-here", false, 0, 0, 0},
	{"61001:no-such-group-here", false, 0, 0, 0},
	{"61001x", false, 0, 0, 0},
	{"4294967295", false, 0, 0, 0}, /* means "leave as it is" to the kernel */
	{"61001:4294967295", false, 0, 0, 0},
	{"99999999999", false, 0, 0, 0},
};

START_TEST(users)
{
	/* USER[:GROUP[,GROUP...]] in names or numbers; what is none of these is refused with a reason. */
	struct spoa_user user = {.uid = 12345};
	char why[SPOA_PRIVILEGE_WHY] = "";
	int rc = spoa_privilege_user(USERS[_i].text, &user, why);

	ck_assert_int_eq(rc == 0, USERS[_i].good);
	if (rc) {
		ck_assert_str_ne(why, "");
		ck_assert_uint_eq(user.uid, 12345);
		return;
	}
	ck_assert_uint_eq(user.uid, USERS[_i].uid);
	ck_assert_uint_eq(user.gid, USERS[_i].gid);
	ck_assert_uint_eq(user.n_groups, USERS[_i].n_groups);
}
END_TEST

START_TEST(own_groups)
{
	/* A name without groups gets those that the system's databases give it. */
	struct passwd *daemon = getpwnam("daemon");
	char why[SPOA_PRIVILEGE_WHY];
	struct spoa_user user;

	if (!daemon)
		return;
	ck_assert_int_eq(spoa_privilege_user("daemon", &user, why), 0);
	ck_assert_uint_eq(user.uid, daemon->pw_uid);
	ck_assert_uint_eq(user.gid, daemon->pw_gid);
	ck_assert_uint_ge(user.n_groups, 1);
}
END_TEST

/* What body returns in a process of its own. */
static int in_child(int (*body)(void))
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (!pid)
		_exit(body());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* All Cap lines of /proc/self/status are 0. */
static bool no_capability(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	unsigned n = 0;

	while (f && fgets(line, sizeof(line), f)) {
		unsigned long long set;

		if (sscanf(line, "Cap%*[A-Za-z]: %llx", &set) != 1)
			continue;
		n++;
		if (set)
			return false;
	}
	if (f)
		fclose(f);
	return n == 5;
}

static int drop_to_user(void)
{
	char why[SPOA_PRIVILEGE_WHY];
	struct spoa_user user;
	gid_t groups[8];

	if (spoa_privilege_user("61001:61002,61003", &user, why) || spoa_privilege_drop(&user, why))
		return 1;
	if (getuid() != 61001 || geteuid() != 61001 || getgid() != 61002 || getegid() != 61002)
		return 2;
	if (getgroups(8, groups) != 2 || groups[0] != 61002 || groups[1] != 61003)
		return 3;
	if (!no_capability())
		return 4;
	return setuid(0) == 0 ? 5 : 0;
}

static int stay_root(void)
{
	char why[SPOA_PRIVILEGE_WHY] = "";

	return spoa_privilege_drop(NULL, why) == -EPERM && strstr(why, "root") ? 0 : 1;
}

static int become_root(void)
{
	char why[SPOA_PRIVILEGE_WHY] = "";
	struct spoa_user user;

	if (spoa_privilege_user("0", &user, why))
		return 1;
	return spoa_privilege_drop(&user, why) == -EPERM ? 0 : 2;
}

static int not_allowed(void)
{
	char why[SPOA_PRIVILEGE_WHY] = "";
	struct spoa_user user;

	if (setresgid(61001, 61001, 61001) || setresuid(61001, 61001, 61001))
		return 1;
	if (spoa_privilege_drop(NULL, why)) /* an ordinary user may stay who he is */
		return 2;
	if (spoa_privilege_user("61004", &user, why))
		return 3;
	return spoa_privilege_drop(&user, why) == -EPERM && *why ? 0 : 4;
}

START_TEST(drop)
{
	/* Root becomes the user for good without any capability; root itself is refused. */
	if (getuid()) {
		printf("SKIPPED: dropping privileges needs root\n");
		return;
	}
	ck_assert_int_eq(in_child(drop_to_user), 0);
	ck_assert_int_eq(in_child(stay_root), 0);
	ck_assert_int_eq(in_child(become_root), 0);
	ck_assert_int_eq(in_child(not_allowed), 0);
}
END_TEST

static int harden(void)
{
	struct rlimit core;

	if (spoa_privilege_harden() || getrlimit(RLIMIT_CORE, &core))
		return 1;
	if (core.rlim_cur || core.rlim_max)
		return 2;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 3;
#ifndef __SANITIZE_ADDRESS__
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 4;
#endif
	return 0;
}

START_TEST(hardened)
{
	/* No core files, nothing new by exec, nobody attaches. */
	ck_assert_int_eq(in_child(harden), 0);
}
END_TEST

Suite *suite_privilege(void)
{
	Suite *suite = suite_create("privilege");
	TCase *tc = tcase_create("privilege");

	tcase_add_loop_test(tc, users, 0, ARRAY_SIZE(USERS));
	tcase_add_test(tc, own_groups);
	tcase_add_test(tc, drop);
	tcase_add_test(tc, hardened);
	suite_add_tcase(suite, tc);
	return suite;
}
