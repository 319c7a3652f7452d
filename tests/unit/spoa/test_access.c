#include "tests/unit/spoa/suites.h"

#include "spoa/access.h"
#include "spoa/listen.h"
#include "spoa/newcomer.h"
#include "tests/unit/spoa/help.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct base_diag diag;
static struct spoa_access list;
static char *users[4], *groups[4], *nets[4];
static struct conf_listen conf;

static void setup(void)
{
	base_diag_init(&diag, "f");
	conf = (struct conf_listen){
		.pos = {3, 5},
		.users.items = users,
		.groups.items = groups,
		.allow.items = nets,
	};
}

static void teardown(void)
{
	spoa_access_done(&list);
	base_diag_done(&diag);
}

static void add(struct conf_strings *to, const char *text)
{
	to->items[to->n++] = (char *)text;
}

static bool process(uid_t uid, gid_t gid, gid_t other)
{
	const struct ucred cred = {.pid = 1, .uid = uid, .gid = gid};

	return spoa_access_process(&list, &cred, &other, 1);
}

START_TEST(processes)
{
	/* A user on the list, or a group, primary or supplementary; nobody else. */
	add(&conf.users, "daemon");
	add(&conf.users, "4242");
	add(&conf.groups, "4343");
	ck_assert_int_eq(spoa_access_compile(&conf, &list, &diag), 0);
	ck_assert_uint_eq(diag.n_found, 0);
	ck_assert(process(1, 9, 9)); /* daemon is user 1 on every Debian */
	ck_assert(process(4242, 9, 9));
	ck_assert(process(9, 4343, 9));
	ck_assert(process(9, 9, 4343));
	ck_assert(!process(9, 9, 9));
	ck_assert(!process(0, 0, 0)); /* root is no exception */
	ck_assert(!process((uid_t)-1, (gid_t)-1, (gid_t)-1));
}
END_TEST

START_TEST(everybody)
{
	/* Without lists nothing is asked. */
	struct sockaddr_storage address = {.ss_family = AF_INET};

	ck_assert_int_eq(spoa_access_compile(&conf, &list, &diag), 0);
	ck_assert(process(9, 9, 9));
	ck_assert(spoa_access_address(&list, &address));
}
END_TEST

START_TEST(unknown)
{
	/* Names that the system does not know are mistakes, and let nobody in. */
	add(&conf.users, "no-such-user");
	add(&conf.groups, "no-such-group");
	add(&conf.groups, "4294967295");
	add(&conf.allow, "here");
	ck_assert_int_eq(spoa_access_compile(&conf, &list, &diag), 0);
	ck_assert_uint_eq(diag.n_found, 4);
	ck_assert_uint_eq(diag.items[0].line, 3);
	ck_assert_str_eq(diag.items[0].text, "there is no user 'no-such-user'");
}
END_TEST

static bool address(const char *text)
{
	struct sockaddr_storage storage = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&storage;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
	} else {
		ck_assert_int_eq(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
		v6->sin6_family = AF_INET6;
	}
	return spoa_access_address(&list, &storage);
}

START_TEST(addresses)
{
	/* Ranges of both families; an IPv4 peer of an IPv6 socket is the same peer. */
	struct sockaddr_storage local = {.ss_family = AF_UNIX};

	add(&conf.allow, "10.0.0.0/8");
	add(&conf.allow, "2001:db8::/32");
	ck_assert_int_eq(spoa_access_compile(&conf, &list, &diag), 0);
	ck_assert(address("10.255.0.1"));
	ck_assert(address("::ffff:10.0.0.1"));
	ck_assert(address("2001:db8::1"));
	ck_assert(!address("11.0.0.1"));
	ck_assert(!address("::1"));
	ck_assert(!spoa_access_address(&list, &local));
}
END_TEST

/* Connects to the path as another user with one supplementary group; its pid. */
static pid_t connect_as(const char *path, uid_t uid, gid_t group)
{
	pid_t pid = fork();
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd;

	if (pid)
		return pid;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (setgroups(1, &group) || setgid(9) || setuid(uid) ||
		connect(fd, (struct sockaddr *)&sun, sizeof(sun)))
		_exit(1);
	_exit(0);
}

static const struct {
	uid_t uid;
	gid_t group;
	int rc;
} REAL[] = {
	{4242, 9, 0},
	{4243, 4343, 0},
	{4243, 9, -EACCES},
};

START_TEST(real)
{
	/* Goal: the kernel's word about real processes, supplementary groups included. */
	char dir[64], path[100], why[SPOA_LISTEN_WHY];
	struct spoa_listen listener;
	struct spoa_newcomer newcomer = {.fd = -1};
	char want[64];
	int status;
	pid_t pid;

	ck_assert_msg(geteuid() == 0, "needs root");
	help_mkdir(dir);
	ck_assert_int_eq(chmod(dir, 0755), 0);
	snprintf(path, sizeof(path), "%s/x.sock", dir);
	conf.unix_path = path;
	conf.mode = 0666;
	add(&conf.users, "4242");
	add(&conf.groups, "4343");
	ck_assert_int_eq(spoa_access_compile(&conf, &list, &diag), 0);
	ck_assert_int_eq(spoa_listen_open(&conf, NULL, &listener, why), 0);
	pid = connect_as(path, REAL[_i].uid, REAL[_i].group);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(spoa_newcomer_accept(&listener, &list, &newcomer), REAL[_i].rc);
	snprintf(want, sizeof(want), "unix:pid=%d,uid=%d", (int)pid, (int)REAL[_i].uid);
	ck_assert_str_eq(newcomer.peer, want);
	ck_assert_int_eq(newcomer.fd >= 0, REAL[_i].rc == 0);
	if (newcomer.fd >= 0)
		close(newcomer.fd);
	spoa_listen_close(&listener);
	help_rmdir(dir);
}
END_TEST

Suite *suite_access(void)
{
	Suite *suite = suite_create("access");
	TCase *tc = tcase_create("access");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, processes);
	tcase_add_test(tc, everybody);
	tcase_add_test(tc, unknown);
	tcase_add_test(tc, addresses);
	tcase_add_loop_test(tc, real, 0, ARRAY_SIZE(REAL));
	suite_add_tcase(suite, tc);
	return suite;
}
