#include "spoa/privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool read_number(const char *text, unsigned *ret)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (!*text || *end || number >= (unsigned)-1)
		return false;
	*ret = (unsigned)number;
	return true;
}

static int find_user(const char *text, struct spoa_user *user, char why[SPOA_PRIVILEGE_WHY])
{
	struct passwd *entry;

	if (read_number(text, &user->uid)) {
		user->gid = user->uid;
		return 0;
	}
	entry = getpwnam(text);
	if (!entry) {
		snprintf(why, SPOA_PRIVILEGE_WHY, "--user: there is no user %.64s", text);
		return -EINVAL;
	}
	user->uid = entry->pw_uid;
	user->gid = entry->pw_gid;
	return 0;
}

/* The groups that the system's databases give the user. */
static void find_own_groups(const char *name, struct spoa_user *user)
{
	int n = SPOA_GROUPS_MAX;

	if (getpwnam(name) && getgrouplist(name, user->gid, user->groups, &n) >= 0)
		user->n_groups = (size_t)n;
}

static int find_groups(char *text, struct spoa_user *user, char why[SPOA_PRIVILEGE_WHY])
{
	bool first = true;
	char *save = NULL;

	for (char *g = strtok_r(text, ",", &save); g; g = strtok_r(NULL, ",", &save)) {
		struct group *entry = NULL;
		gid_t gid;

		if (!read_number(g, &gid)) {
			entry = getgrnam(g);
			if (!entry) {
				snprintf(why, SPOA_PRIVILEGE_WHY, "--user: there is no group %.64s",
					g);
				return -EINVAL;
			}
			gid = entry->gr_gid;
		}
		if (user->n_groups == SPOA_GROUPS_MAX) {
			snprintf(why, SPOA_PRIVILEGE_WHY, "--user: more than %d groups",
				SPOA_GROUPS_MAX);
			return -EINVAL;
		}
		if (first)
			user->gid = gid;
		user->groups[user->n_groups++] = gid;
		first = false;
	}
	return 0;
}

int spoa_privilege_user(const char *text, struct spoa_user *ret_user, char why[SPOA_PRIVILEGE_WHY])
{
	cleanup(free) char *copy = strdup(text);
	struct spoa_user user = {0};
	char *groups;
	int rc;

	if (!copy)
		return -ENOMEM;
	groups = strchr(copy, ':');
	if (groups)
		*groups++ = '\0';
	rc = find_user(copy, &user, why);
	if (rc)
		return rc;
	if (groups)
		rc = find_groups(groups, &user, why);
	else
		find_own_groups(copy, &user);
	if (rc)
		return rc;
	*ret_user = user;
	return 0;
}

static int become(const struct spoa_user *user)
{
	/* The bounding set can only be emptied while the right to do so is still there. */
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			return -errno;
	if (setgroups(user->n_groups, user->groups) || setresgid(user->gid, user->gid, user->gid) ||
		setresuid(user->uid, user->uid, user->uid))
		return -errno;
	return 0;
}

/* 0: none; 1: some; else -errno. */
static int capabilities_left(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct left[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, left))
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(left); i++)
		if (left[i].effective | left[i].permitted | left[i].inheritable)
			return 1;
	return 0;
}

/* Where a service manager left none, it may also have forbidden the call that gives them up. */
static int give_up_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
	int left;

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	left = capabilities_left();
	if (left == 1 && syscall(SYS_capset, &header, none))
		return -errno;
	if (left == 1)
		left = capabilities_left();
	return left == 1 ? -EPERM : left;
}

int spoa_privilege_drop(const struct spoa_user *user, char why[SPOA_PRIVILEGE_WHY])
{
	int rc = user ? become(user) : 0;

	if (rc) {
		snprintf(why, SPOA_PRIVILEGE_WHY, "cannot become uid %u gid %u: %s", user->uid,
			user->gid, strerror(-rc));
		return -EPERM;
	}
	if (getuid() == 0 || geteuid() == 0) {
		snprintf(why, SPOA_PRIVILEGE_WHY,
			"refusing to run as root: start it as an ordinary user, or with "
			"--user NAME; only identityd-setup needs root");
		return -EPERM;
	}
	rc = give_up_capabilities();
	if (rc) {
		snprintf(why, SPOA_PRIVILEGE_WHY, "cannot give up capabilities: %s", strerror(-rc));
		return -EPERM;
	}
	return 0;
}

size_t spoa_privilege_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	if (limit.rlim_cur < limit.rlim_max) {
		struct rlimit raised = {limit.rlim_max, limit.rlim_max};

		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			limit = raised;
	}
	return limit.rlim_cur;
}

#ifdef __SANITIZE_ADDRESS__
#define DUMPABLE 1 /* the leak checker attaches to its own process */
#else
#define DUMPABLE 0
#endif

int spoa_privilege_harden(void)
{
	const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		prctl(PR_SET_DUMPABLE, DUMPABLE, 0, 0, 0))
		return -errno;
	return 0;
}
